"""Release policies: ours, and those of NeMo Evaluator as they are."""

from pathlib import Path

import pytest

from compat_eval.core.errors import SuiteError
from compat_eval.suite.policy import load_policy

NEL = """
version: 1
defaults:
  tier: supporting
  metric: mean_reward
  direction: higher_is_better
  max_drop: 0.015
benchmarks:
  mmlu_pro: {tier: critical, max_drop: 0.01}
  humaneval: {metric: pass@1}
  aime: {max_relative_drop: 0.02, relative_guard_below: 0.2}
  triviaqa: {tier: advisory}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    return path


def test_defaults_hold_for_suites_that_say_nothing_else(tmp_path: Path) -> None:
    text = "defaults: {max_drop: 0.01, tier: critical}\nsuites: {a: , b: {max_drop: 0}}"

    found = load_policy(written(tmp_path, text))

    assert found.suites["a"].max_drop == 0.01
    assert found.suites["b"].max_drop == 0.0
    assert {rule.tier for rule in found.suites.values()} == {"critical"}


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    text = (
        "suites:\n  a: {tier: hard, max_drop: 0.1}\n  b: {max_drop: '1%'}\ntolerate: -1"
    )

    with pytest.raises(SuiteError) as caught:
        load_policy(written(tmp_path, text))

    said = str(caught.value)
    assert "policy.yaml:2: suites.a.tier" in said
    assert (
        "policy.yaml:3: suites.b.max_drop: must be a number; got '1%'; write 0.01"
        in (said)
    )
    assert "policy.yaml:4: tolerate" in said


def test_a_suite_file_stands_beside_its_policy(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "name: own\ntask: classification\ndata: {test: {file: x.csv}}\n"
        "fields: {input: text, gold: label}\n"
    )
    text = "suites: {a: {suite: own.yaml, max_drop: 0.01}}"

    assert load_policy(written(tmp_path, text)).suites["a"].suite == "own.yaml"


def test_a_suite_without_gates_needs_one_from_the_policy(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "name: own\ntask: classification\ndata: {test: {file: x.csv}}\n"
        "fields: {input: text, gold: label}\n"
    )

    with pytest.raises(SuiteError, match=r"nor suite own\.yaml demands"):
        load_policy(written(tmp_path, "suites: {a: {suite: own.yaml}}"))


def test_a_policy_of_nel_gate_keeps_its_meaning(tmp_path: Path) -> None:
    found = load_policy(written(tmp_path, NEL))

    assert {name: rule.tier for name, rule in found.suites.items()} == {
        "mmlu_pro": "critical",
        "humaneval": "supporting",
        "aime": "supporting",
        "triviaqa": "advisory",
    }
    assert [rule.max_drop for rule in found.suites.values()] == [0.01] + [0.015] * 3
    aime = found.suites["aime"]
    assert (aime.relative_drop, aime.relative_below) == (0.02, 0.2)
    assert not found.suites["triviaqa"].must_be_there
    assert found.others is not None
    assert found.others.max_drop == 0.015
    assert any("more strictly" in note for note in found.notes)


@pytest.mark.parametrize(
    "entry", ["{direction: lower_is_better}", "{max_drop: -1}", "{top: 1}", "7"]
)
def test_a_policy_of_nel_gate_that_cannot_be_judged_is_refused(
    tmp_path: Path, entry: str
) -> None:
    with pytest.raises(SuiteError, match=r"benchmarks\.a"):
        load_policy(written(tmp_path, f"version: 1\nbenchmarks: {{a: {entry}}}"))
