"""Multiple choice by log-probabilities: the likeliest choice, and how sure it is."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError, some
from compat_eval.tasks.generation.choices import LETTERS


def likeliest(column: pa.ChunkedArray, *, shown: str) -> dict[str, pa.ChunkedArray]:
    """Return `prediction`, `score` and `margin` of each row's choices.

    The score is the choice's probability among the choices, the margin that less the
    runner-up's. A row without a finite log-probability has no answer.

    Args:
        column: Lists in the order of the choices, which are called A, B, …; or objects
            from a choice's name to its log-probability. JSON in a text will do.
        shown: What messages call the file.

    Raises:
        DataError: A row holds something else.

    """
    rows, wrong = [], []
    for at, given in enumerate(column.to_pylist(), start=1):
        named = _named(given)
        if named is None:
            wrong.append(at)
        rows.append(_likeliest(named or {}))
    if wrong:
        raise DataError(
            f"{shown}: logprobs must be a list of numbers, or an object of them; rows "
            f"{some(wrong)} are not"
        )
    names, scores, margins = zip(*rows, strict=True) if rows else ((), (), ())
    return {
        "prediction": pa.chunked_array([pa.array(names, pa.string())]),
        "score": pa.chunked_array([pa.array(scores, pa.float64())]),
        "margin": pa.chunked_array([pa.array(margins, pa.float64())]),
    }


def _named(given: Any) -> Mapping[str, float] | None:  # noqa: ANN401 - a file's cell
    """Return log-probabilities by choice; `None` where a cell holds none."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return None
    if given is None:
        return {}
    if isinstance(given, Sequence) and len(given) <= len(LETTERS):
        given = dict(zip(LETTERS, given, strict=False))
    if not isinstance(given, Mapping):
        return None
    told = {name: value for name, value in given.items() if value is not None}
    if not all(_is_number(value) for value in told.values()):
        return None
    return told


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _likeliest(
    named: Mapping[str, float],
) -> tuple[str | None, float | None, float | None]:
    if any(math.isnan(value) or value == math.inf for value in named.values()):
        return None, None, None
    top = max(named.values(), default=-math.inf)
    if top == -math.inf:
        return None, None, None
    weights = {name: math.exp(value - top) for name, value in named.items()}
    total = sum(weights.values())
    first, *others = sorted(weights, key=lambda name: -weights[name])
    second = weights[others[0]] if others else 0.0
    return first, weights[first] / total, (weights[first] - second) / total
