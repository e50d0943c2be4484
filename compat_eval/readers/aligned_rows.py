"""Columns that stand side by side: of one length, and of one pandas index."""

from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError, some
from compat_eval.readers.memory import counts_rows, from_memory, index_of, one_column


class AlignedRows:
    """How many rows everything has, and the pandas index that they share."""

    def __init__(self) -> None:
        self._lengths: dict[str, int] = {}
        self._indices: dict[str, Any] = {}
        self.has_columns = False

    def of(self, values: Any, name: str) -> pa.Table | pa.ChunkedArray:  # noqa: ANN401
        """Return values in Arrow's form; note their number and their index."""
        found = from_memory(values, name)
        index = index_of(values)
        if isinstance(found, pa.Table) and "id" in found.column_names:
            return found
        self.has_columns |= not isinstance(found, pa.Table)
        if isinstance(found, pa.Table) and name != "slices":
            _refuse_lone(found, name)
        self._lengths[name] = len(found)
        if index is not None:
            self._indices[name] = index
        return found

    def ids(self, given: Any) -> pa.ChunkedArray | None:  # noqa: ANN401
        """Return the ids of all rows; `None` where rows are only counted.

        Raises:
            DataError: Lengths or indices differ.

        """
        found = None
        if given is not None:
            found = one_column(given, "ids")
            self._lengths["ids"] = len(found)
            if index_of(given) is not None:
                self._indices["ids"] = index_of(given)
        self._require_one_length()
        self._require_one_index()
        if found is not None or not self._indices:
            return found
        name, index = next(iter(self._indices.items()))
        if counts_rows(index):
            return None
        return self._ids_of(index, name)

    def numbers(self) -> pa.ChunkedArray:
        """Return the numbers of the rows."""
        length = max(self._lengths.values(), default=0)
        return pa.chunked_array([pa.array(range(length), pa.int64())])

    def _require_one_length(self) -> None:
        if len({*self._lengths.values()}) > 1:
            said = [f"{name} {n:,}" for name, n in self._lengths.items()]
            raise DataError(
                f"the lengths differ: {some(said, limit=6)}. Row by row all must speak "
                "of the same examples; where some are missing, give tables with a "
                f"column id{self._of_lists()}"
            )
        if 0 in self._lengths.values():
            raise DataError(f"{' and '.join(self._lengths)} hold nothing to compare")

    def _of_lists(self) -> str:
        """Say what lists in a list mean, where they are as many as there is gold."""
        n_runs = sum(name.startswith("old.") for name in self._lengths)
        if n_runs < 2 or n_runs != self._lengths.get("gold"):  # noqa: PLR2004
            return ""
        return (
            ". Lists in a list are training runs; for several answers to each example "
            "give tables, as in pandas.DataFrame({'id': ids, 'prediction': old}), and "
            "task='generation'"
        )

    def _require_one_index(self) -> None:
        if not self._indices:
            return
        (first, index), *others = self._indices.items()
        for name, other in others:
            if index.equals(other):
                continue
            at = next(
                i for i, (a, b) in enumerate(zip(index, other, strict=True)) if a != b
            )
            cure = "give both the same index"
            if {*index} == {*other}:
                cure = f"bring them into one order, as in {name}.loc[{first}.index]"
            raise DataError(
                f"{first} and {name} have different indices (at row {at}: "
                f"{index[at]!r} and {other[at]!r}); {cure}, or, where the rows "
                "correspond one by one, drop both with .reset_index(drop=True)"
            )

    @staticmethod
    def _ids_of(index: Any, name: str) -> pa.ChunkedArray:  # noqa: ANN401
        if index.has_duplicates:
            twice = index[index.duplicated()][0]
            raise DataError(
                f"the index of {name} holds {twice!r} several times, so it names no "
                "examples; give ids=…, or drop it with .reset_index(drop=True)"
            )
        if getattr(index, "nlevels", 1) > 1:
            raise DataError(
                f"the index of {name} has {index.nlevels} levels; give ids=…, or drop "
                "it with .reset_index(drop=True)"
            )
        if index.inferred_type.startswith("datetime"):
            index = index.astype(str)
        return one_column(index, f"the index of {name}")


def _refuse_lone(table: pa.Table, name: str) -> None:
    """Refuse a table of one column that has no name of ours: is it that column?"""
    if table.column_names not in ([], ["prediction"], ["gold"], ["correct"]) and (
        table.num_columns == 1
    ):
        only = table.column_names[0]
        raise DataError(
            f"{name} is a table with the one column {only!r}; give the column itself, "
            f"as in table[{only!r}]"
        )
