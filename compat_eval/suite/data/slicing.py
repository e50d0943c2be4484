"""Slice columns from slice rules."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from compat_eval.core.errors import DataError
from compat_eval.suite.data.columns import as_text
from compat_eval.suite.data.formats.json_rows import load_json
from compat_eval.suite.data.places import DataPlaces, locate
from compat_eval.suite.yaml.schema import Slice

YES, NO = "yes", "no"


def slice_column(
    rule: Slice, values: pa.ChunkedArray, *, name: str, places: DataPlaces, shown: str
) -> pa.ChunkedArray:
    """Return each example's value of one slice; null where it is in none.

    Args:
        rule: How the slice is made.
        values: The column that the rule reads.
        name: The slice's name, for messages.
        places: Where a file of groups is found.
        shown: What messages call the data.

    Raises:
        DataError: The values or the file of groups do not suit the rule.

    """
    texts = as_text(values, what=f"slice {name!r}", shown=shown)
    if rule.words is not None:
        return _word_bins(texts, rule.words)
    if rule.before is not None:
        return _heads(texts, rule.before)
    if rule.equals is not None:
        wanted = pa.array([_text(value) for value in rule.equals], pa.string())
        inside = pc.fill_null(pc.is_in(texts, value_set=wanted), False)  # noqa: FBT003
        return pc.if_else(inside, YES, NO)
    if rule.groups is not None:
        return _grouped(texts, _members(rule.groups, name))
    if rule.groups_from is not None:
        path = locate(rule.groups_from, places)
        return _grouped(texts, _members(load_json(path, "utf-8", str(path)), name))
    return texts


def rules_of_inputs(slices: Mapping[str, Slice]) -> dict[str, dict[str, Any]]:
    """Return the rules of those slices that are made of an input alone, JSON-ready."""
    return {
        name: rule.model_dump(mode="json", exclude_none=True)
        for name, rule in slices.items()
        if rule.of == "input" and rule.groups_from is None
    }


def kinds_by(rule: Mapping[str, Any]) -> Callable[[Sequence[Any]], list[str | None]]:
    """Return what tells the slice of inputs by a rule of `rules_of_inputs`.

    Examples:
        >>> kinds_by({"words": [2, 4]})(["no", "a b c"])
        ['0-2', '3-4']

    Raises:
        DataError: It is no such rule.

    """
    try:
        made = Slice.model_validate(dict(rule))
    except ValidationError as error:
        raise DataError(f"no rule of a slice: {dict(rule)}") from error
    if made.of != "input" or made.groups_from is not None:
        raise DataError(f"a rule of other things than inputs: {dict(rule)}")
    nowhere = DataPlaces(base=Path(), data_dir=None, cache=Path(), offline=True)

    def kinds(inputs: Sequence[Any]) -> list[str | None]:
        if not len(inputs):
            return []
        values = pa.chunked_array([pa.array(inputs)])
        found: list[str | None] = slice_column(
            made, values, name="kind", places=nowhere, shown="the input"
        ).to_pylist()
        return found

    return kinds


def _word_bins(texts: pa.ChunkedArray, limits: tuple[int, ...]) -> pa.ChunkedArray:
    """Return the bin of each text's number of words (runs without white space).

    Examples:
        >>> texts = pa.chunked_array([["no", "a b c", "a b c d e f", None]])
        >>> _word_bins(texts, (2, 4)).to_pylist()
        ['0-2', '3-4', '5+', None]

    """
    trimmed = pc.utf8_trim_whitespace(texts)
    words = pc.list_value_length(pc.utf8_split_whitespace(trimmed))
    counts = pc.if_else(pc.equal(trimmed, ""), 0, words)
    lows = (0, *(limit + 1 for limit in limits))
    found = pa.scalar(f"{lows[-1]}+")
    for low, high in reversed(list(zip(lows, limits, strict=False))):
        found = pc.if_else(pc.less_equal(counts, high), f"{low}-{high}", found)
    return found


def _heads(texts: pa.ChunkedArray, before: str) -> pa.ChunkedArray:
    """Return what stands before the first of a text; null where it does not occur.

    Examples:
        >>> _heads(pa.chunked_array([["email-ab-1", "plain", None]]), "-").to_pylist()
        ['email', None, None]

    """
    parts = pc.split_pattern(texts, before, max_splits=1)
    found = pc.equal(pc.list_value_length(parts), 2)
    return pc.if_else(found, pc.list_element(parts, 0), None)


def _members(groups: Any, name: str) -> dict[str, str]:  # noqa: ANN401
    """Return value to group, from `{group: [values]}` or `{value: group}`."""
    if not isinstance(groups, dict):
        raise DataError(f"slice {name!r}: groups must be an object of lists or texts")
    members: dict[str, str] = {}
    for key, value in groups.items():
        pairs = [(v, key) for v in value] if isinstance(value, list) else [(key, value)]
        for member, group in pairs:
            text = _text(member)
            if text in members and members[text] != group:
                raise DataError(
                    f"slice {name!r}: {text!r} is in {members[text]!r} and in {group!r}"
                )
            members[text] = _text(group)
    return members


def _grouped(texts: pa.ChunkedArray, members: dict[str, str]) -> pa.ChunkedArray:
    known = pa.array(list(members), pa.string())
    groups = pa.array(list(members.values()), pa.string())
    at = pc.index_in(texts, value_set=known)
    return pa.chunked_array([groups.take(chunk) for chunk in at.chunks], pa.string())


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
