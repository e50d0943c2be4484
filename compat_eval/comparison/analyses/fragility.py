"""How little would have to be otherwise for the verdict to be otherwise."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.comparison.update import LevelCells, Update
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.grades import BROKEN, FIXED, MISSED
from compat_eval.core.table import Keyed
from compat_eval.core.verdict import Verdict, worst
from compat_eval.gates import GateResult, holds
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.flips import FLIP_STATISTICS

CONFIDENT = 0.9
_MOST_SUSPECTS = 50


def fragility(
    update: Update, gates: Sequence[GateResult], *, envelope: float | None
) -> dict[str, Any]:
    """Return how fragile the flips and the verdict are, JSON-ready.

    `noise_band` counts flips whose margins both lie inside the envelope that
    an A/A run showed (`None` without one). `labels_to_overturn` is how many wrong
    gold labels are enough to overturn the verdict; `None` where that is not known.
    `suspects` are ids where both models agree, confidently, against gold.
    """
    cells = update.cells[update.levels[0]]
    turned, reason = labels_to_overturn(update, gates)
    return {
        "noise_band": noise_band(update, cells, envelope),
        "labels_to_overturn": turned,
        "reason": reason,
        "suspects": suspects(update, cells),
    }


def noise_band(update: Update, cells: LevelCells, envelope: float | None) -> int | None:
    """Count the flips that may be coin tosses."""
    if envelope is None or not cells.one_unit_an_example:
        return None
    flips = (cells.codes == BROKEN) | (cells.codes == FIXED)
    return int(np.count_nonzero(flips & within(update, envelope)))


def within(update: Update, envelope: float) -> Bools:
    """Return where the margins of both models lie inside the envelope."""
    inside = [side.numbers("margin") <= envelope for side in (update.old, update.new)]
    return inside[0] & inside[1]


def labels_to_overturn(
    update: Update, gates: Sequence[GateResult]
) -> tuple[int | None, str]:
    """Return how many wrong gold labels are enough to overturn the verdict, and why.

    A pass is overturned where one gate's is, by examples whose gold label should have
    been old's answer: those that were fixed, and those that both have wrong with other
    answers. A failure is overturned where every failed gate's is, by broken examples
    whose label should have been new's answer. Each gate is judged anew by its own
    evidence, with clusters and weights, at the level at which it was judged.
    """
    cells = update.cells[update.levels[0]]
    verdict = worst(gate.verdict for gate in gates)
    if verdict not in (Verdict.PASS, Verdict.FAIL):
        return None, "no verdict of pass or fail to overturn"
    if not cells.one_unit_an_example or cells.changed is None:
        return None, "not known: the first level does not judge whole examples"
    decided = [gate for gate in gates if gate.verdict is verdict]
    known = [gate for gate in decided if _of_flips(update, gate)]
    if not known or (verdict is Verdict.FAIL and len(known) < len(decided)):
        return None, "not known for the gates that decided"
    fewest = [_fewest(update, cells, gate) for gate in known]
    return _said(fewest, known, verdict, others=len(decided) - len(known))


def _of_flips(update: Update, result: GateResult) -> bool:
    """Whether a gate limits harm among all examples of the first level."""
    gate = result.gate
    statistic = FLIP_STATISTICS.get(gate.quantity)
    return (
        statistic is not None
        and (statistic.certified or statistic.change_of is not None)
        and (gate.side == "at_most") == (statistic.better == "lower")
        and gate.slice is None
        and not gate.relative
        and gate.level in (None, update.levels[0])
    )


def _said(
    fewest: Sequence[int | None],
    gates: Sequence[GateResult],
    verdict: Verdict,
    *,
    others: int,
) -> tuple[int | None, str]:
    by_gate = list(zip(fewest, (one.gate.quantity for one in gates), strict=True))
    enough = [(number, name) for number, name in by_gate if number is not None]
    passed = verdict is Verdict.PASS
    if not enough or (not passed and len(enough) < len(by_gate)):
        return None, "no number of wrong labels among the flips would change it"
    number, name = (min if passed else max)(enough)
    rest = f" Gates that were not searched: {others}." if others else ""
    return number, f"They are those that matter most to the gate on {name}.{rest}"


def _fewest(update: Update, cells: LevelCells, result: GateResult) -> int | None:
    """Return the fewest wrong labels found that turn one gate's verdict."""
    assert cells.changed is not None
    passed = result.verdict is Verdict.PASS
    at_stake = cells.codes == FIXED if passed else cells.codes == BROKEN
    if passed:
        at_stake = at_stake | ((cells.codes == MISSED) & cells.changed)
    rows = np.flatnonzero(at_stake)

    def turned(order: Ints, number: int) -> bool:
        codes = cells.codes.copy()
        codes[order[:number]] = BROKEN if passed else FIXED
        found = evidence(
            update.recounted(cells.level.name, codes),
            FLIP_STATISTICS[result.gate.quantity],
        )
        return not holds(result, found)

    found = [_first(order, turned) for order in _orders(update, cells, rows)]
    return min((number for number in found if number), default=None)


def _first(order: Ints, turned: Callable[[Ints, int], bool]) -> int | None:
    """Return how many rows of an order are enough; `None` where all are not."""
    low, high = 0, min(1, len(order))
    while not turned(order, high):
        if high == len(order):
            return None
        low, high = high, min(2 * high, len(order))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if turned(order, middle) else (middle, high)
    return high


def _orders(update: Update, cells: LevelCells, rows: Ints) -> list[Ints]:
    """Return orders in which labels could be wrong: the heaviest first.

    With clusters also spread over as many as there are, and all of one cluster first:
    which of them is worst depends on what the clusters hold already.
    """
    weight = np.zeros(len(rows)) if update.weights is None else update.weights[rows]
    fixed = cells.codes[rows] == FIXED
    plain = rows[np.lexsort((~fixed, -weight))]
    if update.clusters is None:
        return [plain]
    cluster = update.clusters[plain]
    _, group, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    by_cluster = np.argsort(group, kind="stable")
    nth = np.empty(len(plain), np.int64)  # among those of its cluster
    starts = np.cumsum(sizes) - sizes
    nth[by_cluster] = np.arange(len(plain)) - np.repeat(starts, sizes)
    spread = plain[np.lexsort((group, nth))]
    together = plain[np.lexsort((nth, group, -sizes[group]))]
    return [spread, together] if update.weights is None else [plain, spread, together]


def suspects(update: Update, cells: LevelCells) -> list[str]:
    """Return ids whose gold label both models contradict, the surest first."""
    sides = (update.old, update.new)
    if cells.changed is None or not all("score" in side for side in sides):
        return []
    sure = np.fmin(*(side.numbers("score") for side in sides))
    agree = (cells.codes == MISSED) & ~cells.changed & (sure >= CONFIDENT)
    return _ids(update.examples, np.flatnonzero(agree), sure)


def _ids(examples: Keyed, rows: Ints, sure: np.ndarray[Any, Any]) -> list[str]:
    order = rows[np.argsort(-sure[rows], kind="stable")][:_MOST_SUSPECTS]
    return [str(i) for i in examples.ids.take(pa.array(order)).to_pylist()]
