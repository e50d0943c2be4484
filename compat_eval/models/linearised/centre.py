"""OLD's weights as what the ridge pulls to, labels matched by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from compat_eval.core.arrays import Values
from compat_eval.core.errors import UsageError
from compat_eval.core.files import read_json
from compat_eval.models.linearised.classifier import KIND, parted
from compat_eval.models.linearised.network import LinearisedTop
from compat_eval.models.linearised.tangent import Tangent
from compat_eval.models.training.saved_weights import require_fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """A trained model of the same sizes on the same encoder.

    Attributes:
        head: Its head, shape (n_features + 1, n_labels), zeros for new labels; `None`
            where more than the head was trained.
        w0: The head at its w₀, likewise.
        step: d; `None` where the head alone was trained.

    """

    head: Values | None
    w0: Values
    step: Tensor | None


def centre_of(
    directory: Path,
    top: LinearisedTop,
    labels: Sequence[str],
    encoder: Mapping[str, Any],
) -> Centre:
    """Read the model to which a ridge pulls.

    Args:
        directory: Of an lqf model.
        top: What is trained.
        labels: Of what is trained.
        encoder: What config.json says of its encoder.

    Raises:
        UsageError: There is no such model, or it is another linear model.
        ModelError: Its weights do not fit its configuration.

    """
    try:
        config = read_json(directory / "config.json")
        kind, sizes = config["compat_eval"]["kind"], config["sizes"]
        before, below = list(config["labels"]), config["encoder"]
        saved, moved = parted(load_file(directory / "model.safetensors"))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise _unsuited(
            directory, f"cannot be read as an lqf model: {error}"
        ) from error
    if kind != KIND:
        raise _unsuited(directory, f"is of kind {kind}")
    if sizes != top.sizes.as_json():
        raise _unsuited(directory, f"has the sizes {sizes}, not {top.sizes.as_json()}")
    if below["sha256"] != encoder["sha256"]:
        raise _unsuited(directory, "has another encoder")
    if not set(before) & set(labels):
        raise _unsuited(directory, "shares no label with what is trained")
    theirs = LinearisedTop(list(top.layers), top.sizes, len(before))
    require_fit(directory, saved, theirs.state_dict())
    w0 = _head(saved, before, labels)
    if top.sizes.head_only:
        return Centre(head=w0, w0=w0, step=None)
    require_fit(directory, moved, Tangent.of(theirs).weights)
    head = _head(moved, before, labels)
    moved["head.weight"] = torch.from_numpy(head[:-1].T).float()
    moved["head.bias"] = torch.from_numpy(head[-1]).float()
    return Centre(head=None, w0=w0, step=Tangent.of(top).flat(moved))


def _head(
    tensors: Mapping[str, Tensor], before: Sequence[str], labels: Sequence[str]
) -> Values:
    """Return a head's columns in the order of other labels, zeros for new ones."""
    weight, bias = tensors["head.weight"].numpy(), tensors["head.bias"].numpy()
    whole = np.concatenate([weight.T, bias[None]]).astype(np.float64)
    place = {label: at for at, label in enumerate(before)}
    found = np.zeros((len(whole), len(labels)))
    for at, label in enumerate(labels):
        if label in place:
            found[:, at] = whole[:, place[label]]
    return found


def _unsuited(directory: Path, why: str) -> UsageError:
    return UsageError(
        f"settings: start: {directory} {why}; name an lqf model that was trained with "
        "the same encoder, layers and hidden units, or leave start out"
    )
