"""No release passes by what is added to it, left out of it, or weighs nothing."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.trust.conftest import Command, Ended

LIMIT = {"max_drop": 0.01}
BAD = "k" * 900 + "b" * 40 + "m" * 60
GOOD = "k" * 900 + "m" * 100
NEAR = "k" * 955 + "b" * 5 + "m" * 40


def pair(name: str, cells: str) -> None:
    """Write old/NAME.csv and new/NAME.csv with a letter an example."""
    for side, right in (("old", "kb"), ("new", "kf")):
        Path(side).mkdir(exist_ok=True)
        with Path(side, f"{name}.csv").open("w") as file:
            rows = csv.writer(file)
            rows.writerow(["id", "gold", "prediction"])
            for at, cell in enumerate(cells):
                gold, other = "yn" if at % 2 else "ny"
                rows.writerow([f"x{at}", gold, gold if cell in right else other])


def policy(suites: dict[str, Any], **more: Any) -> None:
    Path("policy.yaml").write_text(yaml.safe_dump({"suites": suites, **more}))


def released(command: Command, *options: str) -> Ended:
    return command(
        "release", "policy.yaml", "old", "new", "--out", "r", "--no-cache", *options
    )


def content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("r", "release.json").read_bytes())
    return found


def verdict_of(name: str) -> str:
    return next(str(s["verdict"]) for s in content()["suites"] if s["name"] == name)


def test_a_sound_release_passes(command: Command) -> None:
    for name in ("one", "two"):
        pair(name, GOOD)
    policy({"one": {"tier": "critical", **LIMIT}, "two": LIMIT})

    assert released(command).code == 0
    assert content()["verdict"] == "pass"


def test_easy_suites_do_not_outweigh_a_bad_one(command: Command) -> None:
    pair("bad", BAD)
    easy = {f"easy{at}": LIMIT for at in range(10)}
    for name in easy:
        pair(name, GOOD)
    policy({"bad": {"tier": "critical", **LIMIT}, **easy})

    assert released(command).code == 1
    assert content()["decision"]["failed"] == ["bad"]


def test_easy_suites_do_not_make_a_limit_easier_to_prove(command: Command) -> None:
    pair("near", NEAR)
    policy({"near": LIMIT})
    alone = released(command).code
    easy = {f"easy{at}": LIMIT for at in range(6)}
    for name in easy:
        pair(name, GOOD)
    policy({"near": LIMIT, **easy})

    assert released(command, "--overwrite").code >= alone
    (gate,) = next(s for s in content()["suites"] if s["name"] == "near")["gates"]
    assert gate["alpha"] <= 0.05


def test_only_advisory_suites_decide_nothing(command: Command) -> None:
    pair("bad", BAD)
    policy({"bad": {"tier": "advisory", **LIMIT}})

    ended = released(command)

    assert ended.code == 2
    assert "all advisory" in ended.said


def test_an_advisory_failure_is_told(command: Command) -> None:
    pair("bad", BAD)
    pair("good", GOOD)
    policy({"bad": {"tier": "advisory", **LIMIT}, "good": LIMIT})

    ended = released(command)

    assert ended.code == 0
    assert "Advisory, without a say: bad" in ended.said
    assert verdict_of("bad") == "fail"


def test_advisory_suites_take_no_share_of_the_allowed_error(command: Command) -> None:
    pair("good", GOOD)
    pair("small", "k" * 20)
    policy({"good": LIMIT, "small": {"tier": "advisory", **LIMIT}})
    released(command)
    (gate,) = content()["suites"][0]["gates"]

    assert gate["alpha"] == 0.05


@pytest.mark.parametrize("side", ["old", "new"])
def test_an_empty_suite_does_not_pass(command: Command, side: str) -> None:
    pair("good", GOOD)
    pair("empty", "k")
    Path(side, "empty.csv").write_text("id,gold,prediction\n")
    policy({"good": LIMIT, "empty": LIMIT})

    assert released(command).code in (2, 4)
    assert content()["verdict"] == "blocked"


def test_a_tiny_suite_is_inconclusive(command: Command) -> None:
    pair("good", GOOD)
    pair("tiny", "kkk")
    policy({"good": LIMIT, "tiny": LIMIT})

    assert released(command).code == 3


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_required_suite_that_is_missing_blocks(command: Command, side: str) -> None:
    pair("good", GOOD)
    pair("gone", GOOD)
    Path(side, "gone.csv").unlink()
    policy({"good": LIMIT, "gone": LIMIT})

    ended = released(command)

    assert ended.code == 4
    assert "gone is missing" in ended.said
    assert verdict_of("good") == "pass"


def test_a_failure_stays_one_whatever_is_missing(command: Command) -> None:
    pair("bad", BAD)
    policy({"bad": LIMIT, "gone": LIMIT})

    assert released(command).code == 1


def test_a_suite_that_may_be_missing_may_not_be_damaged(command: Command) -> None:
    pair("good", GOOD)
    pair("odd", GOOD)
    Path("new", "odd.csv").write_text("id,gold,prediction\nx0,n,n\n")
    policy({"good": LIMIT, "odd": {"required": False, **LIMIT}})

    assert released(command).code == 4


def test_a_relative_limit_proves_nothing_where_old_has_nothing(
    command: Command,
) -> None:
    pair("zero", "m" * 500)
    policy({"zero": {"relative_drop": 0.02}})

    assert released(command).code == 3


@pytest.mark.parametrize("quantity", ["pooled_accuracy_change", "mean_accuracy_change"])
def test_pooling_does_not_hide_a_bad_suite(command: Command, quantity: str) -> None:
    pair("bad", BAD)
    for at in range(5):
        pair(f"easy{at}", GOOD)
    policy(
        {"bad": {"tier": "critical", **LIMIT}}
        | {f"easy{at}": LIMIT for at in range(5)},
        pooled=[{"quantity": quantity, "at_least": -0.05}],
    )

    assert released(command).code == 1


def test_a_critical_suite_needs_a_gate_of_its_own(command: Command) -> None:
    pair("bad", BAD)
    pair("good", GOOD)
    policy(
        {"bad": {"tier": "critical"}, "good": {}},
        pooled=[{"quantity": "pooled_accuracy_change", "at_least": -0.05}],
    )

    ended = released(command)

    assert ended.code == 2
    assert "suites.bad: decides, but nothing is demanded" in ended.said


def test_suites_in_which_nothing_could_break_certify_no_pool(command: Command) -> None:
    pair("good", GOOD)
    pair("zero", "m" * 5000)
    policy(
        {"good": {}, "zero": {}}, pooled=[{"quantity": "pooled_nfr", "at_most": 0.01}]
    )

    assert released(command).code == 3
    assert "zero: old has none" in content()["pooled"][0]["reason"]


@pytest.mark.parametrize("test", ["max_drop", "fisher"])
def test_one_suite_that_lost_is_found_among_many(command: Command, test: str) -> None:
    pair("bad", BAD)
    for at in range(5):
        pair(f"easy{at}", GOOD)
    policy(
        {"bad": {}} | {f"easy{at}": {} for at in range(5)}, pooled=[{"quantity": test}]
    )

    assert released(command).code == 1
    assert content()["decision"]["failed"] == [test]


def test_tolerance_spares_as_many_as_it_says(command: Command) -> None:
    pair("bad", BAD)
    pair("good", GOOD)
    policy({"bad": LIMIT, "good": LIMIT}, tolerate=1)
    assert released(command).code == 0
    assert content()["decision"]["tolerated"] == ["bad"]

    pair("worse", BAD)
    policy({"bad": LIMIT, "worse": LIMIT, "good": LIMIT}, tolerate=1)
    assert released(command, "--overwrite").code == 1


def test_a_critical_suite_is_never_tolerated(command: Command) -> None:
    pair("bad", BAD)
    pair("good", GOOD)
    policy({"bad": {"tier": "critical", **LIMIT}, "good": LIMIT}, tolerate=5)

    assert released(command).code == 1


def test_a_part_of_the_examples_passes_nothing(command: Command) -> None:
    pair("good", GOOD)
    policy({"good": LIMIT})

    assert released(command, "--limit", "0.9").code == 3


def test_a_changed_release_is_told(command: Command) -> None:
    pair("bad", BAD)
    policy({"bad": LIMIT})
    assert released(command).code == 1
    assert command("verify", "r").code == 0
    path = Path("r", "release.json")
    path.write_text(path.read_text().replace('"fail"', '"pass"'))

    assert command("verify", "r").code == 1


def test_a_finished_release_is_not_overwritten(command: Command) -> None:
    pair("good", GOOD)
    policy({"good": LIMIT})
    released(command)

    assert released(command).code == 2


def test_a_release_goes_on_where_a_suite_was_mended(command: Command) -> None:
    pair("good", GOOD)
    pair("gone", GOOD)
    kept = Path("new", "gone.csv").read_text()
    Path("new", "gone.csv").unlink()
    policy({"good": LIMIT, "gone": LIMIT})
    assert released(command).code == 4
    Path("new", "gone.csv").write_text(kept)

    ended = released(command)

    assert ended.code == 0
    assert "good: 1,000 examples, as in the earlier release" in ended.said
    assert command("verify", "r").code == 0


def test_a_changed_file_is_read_again(command: Command) -> None:
    pair("good", GOOD)
    policy({"good": LIMIT})
    released(command)
    pair("good", BAD)

    assert released(command, "--overwrite").code == 1


@pytest.mark.parametrize(
    ("rule", "code"),
    [(LIMIT, 2), ({"gates": [{"quantity": "nfr", "at_most": 0.5}]}, 2)],
)
def test_without_gold_no_limit_on_accuracy_is_kept(
    command: Command, rule: dict[str, Any], code: int
) -> None:
    for side in ("old", "new"):
        Path(side).mkdir()
        rows = [f"x{at},{side if at < 9 else 'same'}" for at in range(500)]
        Path(side, "chat.csv").write_text("\n".join(["id,prediction", *rows]))
    policy({"chat": rule})

    assert released(command).code == code
    assert content()["verdict"] == "blocked"


BAD_POLICIES = [
    ("{}", "demands nothing"),
    ("", "demands nothing"),
    ("suites: {}", "names no suite"),
    ("suites: {a: {suite: no-such-suite, max_drop: 0.01}}", "no suite 'no-such-suite'"),
    ("suites: {a: {max_drop: 0.01}, a: {max_drop: 0.02}}", "repeats the key 'a'"),
    ("suites: {a: {tier: criticial, max_drop: 0.01}}", "tier"),
    ("suites: {a: {tier: critical}}", "nothing is demanded"),
    (
        "suites: {a: {tier: critical, relative_drop: 0.01, relative_below: 0.3}}",
        "without a limit",
    ),
    ("suites: {a: {max_drop: 0.01}}\ntolerate: 1", "spares every suite"),
    (
        """
        suites: {a: {max_drop: 0}, b: {tier: advisory}}
        pooled: [{quantity: pooled_nfr, at_most: 0, suites: [a, b]}]""",
        "advisory and has no say",
    ),
    ("suites: {a: {max_drop: .nan}}", "finite"),
    ("suites: {a: {max_drop: '2%'}}", "write 0.02"),
    ("suites: {a: {max_drop: -0.1}}", "max_drop"),
    ("suites: {a: {max_drop: 0.01, gate: 1}}", "did you mean"),
    (
        "suites: {a: {old: a, new: b, max_drop: 0}, b: {old: a, new: b, max_drop: 0}}",
        "compares the same as a",
    ),
    ("suites: {a: {old: x.csv, max_drop: 0.01}}", "names one side"),
    ("suites: {a: {max_drop: 0.01}}\npooled: [{quantity: pooled_f1}]", "quantity"),
    (
        "suites: {a: {max_drop: 0.01}}\npooled: [{quantity: fisher, suites: [b]}]",
        "names no suite of this policy",
    ),
    ("version: 2\nbenchmarks: {a: {}}", "version"),
    ("version: 1\nbenchmarks: {a: {metric: f1}}", "mean_reward"),
]


@pytest.mark.parametrize(
    "rule", [{"max_drop": 5}, {"max_drop": 1}, {"relative_drop": 1}]
)
def test_a_limit_that_nothing_can_break_blocks(
    command: Command, rule: dict[str, Any]
) -> None:
    pair("bad", BAD)
    policy({"bad": rule})

    ended = released(command)

    assert ended.code == 2
    assert content()["verdict"] == "blocked"
    assert "at_most" in ended.said


def test_nothing_is_tolerated_where_nothing_else_passes(command: Command) -> None:
    pair("bad", BAD)
    policy({"bad": LIMIT, "gone": {"required": False, **LIMIT}}, tolerate=1)

    assert released(command).code == 1


def test_suites_that_may_be_missing_may_not_all_be(command: Command) -> None:
    pair("good", GOOD)
    Path("new", "good.csv").unlink()
    policy({"good": {"required": False, **LIMIT}})

    assert released(command).code == 4
    assert content()["verdict"] == "blocked"


def test_copies_of_a_suite_prove_nothing_more(command: Command) -> None:
    for at in range(9):
        pair(f"near{at}", NEAR)
    rules: dict[str, Any] = {f"near{at}": {} for at in range(9)}
    policy(rules, pooled=[{"quantity": "pooled_nfr", "at_most": 0.008}])

    ended = released(command)

    assert ended.code == 3
    assert "near1 holds the answers of near0" in ended.said


def test_what_was_not_judged_is_not_said_to_keep_limits(command: Command) -> None:
    pair("good", GOOD)
    pair("bad", BAD)
    Path("new", "bad.csv").unlink()
    policy({"good": LIMIT, "bad": {"required": False, **LIMIT}})

    assert "1 suite that decides keeps all limits" in released(command).said


@pytest.mark.parametrize(("text", "said"), BAD_POLICIES)
def test_a_policy_that_cannot_be_meant_is_refused(
    command: Command, text: str, said: str
) -> None:
    pair("a", GOOD)
    Path("policy.yaml").write_text(text)

    ended = released(command)

    assert ended.code == 2
    assert said in ended.said
    assert not Path("r").exists()
