"""Whether vectors are of the model that they are said to be of.

Nothing in a vector says which model made it, and indices that were filled over years
hold more than one model's. Embedding a few items again tells: a row is of a model where
that model gives the same vector for it once more.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools
from compat_eval.core.errors import DataError, some
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.vectors import Vectors, lengths

SAME = 0.99
"""Cosine from which on two vectors of an item are one model's: quantised stores and
other hardware change less."""


def found_again(one: Vectors, other: Vectors) -> tuple[int, int]:
    """Return how many items are their own nearest neighbour, and how many there are.

    Two sets of vectors of the same items: all of them are where the spaces are one,
    about one item is by chance where they have nothing to do with each other.

    Raises:
        DataError: The two are of different items, or of different dimensions.

    """
    _refuse_other_items(one, other)
    nearest = ExactIndex.of(other).search(one, 1, across=True).names()
    pairs = zip(one.ids.to_pylist(), nearest, strict=True)
    return sum([name] == found for name, found in pairs), len(one)


def embedded_by(index: Vectors, again: Vectors) -> Bools:
    """Return which items of a sample have the vector of a model in an index.

    Args:
        index: What is served.
        again: Some of its items, embedded by the model just now.

    Returns:
        Of each item of `again`, in its order.

    Raises:
        DataError: An item is not in the index, or dimensions differ.

    """
    if index.space.dimension != again.space.dimension:
        raise DataError(
            f"the index has {index.space.dimension} dimensions, and model "
            f"{again.space.model} gives {again.space.dimension}"
        )
    places = pc.index_in(again.ids, value_set=index.ids)
    if places.null_count:
        ids = again.ids.filter(pc.is_null(places)).to_pylist()
        raise DataError(f"{len(ids)} items are not in the index: {some(ids)}")
    at = places.to_numpy()
    served = Vectors(
        ids=again.ids, values=np.asarray(index.values[at]), space=index.space
    )
    sizes = lengths(served) * lengths(again)
    products = np.einsum(
        "ij,ij->i", served.values.astype(np.float64), again.values.astype(np.float64)
    )
    return np.asarray(products >= SAME * sizes)


def refuse_half_migrated(index: Vectors, again: Vectors) -> None:
    """Raise where an index is not wholly of the model that embedded a sample again.

    Raises:
        DataError: Some items of the sample, or all, have another model's vector.

    """
    same = embedded_by(index, again)
    if same.all():
        return
    ids = again.ids.filter(pa.array(~same)).to_pylist()
    state = "half migrated" if same.any() else "of another model"
    raise DataError(
        f"the index is {state}: {len(ids)} of {len(same)} items of a sample have no "
        f"vector of {again.space.model} ({some(ids)}). Their scores cannot be ranked "
        "with those of the others; embed them anew"
    )


def _refuse_other_items(one: Vectors, other: Vectors) -> None:
    apart = set(one.ids.to_pylist()) ^ set(other.ids.to_pylist())
    if apart:
        raise DataError(
            f"{len(apart)} items have vectors of one side only: {some(sorted(apart))}"
        )
