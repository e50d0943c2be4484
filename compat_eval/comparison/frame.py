"""A comparison as a pandas table, one row an example."""

from typing import TYPE_CHECKING

import numpy as np

from compat_eval.comparison.update import Update
from compat_eval.core.grades import CELLS

if TYPE_CHECKING:
    import pandas  # noqa: ICN001 - the name of the type


def frame(update: Update) -> "pandas.DataFrame":
    """Return examples, both answers and the cell of each; see `Comparison`."""
    table = update.examples.table
    for name, side in (("old", update.old), ("new", update.new)):
        for column in side.table.column_names:
            if column != "id":
                label = name if column == "prediction" else f"{name}_{column}"
                table = table.append_column(label, side.column(column))
    found = table.to_pandas()
    cells = update.cells[update.levels[0]]
    if cells.one_unit_an_example:
        found["cell"] = np.array(CELLS)[cells.codes]
    indexed: pandas.DataFrame = found.set_index("id")
    return indexed
