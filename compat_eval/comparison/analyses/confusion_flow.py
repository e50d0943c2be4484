"""Where broken examples went: from the gold label to which other one."""

from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Bools
from compat_eval.core.text import clipped

_LONGEST = 50
_MOST_CHARACTERS = 200


def confusion_flow(update: Update, broken: Bools) -> tuple[list[dict[str, Any]], int]:
    """Group broken examples by gold label and both answers, the largest first.

    Returns:
        At most fifty groups, and how many broken examples are in the others. No
        groups where answers are no labels. Long answers are cut, with a mark.

    """
    sides = update.old, update.new
    if not all("prediction" in side for side in sides):
        return [], 0
    columns = [side.column("prediction") for side in sides]
    if "gold" in update.examples:
        columns.append(update.examples.column("gold"))
    if any(pa.types.is_nested(one.type) for one in columns):
        return [], 0  # trees, scores and the like flow from nowhere to nowhere
    table = pa.table(
        {
            "gold": _text(update.examples.column("gold"))
            if "gold" in update.examples
            else pa.nulls(len(broken), pa.string()),
            "old": _text(update.old.column("prediction")),
            "new": _text(update.new.column("prediction")),
        }
    ).filter(pa.array(broken))
    keys = ["gold", "old", "new"]
    groups = table.group_by(keys).aggregate([([], "count_all")])
    order = [("count_all", "descending"), *((key, "ascending") for key in keys)]
    rows = groups.sort_by(order).to_pylist()
    shown = [
        {**{key: _cut(row[key]) for key in keys}, "count": row["count_all"]}
        for row in rows[:_LONGEST]
    ]
    return shown, int(np.count_nonzero(broken)) - sum(row["count"] for row in shown)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _cut(answer: str | None) -> str | None:
    return None if answer is None else clipped(answer, _MOST_CHARACTERS)
