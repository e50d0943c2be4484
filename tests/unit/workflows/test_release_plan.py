"""Which suites of a policy are compared, of folders that hold many tasks."""

from pathlib import Path

import pytest

from compat_eval.suite.policy import load_policy
from compat_eval.workflows.options import Options
from compat_eval.workflows.release_plan import PlannedSuite, planned

POLICY = """
suites:
  mmlu_law: {tier: critical, max_drop: 0.01}
  "mmlu_*": {max_drop: 0.05}
  "gsm*": {max_drop: 0.02}
"""


@pytest.fixture
def found(tmp_path: Path) -> dict[str, PlannedSuite]:
    for side in ("old", "new"):
        (tmp_path / side).mkdir()
        for name in ("mmlu_law", "mmlu_maths", "arc", f"mmlu_only_{side}"):
            rows = "id,gold,prediction\n1,y,y\n"
            (tmp_path / side / f"{name}.csv").write_text(rows, "utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, "utf-8")
    suites, notes = planned(
        load_policy(tmp_path / "policy.yaml"),
        Options(),
        old=str(tmp_path / "old"),
        new=str(tmp_path / "new"),
    )
    assert notes == ("arc in OLD and NEW: not named by the policy, so not compared.",)
    return {one.name: one for one in suites}


def test_a_name_with_a_star_is_every_task_that_no_other_key_names(
    found: dict[str, PlannedSuite],
) -> None:
    assert [*found] == ["mmlu_law", "mmlu_maths", "mmlu_only_new", "mmlu_only_old",
                        "gsm*"]  # fmt: skip
    assert found["mmlu_law"].rule.tier == "critical"
    assert found["mmlu_maths"].rule.max_drop == 0.05


def test_what_one_side_lacks_and_names_that_fit_nothing_are_missing(
    found: dict[str, PlannedSuite],
) -> None:
    assert found["mmlu_only_new"].missing == "OLD holds no 'mmlu_only_new'"
    assert found["mmlu_only_old"].missing == "NEW holds no 'mmlu_only_old'"
    assert found["gsm*"].missing == "OLD and NEW hold no 'gsm*'"
