"""A comparison as a pandas table, one row an example."""

from typing import TYPE_CHECKING

import numpy as np

from compat_eval.comparison.levels import cells_by_level
from compat_eval.statistics.families.flips import CELLS
from compat_eval.tasks import task as task_of

if TYPE_CHECKING:
    import pandas  # noqa: ICN001 - the name of the type

    from compat_eval.comparison.result import TaskComparison


def frame(compared: "TaskComparison", level: str) -> "pandas.DataFrame":
    """Return examples, both answers and the cell of each; see `Comparison`."""
    pairing = compared.pairing
    table = pairing.examples.table
    for name, side in (("old", pairing.old), ("new", pairing.new)):
        for column in side.table.column_names:
            if column != "id":
                label = name if column == "prediction" else f"{name}_{column}"
                table = table.append_column(label, side.column(column))
    found = table.to_pandas()
    cells = cells_by_level(task_of(compared.kind), pairing, [level])[level]
    if cells.one_unit_an_example:
        found["cell"] = np.array(CELLS)[cells.codes]
    indexed: pandas.DataFrame = found.set_index("id")
    return indexed
