"""How little would have to be otherwise for the verdict to be otherwise."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.comparison.alignment import Pairing
from compat_eval.comparison.levels import LevelCells
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.table import Keyed
from compat_eval.core.verdict import Verdict
from compat_eval.gates import GateResult
from compat_eval.metrics.flips import BROKEN, FIXED, MISSED
from compat_eval.stats.proportion import lower_bound, upper_bound

CONFIDENT = 0.9
_MOST_SUSPECTS = 50


def fragility(
    pairing: Pairing,
    cells: LevelCells,
    gates: Sequence[GateResult],
    *,
    envelope: float | None,
) -> dict[str, Any]:
    """Return how fragile the flips and the verdict are, JSON-ready.

    `noise_band` counts flips whose margins both lie inside the envelope that
    an A/A run showed (`None` without one). `labels_to_overturn` is how many gold
    labels would have to be wrong to change the verdict of the NFR gate.
    `suspects` are ids where both models agree, confidently, against gold.
    """
    turned, reason = labels_to_overturn(cells, gates)
    return {
        "noise_band": noise_band(pairing, cells, envelope),
        "labels_to_overturn": turned,
        "reason": reason,
        "suspects": suspects(pairing, cells),
    }


def noise_band(
    pairing: Pairing, cells: LevelCells, envelope: float | None
) -> int | None:
    """Count the flips that may be coin tosses."""
    if envelope is None or not cells.one_unit_an_example:
        return None
    flips = (cells.codes == BROKEN) | (cells.codes == FIXED)
    return int(np.count_nonzero(flips & within(pairing, envelope)))


def within(pairing: Pairing, envelope: float) -> Bools:
    """Return where the margins of both models lie inside the envelope."""
    inside = [side.numbers("margin") <= envelope for side in (pairing.old, pairing.new)]
    return inside[0] & inside[1]


def labels_to_overturn(
    cells: LevelCells, gates: Sequence[GateResult]
) -> tuple[int | None, str | None]:
    """Return how many wrong gold labels would change the NFR gate's verdict.

    A pass is overturned by examples whose gold label should have been old's
    answer: only those whose prediction changed can become broken. A failure is
    overturned by broken examples that should not have counted.
    """
    decided = [
        result
        for result in gates
        if result.gate.quantity == "nfr"
        and result.gate.slice is None
        and result.gate.at_most is not None
        and result.verdict in (Verdict.PASS, Verdict.FAIL)
    ]
    if not decided or not cells.one_unit_an_example or cells.changed is None:
        return None, "no NFR gate of whole examples passed or failed"
    result, limit = decided[0], decided[0].gate.limit
    alpha = result.alpha
    assert alpha is not None
    n, broken = len(cells.codes), int(np.count_nonzero(cells.codes == BROKEN))
    others = (cells.codes == FIXED) | ((cells.codes == MISSED) & cells.changed)
    room = int(np.count_nonzero(others))
    passed = result.verdict is Verdict.PASS
    most = room if passed else broken

    certifies = result.gate.semantics == "certify"

    def overturned(wrong: int) -> bool:
        if passed and certifies:
            return bool(upper_bound(broken + wrong, n, alpha=alpha) > limit)
        if passed:
            return bool(lower_bound(broken + wrong, n, alpha=alpha) > limit)
        return bool(lower_bound(broken - wrong, n, alpha=alpha) <= limit)

    fewest = 1 + bisect_left(range(1, most + 1), 1, key=overturned)
    if fewest > most:
        return None, "no number of wrong labels among the flips would change it"
    return fewest, None


def suspects(pairing: Pairing, cells: LevelCells) -> list[str]:
    """Return ids whose gold label both models contradict, the surest first."""
    sides = (pairing.old, pairing.new)
    if cells.changed is None or not all("score" in side for side in sides):
        return []
    sure = np.fmin(*(side.numbers("score") for side in sides))
    agree = (cells.codes == MISSED) & ~cells.changed & (sure >= CONFIDENT)
    return _ids(pairing.examples, np.flatnonzero(agree), sure)


def _ids(examples: Keyed, rows: Ints, sure: np.ndarray[Any, Any]) -> list[str]:
    order = rows[np.argsort(-sure[rows], kind="stable")][:_MOST_SUSPECTS]
    return [str(i) for i in examples.ids.take(pa.array(order)).to_pylist()]
