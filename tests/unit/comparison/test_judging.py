"""The worst case against all ways to fill in what nobody knows."""

from itertools import product

import numpy as np
import pytest

from compat_eval.comparison.judging import worst_table
from compat_eval.comparison.update import Update
from compat_eval.statistics.families.flips import FLIP_STATISTICS
from tests.cells import cell_rows
from tests.fakes import examples, predictions, update

ANSWERS = {  # id: (old, new); None is missing, "!" an error
    "kept": ("y", "y"),
    "broken": ("y", "n"),
    "fixed": ("n", "y"),
    "missed": ("n", "n"),
    "old lacks, right": (None, "y"),
    "old lacks, wrong": (None, "n"),
    "new lacks, right": ("y", None),
    "new lacks, wrong": ("n", None),
    "error, right": ("!", "y"),
    "error, wrong": ("!", "n"),
}
WEIGHTS = [1.0, 2.0, 1.5, 0.5, 3.0, 1.0, 2.5, 1.0, 0.7, 1.3]


def answered(answers: dict[str, tuple[str | None, str | None]]) -> Update:
    ids = list(answers)
    asked = examples(id=ids, gold=["y"] * len(ids), weight=WEIGHTS[: len(ids)])
    sides = []
    for at in (0, 1):
        said = {name: pair[at] for name, pair in answers.items() if pair[at]}
        errors = ["boom" if one == "!" else None for one in said.values()]
        sides.append(predictions(id=[*said], prediction=[*said.values()], error=errors))
    return update(asked, sides[0], sides[1], on_missing="bound")


def brute_force(name: str, *, highest: bool, errors: bool) -> float:
    """Return the worst value over all answers that are not known."""
    free = [(None, "!") if errors else (None,), (None,)]
    options = [
        [(True, False) if pair[at] in free[at] else (pair[at] == "y",) for at in (0, 1)]
        for pair in ANSWERS.values()
    ]
    worst = np.nan
    for way in product(*(choice for pair in options for choice in pair)):
        right = np.array(way).reshape(-1, 2)
        totals = np.full(5, np.nan)
        totals[:4] = np.array(WEIGHTS) @ cell_rows(right[:, 0], right[:, 1])
        value = float(FLIP_STATISTICS[name].value(totals))
        worst = np.fmax(worst, value) if highest else np.fmin(worst, value)
    return float(worst)


@pytest.mark.parametrize("errors", [True, False])
@pytest.mark.parametrize("highest", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        *("nfr", "pfr", "nfi", "btc", "bec", "accuracy_old", "accuracy_new"),
        *("accuracy_change", "relative_nfr"),
    ],
)
def test_no_way_to_fill_in_what_is_unknown_is_worse(
    *, name: str, highest: bool, errors: bool
) -> None:
    quantity = FLIP_STATISTICS[name]

    table = worst_table(
        answered(ANSWERS),
        "example",
        None,
        value=quantity.value,
        highest=highest,
        errors=errors,
    )

    expected = brute_force(name, highest=highest, errors=errors)
    assert float(quantity.value(table.totals)) == pytest.approx(expected)


def test_answers_that_nobody_knows_have_changed_or_not_as_is_worse() -> None:
    def churn(*, highest: bool) -> float:
        table = worst_table(
            answered(ANSWERS),
            "example",
            None,
            value=FLIP_STATISTICS["churn"].value,
            highest=highest,
            errors=False,
        )
        return float(FLIP_STATISTICS["churn"].value(table.totals))

    changed = WEIGHTS[1] + WEIGHTS[2] + WEIGHTS[8] + WEIGHTS[9]
    unknown = sum(WEIGHTS[4:8])
    assert churn(highest=False) == pytest.approx(changed / sum(WEIGHTS))
    assert churn(highest=True) == pytest.approx((changed + unknown) / sum(WEIGHTS))
