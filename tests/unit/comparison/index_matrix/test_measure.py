import pytest

from compat_eval.comparison.index_matrix.measure import index_matrix
from compat_eval.comparison.index_matrix.result import IndexMatrix
from compat_eval.comparison.index_matrix.roles import IndexRoles
from compat_eval.statistics.upgrade_matrix import Compatible
from tests.unit.comparison.index_matrix.searched import Found, searched_panel

pytest.importorskip("ir_measures")

N = 40


def found(n_right: int, score: float = 0.5) -> Found:
    """Rank the right document first for some queries, and second for the others."""
    hits = [[("r", score), ("w", score / 2)]] * n_right
    return [*hits, *[[("w", score), ("r", score / 2)]] * (N - n_right)]


def matrix(**right: int) -> IndexMatrix:
    named = {name.replace("_on_", "/"): found(n) for name, n in right.items()}
    panel = searched_panel([["r"]] * N, named)
    roles = IndexRoles(
        versions=("old", "new"), n_documents=2, paragon="paragon" in right
    )
    return index_matrix(panel, roles, confidence=0.95)


def test_gain_share_and_tax_are_those_of_the_paper() -> None:
    made = matrix(old=20, new=28, new_on_old=24, old_on_new=1, paragon=30)
    pair = made.pair("new", "old")
    assert pair is not None
    main = pair.main

    assert main.measure == "query"
    assert main.gain_points.value == pytest.approx(0.1)
    assert main.update_gain.value == pytest.approx(0.4)  # 4 of the 10 to the paragon
    assert main.tax.value == pytest.approx(0.05)
    assert main.keeping.value == pytest.approx(-0.1)
    assert not main.share_means_little


@pytest.mark.parametrize(
    ("on_old", "decision"),
    [(32, Compatible.CERTIFIED), (20, Compatible.REFUTED), (21, Compatible.UNDECIDED)],
)
def test_compatible_is_what_the_queries_prove(
    on_old: int, decision: Compatible
) -> None:
    made = matrix(
        old=20, new=36, new_on_old=on_old if on_old != 20 else 2, old_on_new=1
    )
    pair = made.pair("new", "old")
    assert pair is not None

    assert pair.main.decision is decision


def test_near_the_paragon_a_share_means_little() -> None:
    made = matrix(old=20, new=21, new_on_old=20, old_on_new=20, paragon=21)
    pair = made.pair("new", "old")
    assert pair is not None

    assert pair.main.share_means_little


def test_every_cell_has_a_value_and_how_far_scores_moved() -> None:
    made = matrix(old=20, new=28, new_on_old=24, old_on_new=1)

    values = {cell.role: cell.values["query"].value for cell in made.cells}
    assert values == {"old": 0.5, "new": 0.7, "new/old": 0.6, "old/new": 0.025}
    assert {cell.score_shift for cell in made.cells} == {0.0}
    assert made.cells[0].cmc == {1: 0.5}


def test_it_is_read_back() -> None:
    made = matrix(old=20, new=28, new_on_old=24, old_on_new=1, paragon=30)

    assert IndexMatrix.from_dict(made.to_dict()).to_dict() == made.to_dict()
