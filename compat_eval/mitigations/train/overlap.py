"""Examples that are learned from and also among those that are compared."""

import json
import re
import unicodedata
from typing import Any

import numpy as np

from compat_eval.core.arrays import Bools
from compat_eval.core.examples import Examples
from compat_eval.core.normalise import normalised

_EVENED = ("nfc", "case", "blanks")
_FILE_NAME = re.compile(r"^(data:[^,;]*);name=[^,;]*")
_CONTRADICTED = 0.01
"""Share of what is compared that may be asked again with another gold answer."""


def overlapping(examples: Examples, compared: Examples) -> Bools:
    """Return which examples are among others: by id, or by what they ask and say.

    An input and its gold count as the same in whatever case and with whatever blanks
    and marks that nobody sees; images and recordings under whatever name.

    The same input with another gold answer is another example, as labels that err
    make a few of them. Where more than one in a hundred of what is compared stands
    so, the input alone counts: what a teacher answers to it could be learned.

    Args:
        examples: What is learned from, with `input` and `gold`.
        compared: What is compared on, likewise.

    """
    ids = set(compared.ids.to_pylist())
    asked, contents = set(_inputs(compared)), set(_contents(compared))
    inputs = _inputs(examples)
    same = [
        name in ids or content in contents
        for name, content in zip(
            examples.ids.to_pylist(), _contents(examples), strict=True
        )
    ]
    again = [one in asked for one in inputs]
    contradicted = {
        one
        for one, twice, is_same in zip(inputs, again, same, strict=True)
        if twice and not is_same
    }
    by_input = len(contradicted) > _CONTRADICTED * len(asked)
    return np.logical_or(same, again) if by_input else np.array(same, np.bool_)


def _contents(examples: Examples) -> list[tuple[str, str]]:
    if "gold" not in examples:
        return [(asked, "") for asked in _inputs(examples)]
    golds = examples.column("gold").to_pylist()
    return list(zip(_inputs(examples), map(_evened, golds), strict=True))


def _inputs(examples: Examples) -> list[str]:
    return [_evened(one) for one in examples.column("input").to_pylist()]


def _evened(value: Any) -> str:  # noqa: ANN401 - what the task kind reads
    if not isinstance(value, str):
        value = json.dumps(value, default=repr, sort_keys=True)
    text = _FILE_NAME.sub(r"\1", value)
    if not text.isascii():
        text = "".join(one for one in text if unicodedata.category(one) != "Cf")
    return normalised(text, _EVENED)
