"""Weights of models of one architecture: aligned by label, averaged, interpolated.

Labels are matched by name. Models that share nothing but their architecture and
were trained apart have no common basin: between them is no model, see `bcwi`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from compat_eval.core.arrays import Array
from compat_eval.core.errors import ModelError, some
from compat_eval.core.protocols import HasWeights
from compat_eval.mitigations.mitigation import require

Weights = Mapping[str, Array]
"""Tensors by name."""

_CURE = (
    "only models of one architecture, with one vocabulary, have weights that can be "
    "interpolated. mix and route combine the answers of any two classifiers, at the "
    "cost of both"
)


def weighted(
    model: object, like: HasWeights | None, method: str, side: str
) -> HasWeights:
    """Return a model whose weights can be interpolated with another's.

    Args:
        model: What has to have weights.
        like: What it must be like; `None` for nothing.
        method: Who asks, for the error.
        side: What the model is called there.

    Raises:
        CapabilityError: It has no weights that we know.
        ModelError: It is of another architecture, vocabulary or size, or has no
            label in common.

    """
    found = require(model, HasWeights, method, side)
    if like is None:
        return found
    told = _difference(found, like)
    if told is not None:
        raise ModelError(f"{method}: {side} differs from NEW in {told}; {_CURE}")
    if found.label_axes and not {*found.labels} & {*like.labels}:
        raise ModelError(f"{method}: {side} and NEW have no label in common")
    return found


def aligned(model: HasWeights, like: HasWeights) -> tuple[Weights, Weights]:
    """Return a model's tensors in the order of another's labels.

    Returns:
        The tensors, and of each with labels which of its entries the model has: an
        array of the length of the label axis along it, 1 elsewhere.

    """
    return over_labels_of(model.weights, model, like.labels, like.label_axes)


def over_labels_of(
    tensors: Weights,
    model: HasWeights,
    labels: Sequence[str],
    axes: Mapping[str, int],
) -> tuple[Weights, Weights]:
    """Return tensors of a model's shapes over other labels; see `aligned`."""
    place = {label: at for at, label in enumerate(model.labels)}
    at = np.array([place.get(label, -1) for label in labels], np.int64)
    found, known = dict(tensors), {}
    for name, axis in axes.items():
        found[name] = found[name].take(at, axis=axis)
        shape = [1] * found[name].ndim
        shape[axis] = len(at)
        known[name] = (at >= 0).reshape(shape)
    return found, known


def averaged(models: Sequence[HasWeights]) -> Weights:
    """Return the mean of models' tensors, over the labels of the first.

    An entry of a label that some do not have is the mean of those that have it.
    """
    first, *others = models
    if not others:
        return first.weights
    parts = [(first.weights, {}), *(aligned(one, first) for one in others)]
    found = {}
    for name, tensor in first.weights.items():
        if not _is_real(tensor):
            found[name] = tensor
            continue
        shares = [np.asarray(known.get(name, True), np.float64) for _, known in parts]
        tensors = [one[name].astype(np.float64) for one, _ in parts]
        total = sum(share * one for share, one in zip(shares, tensors, strict=True))
        found[name] = np.asarray(total / sum(shares), tensor.dtype)
    return found


def interpolated(
    old: tuple[Weights, Weights],
    new: Weights,
    share: float,
    *,
    importance: Weights | None = None,
) -> Weights:
    """Return (a·F·old + (1 − a)·new) / (a·F + 1 − a), element by element.

    What OLD does not have, such as a label's row, is NEW's. Where a = 1 it is OLD, and
    where the importance is 0 with it, NEW.

    Args:
        old: OLD's tensors, see `aligned`.
        new: NEW's.
        share: OLD's share a, in [0, 1].
        importance: F by tensor, of their shapes; `None` for 1 everywhere.

    """
    tensors, known = old
    found = {}
    for name, own in new.items():
        if not _is_real(own):
            found[name] = own
            continue
        trusted = 1.0 if importance is None else importance[name].astype(np.float64)
        of_old = share * np.asarray(known.get(name, True), np.float64) * trusted
        of_old = np.broadcast_to(of_old, own.shape)
        total = of_old + (1 - share)
        part = np.divide(of_old, total, out=np.zeros(own.shape), where=total > 0)
        mixed = part * tensors[name].astype(np.float64) + (1 - part) * own
        found[name] = np.asarray(mixed, own.dtype)
    return found


def _is_real(tensor: Array) -> bool:
    """Whether a tensor holds numbers that can be averaged, not counts or places."""
    return bool(np.issubdtype(tensor.dtype, np.floating))


def _difference(model: HasWeights, like: HasWeights) -> str | None:
    """Return how a model is made otherwise than another; `None` where it is not."""
    if type(model) is not type(like):
        return f"its kind ({type(model).__name__} and {type(like).__name__})"
    mine, theirs = dict(model.built_as), dict(like.built_as)
    names = [n for n in {**mine, **theirs} if mine.get(n) != theirs.get(n)]
    if names:
        return some(names)
    shapes = [_shapes(one) for one in (model, like)]
    names = sorted(
        n for n in {**shapes[0], **shapes[1]} if len({s.get(n) for s in shapes}) > 1
    )
    if names:
        return f"the shapes of {some(names)}"
    return None


def _shapes(model: HasWeights) -> dict[str, tuple[int, ...]]:
    """Return the shapes of tensors, without the axis of labels."""
    axes = model.label_axes
    return {
        name: tuple(n for at, n in enumerate(tensor.shape) if at != axes.get(name))
        for name, tensor in model.weights.items()
    }
