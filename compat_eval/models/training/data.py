"""Examples to train on: texts with their labels, and examples put aside."""

import hashlib
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples

_F = TypeVar("_F", np.float32, np.float64)

UNKNOWN_LOGIT = -1e4
"""In a column `teacher_logits`, that of a label that the teacher does not know."""

Labels: TypeAlias = Literal["shared", "all"]
"""Of which labels a teacher's probabilities are compared: those that it shares, or all,
with probability 0 for those that it lacks."""

OLD_VECTOR = "old_vector"
"""The column of what OLD made of the same inputs."""

RowsOf: TypeAlias = Literal["centroids-all", "synthesised", "old-only"]
"""What OLD's frozen classifier has for a row: the mean of OLD's vectors for every
class; OLD's own rows, and such means for classes that it lacks; or its own rows alone,
so that only examples of its classes count."""

_HELD_OUT = 0.1
"""The share that is held out where there is no dev split."""


def texts_and_labels(examples: Examples) -> tuple[list[str], list[str]]:
    """Return inputs and gold labels.

    Raises:
        DataError: An input is no text, or an example has no gold label.

    """
    return texts_of(examples, "input"), texts_of(examples, "gold")


def texts_of(examples: Examples, name: str) -> list[str]:
    """Return a column of texts.

    Raises:
        DataError: A value is no text.

    """
    values: list[Any] = examples.column(name).to_pylist()
    wrong = [i for i, value in enumerate(values) if not isinstance(value, str)]
    if wrong:
        first = examples.ids[wrong[0]].as_py()
        raise DataError(
            f"cannot train on {len(wrong)} examples whose {name} is no text; the "
            f"first is {first!r}"
        )
    return values


def label_names(gold: list[str]) -> tuple[str, ...]:
    """Return the distinct labels, sorted.

    Raises:
        DataError: There are fewer than two, so there is nothing to learn.

    """
    labels = tuple(sorted(set(gold)))
    if len(labels) < 2:  # noqa: PLR2004
        raise DataError(
            f"training needs examples of at least two labels; got {len(gold)} examples "
            f"of {', '.join(labels) or 'none'}"
        )
    return labels


def logits_by_label(
    logits: npt.NDArray[_F], known: Sequence[str], labels: Sequence[str]
) -> npt.NDArray[_F]:
    """Return a teacher's logits in the order of other labels, matched by name.

    Args:
        logits: Shape (n_examples, n_known).
        known: The teacher's labels.
        labels: Those that are learned; what it does not know has `UNKNOWN_LOGIT`.

    Examples:
        >>> logits_by_label(np.array([[1.0, 2.0]]), ["a", "b"], ["b", "c"]).tolist()
        [[2.0, -10000.0]]

    """
    place = {label: at for at, label in enumerate(known)}
    widened = np.pad(logits, ((0, 0), (0, 1)), constant_values=UNKNOWN_LOGIT)
    return np.take(widened, [place.get(label, -1) for label in labels], axis=1)


def hold_out(
    examples: Examples, *, share: float = _HELD_OUT
) -> tuple[Examples, Examples | None]:
    """Split examples into those to train on and those held out, `None` for none.

    Which are held out follows from their ids alone, so a larger training set
    with the same ids holds out the same ones.

    Args:
        examples: All of them.
        share: About how many are held out, in (0, 1).

    """
    limit = int(share * 2**32)
    held = np.array(
        [_place(name) < limit for name in examples.ids.to_pylist()], np.bool_
    )
    return examples.take(~held), examples.take(held) if held.any() else None


def _place(name: str) -> int:
    sha256 = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(sha256[:4], "big")
