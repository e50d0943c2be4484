"""Vectors with their ids and their space, and what is refused of them."""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compat_eval.core.arrays import Bools, Values
from compat_eval.core.errors import DataError, some
from compat_eval.vectors.space import Space

UNIT_TOLERANCE = 2e-3
"""How far from 1 a length may be: half-precision numbers of normalised vectors."""

_SHORTEST, _LONGEST = 1e-15, 1e15
"""Products of longer or shorter vectors leave single precision."""

_BLOCK_BYTES = 2**25


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """One vector an id.

    Attributes:
        ids: A text each, all different.
        values: Shape (n, dimension), of floating-point numbers; may be mapped from a
            file.
        space: Which model they are of.

    """

    ids: pa.StringArray
    values: NDArray[Any]
    space: Space

    def __post_init__(self) -> None:
        shape = self.values.shape
        if shape != (len(self.ids), self.space.dimension):
            raise DataError(
                f"expected vectors of shape ({len(self.ids)}, {self.space.dimension}), "
                f"one an id; got {shape}"
            )
        if self.values.dtype.kind != "f":
            raise DataError(f"expected floating-point numbers; got {self.values.dtype}")
        if self.ids.null_count:
            raise DataError(f"{self.ids.null_count} vectors have no id")
        if (unique := len(self.ids.unique())) < len(self.ids):
            counted = self.ids.value_counts()
            several = pc.greater(counted.field("counts"), 1)
            twice = counted.field("values").filter(several).to_pylist()
            raise DataError(
                f"{len(self.ids) - unique} ids are there again ({some(twice)}); "
                "an id has one vector"
            )

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(
        cls, ids: list[str], values: NDArray[Any], *, model: str, normalised: bool
    ) -> "Vectors":
        """Return vectors in memory.

        Examples:
            >>> rows = np.array([[0.6, 0.8]])
            >>> len(Vectors.of(["a"], rows, model="m1", normalised=True))
            1

        """
        width = values.shape[1] if values.ndim == 2 else 0  # noqa: PLR2004
        space = Space(model=model, dimension=width, normalised=normalised)
        return cls(ids=pa.array(ids, pa.string()), values=values, space=space)

    def of_ids(self, ids: pa.StringArray | pa.ChunkedArray, *, shown: str) -> "Vectors":
        """Return the vectors of some ids, in their order.

        Args:
            ids: Which.
            shown: What these vectors are called, for the message.

        Raises:
            DataError: There is none for some of them.

        """
        if isinstance(ids, pa.ChunkedArray):
            ids = ids.combine_chunks()
        ids = ids.cast(pa.string())
        places = pc.index_in(ids, value_set=self.ids)
        if places.null_count:
            names = ids.filter(pc.is_null(places)).to_pylist()
            raise DataError(
                f"{shown}: {len(names)} of {len(ids)} ids have none ({some(names)})"
            )
        rows = np.asarray(self.values[places.to_numpy(zero_copy_only=False)])
        return Vectors(ids=ids, values=rows, space=self.space)

    def forget(self) -> None:
        """Let go of the pages of a file that were read here and there."""
        _forget(self.values)

    def blocks(self, n_rows: int = 0) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the first row of each block and its numbers, as they are stored.

        Args:
            n_rows: How many a block; by default such that memory stays small.

        """
        width = 8 * self.space.dimension
        step = n_rows or max(1, _BLOCK_BYTES // width)
        for start in range(0, len(self), step):
            block = self.values[start : start + step]
            yield start, block
            _forget(block)


def _forget(block: NDArray[Any]) -> None:
    """Let go of the pages of a block that is mapped from a file.

    They stay in the system's cache, and are no longer counted as the process's memory.
    """
    base: Any = block
    while isinstance(base, np.ndarray):
        base = base.base
    if not isinstance(base, mmap.mmap) or block.flags.writeable or not block.nbytes:
        return  # what was written into a private map would be lost
    first = block.__array_interface__["data"][0]
    begin = first - np.frombuffer(base, np.uint8).__array_interface__["data"][0]
    start = begin // mmap.PAGESIZE * mmap.PAGESIZE
    base.madvise(mmap.MADV_DONTNEED, start, begin + block.nbytes - start)


def lengths(vectors: Vectors) -> Values:
    """Return the Euclidean length of each vector, shape (n,).

    Raises:
        DataError: A vector holds NaN or an infinite number, or is all zeros (what a
            failed embedding looks like) or nearly, or is not of length 1 where its
            space says so.

    """
    found = np.empty(len(vectors))
    for start, block in vectors.blocks():
        rows = np.asarray(block, np.float64)
        with np.errstate(over="ignore"):
            squares = np.einsum("ij,ij->i", rows, rows)
        found[start : start + len(rows)] = np.sqrt(squares)
    _refuse(vectors, ~np.isfinite(found), "hold NaN or infinite numbers")
    _refuse(vectors, found == 0, "are all zeros")
    extreme = (found < _SHORTEST) | (found > _LONGEST)
    _refuse(vectors, extreme, "have lengths that no encoder gives")
    if vectors.space.normalised:
        off = np.abs(found - 1) > UNIT_TOLERANCE
        _refuse(vectors, off, "are not of length 1, though they are said to be")
    return found


def _refuse(vectors: Vectors, wrong: Bools, what: str) -> None:
    if wrong.any():
        ids = vectors.ids.filter(pa.array(wrong)).to_pylist()
        raise DataError(
            f"{len(ids)} of {len(vectors)} vectors of model {vectors.space.model} "
            f"{what} ({some(ids)}); embed these anew, or leave them out"
        )
