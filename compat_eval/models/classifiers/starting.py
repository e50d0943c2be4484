"""A training that begins from the weights of a trained classifier of the same kind."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from compat_eval.core.errors import UsageError
from compat_eval.core.files import read_json


def begin_from(
    network: nn.Module,
    directory: Path,
    *,
    kind: str,
    labels: Sequence[str],
    head: str,
    same: Mapping[str, Any] | None = None,
) -> None:
    """Copy the weights of a trained model into a network.

    Rows of its last layer are matched by the names of labels; those of labels that the
    trained model lacks stay as they are.

    Args:
        network: Into which.
        directory: Of the trained model.
        kind: Which kind of model of ours it must be.
        labels: Of the network, in their order.
        head: Name of the network's last layer, whose rows are labels.
        same: Entries of config.json that must be these.

    Raises:
        UsageError: There is no such model, or it is another kind, of another shape, or
            shares no label.

    """
    config = _config_of(directory)
    found = config.get("compat_eval", {}).get("kind")
    if found != kind:
        raise _unsuited(directory, f"is of kind {found}, and {kind} is trained")
    for name, value in (same or {}).items():
        if config.get(name) != value:
            raise _unsuited(
                directory, f"has {name} {config.get(name)}, and {value} is trained"
            )
    before = _labels_of(config)
    if not set(before) & set(labels):
        raise _unsuited(directory, "shares no label with what is trained")
    saved = _weights_of(directory)
    with torch.no_grad():
        for name, mine in network.named_parameters():
            theirs = saved.get(name)
            if name.rpartition(".")[0] == head and theirs is not None:
                theirs = _rows_by_label(theirs, mine, before, labels)
            if theirs is None or theirs.shape != mine.shape:
                shape = None if theirs is None else tuple(theirs.shape)
                raise _unsuited(
                    directory,
                    f"is of another architecture: {name} has the shape {shape}, and "
                    f"{tuple(mine.shape)} is trained",
                )
            mine.copy_(theirs)


def _rows_by_label(
    theirs: Tensor, mine: Tensor, before: Sequence[str], labels: Sequence[str]
) -> Tensor | None:
    """Return a last layer's rows; `None` where they are no rows of those labels."""
    if theirs.shape != (len(before), *mine.shape[1:]):
        return None
    place = {label: row for row, label in enumerate(before)}
    rows = [
        theirs[place[label]] if label in place else own
        for label, own in zip(labels, mine, strict=True)
    ]
    return torch.stack(rows)


def _config_of(directory: Path) -> Mapping[str, Any]:
    try:
        found = read_json(directory / "config.json", finite=False)
    except FileNotFoundError as error:
        raise _unsuited(directory, "has no config.json") from error
    except (OSError, ValueError) as error:
        raise _unsuited(directory, f"cannot be read: {error}") from error
    if not isinstance(found, Mapping):
        raise _unsuited(directory, "has a config.json that is no JSON object")
    return found


def _labels_of(config: Mapping[str, Any]) -> list[str]:
    """Return the labels in their order, of a model of ours or of transformers."""
    if "labels" in config:
        return [str(label) for label in config["labels"]]
    by_number = config.get("id2label", {})
    return [str(by_number[number]) for number in sorted(by_number, key=int)]


def _weights_of(directory: Path) -> dict[str, Tensor]:
    try:
        return load_file(directory / "model.safetensors")
    except (OSError, SafetensorError) as error:
        raise _unsuited(directory, f"has no readable weights: {error}") from error


def _unsuited(directory: Path, why: str) -> UsageError:
    return UsageError(
        f"settings: start: {directory} {why}; name the directory of a model that "
        "compat-eval train made with the same settings, or leave start out"
    )
