"""Chains of versions and several training runs a side, counted by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import CoverageError, UsageError
from compat_eval.core.recorded import Recorded
from compat_eval.core.verdict import Verdict
from compat_eval.report.render import render
from compat_eval.report.results import read_results
from compat_eval.report.sections.versions import versions
from compat_eval.runs.directory import read_run
from compat_eval.workflows.options import Options
from compat_eval.workflows.run import compare, compare_and_write
from compat_eval.workflows.verify import verify
from tests.fakes import recorded

N = 40
IDS = [f"e{i}" for i in range(N)]


def side(name: str, right: Callable[[int], bool], **columns: Any) -> Recorded:
    """Return a file whose answers are right where a number says so."""
    said = ["x" if right(i) else "y" for i in range(N)]
    given = {"gold": ["x"] * N, **columns}
    return recorded(name, ids=IDS, prediction=said, **given)


# v1 lacks 0–9, v2 lacks 5–14, v3 lacks 20–24: of v1's thirty, five break with v2.
V1 = side("v1", lambda i: i >= 10)
V2 = side("v2", lambda i: not 5 <= i < 15)
V3 = side("v3", lambda i: not 20 <= i < 25)


def broken(found: Any) -> dict[tuple[str, str], int]:
    return {
        (one.old, one.new): one.levels["example"].counts["broken"]
        for one in found.tasks[0].updates
    }


def test_every_version_is_compared_with_every_later_one() -> None:
    found = compare(V1, V2, V3)

    assert broken(found) == {("v1", "v3"): 5, ("v1", "v2"): 5, ("v2", "v3"): 5}
    assert set(found.coverage) == {"v1", "v2", "v3"}
    assert found.notes[0].startswith("Gates judge v1 → v3")


def test_gates_judge_the_first_version_against_the_last(tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("gates: [{quantity: nfr, at_most: 0.01, semantics: detect}]")
    worse = side("v2", lambda i: i == 0)

    assert compare(V1, worse, V1, gates=gates).gates[0].estimate.value == 0
    assert compare(V1, V1, worse, gates=gates).verdict is Verdict.FAIL


def test_versions_in_between_change_no_gate(tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text(
        "gates: [{quantity: nfr, at_most: 0.3},"
        " {loss: {of: accuracy, at_most: 0.1}, semantics: certify}]"
    )

    alone = compare(V1, V3, gates=gates).gates
    among = compare(V1, V2, V2, V3, gates=gates).gates

    assert among == alone


def test_two_sides_stay_old_and_new() -> None:
    (only,) = compare(V1, V2).tasks[0].updates

    assert (only.old, only.new) == ("old", "new")


def test_counts_of_training_runs_are_added_and_examples_are_clusters() -> None:
    runs = [side("b1", lambda i: i >= 2), side("b2", lambda i: i != 39)]
    found = compare([V1, V2], runs)

    level = found.judged.levels["example"]
    pairs = [
        one.levels["example"].counts["broken"] for one in found.tasks[0].updates[1:]
    ]
    # v1 right: 10–39, v2 right: 0–4, 15–39; wrong: b1 at 0, 1 and b2 at 39.
    assert pairs == [0, 1, 2, 1]
    assert level.counts["broken"] == sum(pairs)
    assert level.units == 4 * N
    assert level.clusters == N
    spread = found.judged.analyses["seed_spread"]["example"]["nfr"]
    assert spread["lowest"] == 0
    assert spread["highest"] == pytest.approx(2 / N)
    values = {
        (one.old, one.new): one.levels["example"].statistics["nfr"].value
        for one in found.tasks[0].updates[1:]
    }
    (a, b), (c, d) = (
        (values["old.1", "new.1"], values["old.2", "new.2"]),
        (values["old.1", "new.2"], values["old.2", "new.1"]),
    )
    variance = ((a - b) ** 2 + (c - d) ** 2) / 4  # of pairs that share no run
    assert spread["deviation"] == pytest.approx(variance**0.5)


def test_a_training_run_given_twice_proves_no_more_and_is_told() -> None:
    once, twice = compare(V1, V3), compare([V1], [V3, V3])

    assert any("new.1, new.2 have the same content" in one for one in twice.notes)
    for name in ("nfr", "accuracy_change"):
        few = once.judged.levels["example"].statistics[name]
        many = twice.judged.levels["example"].statistics[name]
        assert many.value == pytest.approx(few.value)
        assert many.high - many.low >= 0.9 * (few.high - few.low)


@pytest.mark.parametrize(
    "sides", [((V1, V2), (V3,), ()), ((V1,), (V2,), (V3,))], ids=["runs", "chain"]
)
def test_a_run_directory_is_verified_and_shown(
    sides: tuple[tuple[Recorded, ...], ...], tmp_path: Path
) -> None:
    old, new, later = (list(one) for one in sides)
    options = Options()
    out = tmp_path / "r"

    compare_and_write(
        old if len(old) > 1 else old[0],
        new[0],
        options,
        later=later,
        render=render,
        out=out,
    )

    run = read_run(out)
    assert verify(run) == []
    files = {path.stem for path in (out / "predictions").iterdir()}
    assert files == set(run.comparison["coverage"])
    found = versions(read_results(run))
    assert found is not None
    assert found.rows[0].name.startswith("keep ")
    assert bool(found.matrix) == bool(later)
    assert "Versions and training runs" in (out / "summary.md").read_text("utf-8")


def test_protected_examples_are_protected_in_every_pair(tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("protected: {ids: [e39]}")

    found = compare(V1, [V1, side("b2", lambda i: i != 39)], gates=gates)

    assert found.verdict is Verdict.FAIL
    assert "e39 · old.1 → new.2" in found.gates[0].reason


def test_a_version_between_cannot_change_what_is_asked() -> None:
    other = side("v2", lambda _: True, gold=["y", *["x"] * (N - 1)])

    with pytest.raises(CoverageError, match="gold differs for 1"):
        compare(V1, other, V3)


def test_a_version_between_must_answer_the_same_examples() -> None:
    fewer = recorded("v2", ids=IDS[1:], prediction=["x"] * (N - 1))

    with pytest.raises(CoverageError, match=r"v2 lacks 1 \(e0\)"):
        compare(V1, fewer, V3)


@pytest.mark.parametrize("options", [{"aa": True}, {"on_mismatch": "drop"}])
def test_what_needs_two_sides_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="needs one OLD and one NEW; got 3"):
        compare(V1, V2, V3, **options)


def test_versions_and_training_runs_do_not_go_together() -> None:
    with pytest.raises(UsageError, match="give --old and --new"):
        compare([V1, V2], V3, V3)
