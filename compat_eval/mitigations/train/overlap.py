"""Training examples that are also among those that are compared."""

import json
from typing import Any

import numpy as np

from compat_eval.core.arrays import Bools
from compat_eval.core.examples import Examples
from compat_eval.core.normalise import normalised

_EVENED = ("nfc", "case", "blanks")


def overlapping(examples: Examples, compared: Examples) -> Bools:
    """Return which examples are among others: by id, or by what they ask and say.

    An input and its gold count as the same in whatever case and with whatever blanks.
    The same input with another gold answer is another example.

    Args:
        examples: What is learned from, with `input` and `gold`.
        compared: What is compared on, likewise.

    """
    ids, contents = set(compared.ids.to_pylist()), set(_contents(compared))
    return np.array(
        [
            name in ids or content in contents
            for name, content in zip(
                examples.ids.to_pylist(), _contents(examples), strict=True
            )
        ],
        np.bool_,
    )


def _contents(examples: Examples) -> list[tuple[str, str]]:
    inputs = examples.column("input").to_pylist()
    golds = examples.column("gold").to_pylist()
    return [
        (_evened(asked), _evened(gold))
        for asked, gold in zip(inputs, golds, strict=True)
    ]


def _evened(value: Any) -> str:  # noqa: ANN401 - what the task kind reads
    text = value if isinstance(value, str) else json.dumps(value, default=repr)
    return normalised(text, _EVENED)
