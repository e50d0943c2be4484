"""The upgrade matrix on the page: numbers beside tints, and which documents moved."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compat_eval.comparison.compare import ComparedRoles, compare_panel
from compat_eval.comparison.index_matrix.roles import IndexRoles
from compat_eval.gates import Demands
from compat_eval.report.html import render_html
from compat_eval.report.markdown import render_markdown
from compat_eval.report.numbers import SPACE
from compat_eval.report.results import Results, read_results
from compat_eval.report.section import ReportedRun
from compat_eval.report.sections.matrix import index_matrix_view
from compat_eval.runs.directory import Run
from compat_eval.workflows.manifest import facts_of, stored
from tests.unit.comparison.index_matrix.searched import searched_panel

pytest.importorskip("ir_measures")

RIGHT = [("r", 0.9), ("w", 0.5)]
WRONG = [("w", 0.8), ("r", 0.4)]
ROLES = {
    "old": [*[RIGHT] * 6, *[WRONG] * 4],
    "new": [RIGHT] * 10,
    "new/old": [WRONG] * 10,
}


@pytest.fixture
def results() -> Results:
    panel = searched_panel([["r"]] * 10, ROLES)
    index = IndexRoles(
        versions=("old", "new"), n_documents=2, left_out={"old/new": "it is too wide"}
    )
    roles = ComparedRoles(others=(("old", "new/old"),), index=index)
    content = compare_panel(panel, demands=Demands(), roles=roles).to_dict()
    manifest = {
        "roles": {role: {"reference": role} for role in ROLES},
        "suite": None,
        "task": {"kind": "retrieval", "options": {"k": "1"}},
        "facts": facts_of(content),
        "created": datetime.now(UTC).isoformat(),
    }
    run = Run(
        path=Path("run"),
        comparison=content,
        manifest=manifest,
        examples=panel.examples,
        answers={role: stored(panel, role) for role in panel.answers},
    )
    return read_results(run)


def test_every_cell_has_its_number_beside_its_tint(results: Results) -> None:
    view = index_matrix_view(results)
    assert view is not None

    main = view.maps[0]
    values = [cell.value.replace(SPACE, " ") for cell in main.cells]
    assert values == ["60.0 %", "–", "0.0 %", "100.0 %"]
    tints = [float(cell.shade) for cell in main.cells]
    assert tints[1] < tints[2] < tints[0] < tints[3]
    assert main.cells[2].mark == "✗ refuted"
    assert f"queries of new on the index of old: 0.0{SPACE}%" in main.text


def test_documents_that_left_and_entered_stand_beside_the_query(
    results: Results,
) -> None:
    view = index_matrix_view(results)
    assert view is not None

    assert view.flipped.startswith("6 queries find")
    assert len(view.flips) == 6
    assert (view.flips[0].query, view.flips[0].left) == ("q0", "r ★")
    assert view.flips[0].entered == "w"


def test_the_summary_has_the_matrix_as_a_table(results: Results) -> None:
    said = render_markdown(ReportedRun.of(results)).decode()

    assert f"| `new` | 0.0{SPACE}%" in said
    assert "old/new is left out: it is too wide" in said.replace("\\", "")


def test_the_page_draws_it(results: Results) -> None:
    page = render_html(ReportedRun.of(results)).decode()

    assert 'id="matrix"' in page
    assert "Queries of new find less on the index of old" in page
