"""Predictions of all shards, put together as if one process had made them."""

from collections.abc import Sequence

import pyarrow as pa

from compat_eval.core.errors import CoverageError, some
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import positions
from compat_eval.runner.answers import joined, tidy


def merge_predictions(
    parts: Sequence[Predictions], *, ids: pa.ChunkedArray
) -> Predictions:
    """Stack the shards' predictions and bring them into the examples' order.

    Args:
        parts: Predictions of each shard.
        ids: Ids of all examples, in their order.

    Raises:
        CoverageError: An example is in no part or in two, or a part has one
            that is not among the ids.

    """
    stacked = Predictions(joined([part.table for part in parts]))
    at = positions(ids, stacked.ids)
    missing = ids.filter(pa.array(at < 0))
    if len(missing):
        raise CoverageError(
            f"{len(missing)} examples are in no part: {some(missing.to_pylist())}; "
            "run their shard again"
        )
    if len(stacked) > len(ids):
        strange = stacked.ids.filter(pa.array(positions(stacked.ids, ids) < 0))
        raise CoverageError(
            f"{len(strange)} answers are to no example: {some(strange.to_pylist())}; "
            "the parts belong to another suite"
        )
    return Predictions(tidy(stacked.table.take(pa.array(at))))
