"""Gates that could not have failed must not pass."""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import judged
from tests.trust.conftest import CASES, Command

Gates = list[dict[str, Any]]


def sides(cells: str, *, clusters: int | None = None, weights: str = "") -> None:
    """Write old.csv and new.csv with a letter an example.

    Args:
        cells: k(ept), b(roken), f(ixed) or m(issed) of each example.
        clusters: How many clusters the examples are dealt to, in turn.
        weights: A digit an example.

    """
    for name, right in (("old", "kb"), ("new", "kf")):
        with Path(f"{name}.csv").open("w") as file:
            rows = csv.writer(file)
            further = (["cluster"] if clusters else []) + (
                ["weight"] if weights else []
            )
            rows.writerow(["id", "gold", "prediction", "part", *further])
            for at, cell in enumerate(cells):
                gold, other = "yn" if at % 2 else "ny"
                answer = gold if cell in right else other
                more: list[object] = [f"c{at % clusters}"] if clusters else []
                more += [weights[at]] if weights else []
                part = "often" if at else "rare"
                rows.writerow([f"x{at}", gold, answer, part, *more])


def gates(*asked: dict[str, Any]) -> str:
    """Write gates.yaml, with the protected ids among them where they belong."""
    ids = [name for gate in asked for name in gate.get("ids", [])]
    limited = [gate for gate in asked if "ids" not in gate]
    written = {"gates": limited, "protected": {"ids": ids}}
    if not ids or not limited:
        del written["gates" if ids else "protected"]
    Path("gates.yaml").write_text(json.dumps(written))
    return "gates.yaml"


DETECT = {"quantity": "nfr", "at_most": 0.5, "semantics": "detect"}
ACCURACY = {"quantity": "accuracy_new", "at_least": 0.8}
NO_LOSS = {"quantity": "accuracy_change", "at_least": 0}


def several(number: int) -> Gates:
    return [{**DETECT, "at_most": 0.5 + at / 1000} for at in range(number)]


ATTACKS: dict[str, tuple[str, int | None, Gates]] = {
    "three examples and a coin": ("kkk", None, [DETECT]),
    "one example": ("k", None, [ACCURACY]),
    "four examples and no loss": ("kkkk", None, [NO_LOSS]),
    "old right three times in a hundred": (
        "kkk" + "m" * 97,
        None,
        [{**DETECT, "at_most": 0.05}],
    ),
    "nothing can be fixed": (
        "k" * 100,
        None,
        [{"quantity": "pfr", "at_most": 0.05, "semantics": "detect"}],
    ),
    "enough for one gate but not for eight": (
        "kkkkkk",
        None,
        [{**DETECT, "at_most": 0.5 + at / 100} for at in range(8)],
    ),
    "no error of new to share": (
        "k" * 99 + "f",
        None,
        [{"quantity": "nfi", "at_most": 0.1, "semantics": "detect"}],
    ),
    "old never right, kept share": (
        "f" * 20 + "m" * 80,
        None,
        [{"quantity": "btc", "at_least": 0.9, "semantics": "detect"}],
    ),
    "old never right, relative loss": (
        "f" * 20 + "m" * 80,
        None,
        [{"quantity": "accuracy_change", "at_least": -0.1, "relative": True}],
    ),
    "nothing moves a metric": (
        "k" * 90 + "m" * 10,
        None,
        [{"loss": {"of": "macro_f1", "at_most": 0.01}}],
    ),
    "protected examples that old has wrong": (
        "mf" + "k" * 98,
        None,
        [{"ids": ["x0", "x1"]}],
    ),
    "a slice of one example": (
        "k" * 100,
        None,
        [{**ACCURACY, "slice": "part=rare"}],
    ),
    "metric of one cluster": (
        "k" * 90 + "m" * 10,
        1,
        [{"loss": {"of": "macro_f1", "at_most": 0.01}}],
    ),
    **{
        f"metric of {clusters} clusters, {number} gates": (
            ("k" * 8 + "bfmk") * 30,
            clusters,
            [
                {"loss": {"of": "macro_f1", "at_most": 0.3 + at / 1000}}
                for at in range(number)
            ],
        )
        for clusters, number in ((3, 1), (5, 3), (7, 5), (11, 10))
    },
    "one cluster": ("k" * 100, 1, [NO_LOSS]),
    "four clusters": ("k" * 400, 4, several(1)),
    "five clusters, three gates": ("k" * 300, 5, several(3)),
    "six clusters, five gates": ("k" * 300, 6, several(5)),
    "seven clusters, ten gates": ("k" * 350, 7, several(10)),
    "eight clusters, twenty gates": ("k" * 360, 8, several(20)),
    "two clusters, of which one broke": ("b" * 50 + "k" * 50, 2, [NO_LOSS]),
    "one cluster holds all of new's errors": (
        "mm" + "k" * 198,
        100,
        [{"quantity": "nfi", "at_most": 0.5, "semantics": "detect"}],
    ),
}


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_a_gate_that_could_not_fail_does_not_pass(
    attack: str, compare: Command
) -> None:
    cells, clusters, asked = ATTACKS[attack]
    sides(cells, clusters=clusters)

    ended = compare("old.csv", "new.csv", "--gates", gates(*asked))

    assert not ended.passed, attack
    assert ended.code in (1, 3)
    for gate in ended.comparison()["gates"]:
        assert gate["verdict"] != "pass"
        said = ("cannot detect", "undefined", "none could break")
        assert any(reason in gate["reason"] for reason in said)


@pytest.mark.parametrize(
    ("cells", "clusters", "asked"),
    [
        ("k" * 100, None, [NO_LOSS, ACCURACY, {**DETECT, "at_most": 0.05}]),
        ("k" * 398 + "bf", 40, [NO_LOSS, ACCURACY, {**DETECT, "at_most": 0.05}]),
        ("k" * 400, 40, several(20)),
        (
            ("k" * 8 + "bfmk") * 30,
            19,
            [
                {"loss": {"of": "macro_f1", "at_most": 0.3 + at / 100}}
                for at in range(9)
            ],
        ),
    ],
)
def test_a_sound_update_still_passes(
    cells: str, clusters: int | None, asked: Sequence[dict[str, Any]], compare: Command
) -> None:
    sides(cells, clusters=clusters)

    ended = compare("old.csv", "new.csv", "--gates", gates(*asked))

    assert ended.passed
    for gate in ended.comparison()["gates"]:
        assert "is not proven: " in gate["reason"]
        assert gate["detectable"] is not None


def test_four_clusters_prove_nothing_even_where_most_broke(compare: Command) -> None:
    """Of each cluster 70 to 90 % broke; bounds are known to hold from five on."""
    folder = CASES / "statistics"
    ended = compare(
        folder / "det4_70_old.csv",
        folder / "det4_70_new.csv",
        "--gates",
        folder / "det.yaml",
    )

    assert ended.code == 3
    for gate in ended.comparison()["gates"]:
        assert gate["verdict"] == "inconclusive"
        assert "cannot detect a breach" in gate["reason"]


def test_every_end_that_is_missing_has_its_reason(compare: Command) -> None:
    folder = CASES / "statistics"
    ended = compare(folder / "half_old.csv", folder / "half_new.csv")
    level = judged(ended.comparison())["levels"]["example"]

    for name, estimate in level["statistics"].items():
        for end, said in (("low", "lower"), ("high", "upper")):
            if estimate[end] is None:
                reason = estimate["reason"] or ""
                assert "no interval" in reason or f"no {said}" in reason, name


NOISY = CASES / "statistics"


@pytest.fixture
def noisy(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put models in reach whose answers depend on the batch, and their suite."""
    monkeypatch.syspath_prepend(str(NOISY))
    for name in ("q.csv", "sq.yaml", "noisy.py"):
        shutil.copy(NOISY / name, here)


@pytest.mark.usefixtures("noisy")
def test_noise_of_old_takes_no_proven_failure_back(compare: Command) -> None:
    gate = gates({**DETECT, "at_most": 0.005}, {"quantity": "nfr", "at_most": 0.005})
    ended = compare(
        "python:noisy:old",
        "python:noisy:bad",
        *("--suite", "sq.yaml", "--gates", gate, "--aa", "--trust-remote-code"),
    )

    assert ended.code == 1
    assert [g["verdict"] for g in ended.comparison()["gates"]] == ["fail", "fail"]


@pytest.mark.usefixtures("noisy")
@pytest.mark.parametrize(
    "gate",
    [
        {**DETECT, "at_most": 0.005},
        {"quantity": "churn", "at_most": 0.02},
        {"quantity": "btc", "at_least": 0.995, "semantics": "detect"},
    ],
)
def test_a_limit_within_the_noise_of_old_does_not_pass(
    gate: dict[str, Any], compare: Command
) -> None:
    """The first run of `old` has the answers of `new`; a second one flips 17."""
    ended = compare(
        "python:noisy:old",
        "python:noisy:old",
        *("--suite", "sq.yaml", "--gates", gates(gate), "--aa", "--trust-remote-code"),
    )

    (found,) = ended.comparison()["gates"]
    assert not ended.passed
    assert "lies within the noise" in found["reason"]
    floor = found["noise_floor"]
    assert floor["n"] == 60  # clusters
    assert floor["low"] < floor["value"] < floor["high"]


def test_one_wrong_label_of_weight_is_said_to_overturn_a_pass(compare: Command) -> None:
    """Nine parts of 209: were its label old's answer, 4 % had broken."""
    sides("f" + "k" * 200, weights="9" + "1" * 200)
    gate = gates({"quantity": "nfr", "at_most": 0.1})

    ended = compare("old.csv", "new.csv", "--gates", gate)

    assert ended.passed
    assert (
        judged(ended.comparison())["analyses"]["fragility"]["labels_to_overturn"] == 1
    )
    sides("b" + "k" * 200, weights="9" + "1" * 200)
    assert not compare("old.csv", "new.csv", "--gates", gate).passed


def test_a_limit_in_percent_is_the_fraction_that_it_stands_for(
    compare: Command,
) -> None:
    rows = [f"{i},{'b' if i < 9 else 'a'},a" for i in range(300)]
    text = "\n".join(["id,prediction,gold", *rows])
    Path("old.csv").write_text(text.replace(",b,", ",a,"), "utf-8")
    Path("new.csv").write_text(text, "utf-8")
    found = {}
    for limit in ("2%", "0.02", "10 %", "0.1"):
        Path("g.yaml").write_text(
            f"gates: [{{quantity: nfr, at_most: {limit}}}]", "utf-8"
        )
        ended = compare("old.csv", "new.csv", "--gates", "g.yaml")
        found[limit] = ended.code, ended.comparison()["gates"]

    assert found["2%"] == found["0.02"]
    assert found["10 %"] == found["0.1"]
    assert (found["2%"][0], found["10 %"][0]) == (3, 0)
