"""The answers of a run as they come together: stored ones and new ones."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.runner.answers import joined, tidy
from compat_eval.runner.inputs import Inputs
from compat_eval.runner.store import Store


@dataclass(slots=True)
class Gathered:
    """The answers so far to distinct inputs.

    Attributes:
        asked: The inputs.
        store: Where answers come from and go to; `None` for nowhere.
        retry: Whether a stored error is no answer.

    """

    asked: Inputs
    store: Store | None
    retry: bool
    tables: list[pa.Table] = field(default_factory=list)
    rows: Ints = field(init=False)
    n_rows: int = 0

    def __post_init__(self) -> None:
        self.rows = np.full(len(self.asked), -1, np.int64)
        if self.store is not None and len(self.asked):
            stored, at = self.store.lookup(self.asked.keys, errors=not self.retry)
            self.rows = np.where(at >= 0, at, -1)
            self._keep(stored)

    @property
    def there(self) -> Bools:
        """Which inputs have an answer; shape (n_inputs,)."""
        return self.rows >= 0

    def add(self, batch: Ints, table: pa.Table, lasting: Bools) -> None:
        """Take up new answers, and store those that last; an old answer stays."""
        new = self.rows[batch] < 0
        stored = new & lasting
        if self.store is not None and stored.any():
            keys = self.asked.keys.take(pa.array(batch[stored]))
            self.store.append(keys, table if stored.all() else table.filter(stored))
        self.rows[batch[new]] = self.n_rows + np.flatnonzero(new)
        self._keep(table)

    def of(self, examples: Examples, share: Bools) -> Predictions:
        """Return the answers of the examples whose input is in the share."""
        chosen = share[self.asked.codes]
        rows = pa.array(self.rows[self.asked.codes[chosen]])
        found = joined(self.tables) if self.tables else _NOTHING
        ids = examples.ids.filter(pa.array(chosen))
        return Predictions(tidy(found.take(rows).append_column("id", ids)))

    def _keep(self, table: pa.Table) -> None:
        if table.num_rows:
            self.tables.append(table)
            self.n_rows += table.num_rows


_NOTHING = pa.table({"prediction": pa.array([], pa.string())})
