"""Weights of networks: read into one of their own shapes, taken out, and replaced."""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from compat_eval.core.arrays import Array
from compat_eval.core.errors import ModelError
from compat_eval.core.files import read_json, write_whole

_N = TypeVar("_N", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Misfit:
    """A tensor whose shape differs from the one that config.json implies.

    Attributes:
        name: Its name.
        saved: Its shape among the weights; `None` where it is not there.
        told: Its shape by config.json; `None` where the model has no such tensor.

    """

    name: str
    saved: tuple[int, ...] | None
    told: tuple[int, ...] | None

    def __str__(self) -> str:
        """Describe the difference."""
        if self.saved is None:
            return f"the weights lack {self.name}"
        if self.told is None:
            return f"the weights hold {self.name}, which such a model does not have"
        return (
            f"{self.name} has the shape {_shown(self.saved)} among the weights and "
            f"{_shown(self.told)} by config.json"
        )


def unfit(where: object, misfits: Sequence[Misfit]) -> ModelError:
    """Return the error of at least one misfit: the first, and how many more."""
    first, *rest = misfits
    more = ""
    if rest:
        more = f", and {len(rest)} more {'do' if len(rest) > 1 else 'does'} not fit"
    return ModelError(
        f"{where}: its weights do not fit its config.json: {first}{more}. Restore the "
        "file that was changed, or delete the directory and train the model again."
    )


def require_fit(
    directory: Path, saved: Mapping[str, Tensor], own: Mapping[str, Tensor]
) -> None:
    """Refuse saved tensors of other names or shapes than a network's own.

    Raises:
        ModelError: Some are.

    """
    shapes = {name: tuple(tensor.shape) for name, tensor in saved.items()}
    told = {name: tuple(tensor.shape) for name, tensor in own.items()}
    misfits = [
        Misfit(name, shapes.get(name), told.get(name))
        for name in [*told, *sorted(shapes.keys() - told.keys())]
        if shapes.get(name) != told.get(name)
    ]
    if misfits:
        raise unfit(directory, misfits)


def read_weights(network: nn.Module, directory: Path, device: str) -> None:
    """Put saved weights into a network, and it on a device, ready to answer.

    Raises:
        ModelError: The weights do not fit the network.

    """
    saved = load_file(directory / "model.safetensors")
    require_fit(directory, saved, network.state_dict())
    network.load_state_dict(saved)
    network.to(device).eval()


def write_model(
    directory: Path, weights: Mapping[str, Tensor], kind: str, config: Mapping[str, Any]
) -> None:
    """Write a model of ours: model.safetensors and config.json.

    Args:
        directory: Where.
        weights: By name, as `read_weights` and `load_file` give them back.
        kind: Under which name it is opened.
        config: Further entries of config.json.

    """
    told = {"compat_eval": {"kind": kind, "schema_version": 1}, **config}
    save_file(dict(weights), directory / "model.safetensors")
    write_whole(directory / "config.json", f"{json.dumps(told, indent=1)}\n".encode())


def weights_of(network: nn.Module) -> dict[str, Array]:
    """Return a network's tensors by name, numbers in float32 where narrower."""
    found = {}
    for name, tensor in network.state_dict().items():
        whole = tensor.detach().to("cpu", copy=True)
        narrow = (
            whole.is_floating_point() and whole.dtype.itemsize < torch.float32.itemsize
        )
        found[name] = (whole.float() if narrow else whole).numpy()
    return found


def with_weights(network: _N, weights: Mapping[str, Array]) -> _N:
    """Return a copy of a network with other tensors, ready to answer."""
    copied = copy.deepcopy(network)
    copied.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
    return copied.eval()


def rows_of_labels(directory: Path) -> dict[str, Tensor]:
    """Return the rows of a saved classifier's last layer by label.

    Raises:
        ModelError: There is no classifier of ours whose last layer has such rows.

    """
    try:
        labels = read_json(directory / "config.json")["labels"]
        rows = load_file(directory / "model.safetensors")["head.weight"]
        return dict(zip(map(str, labels), rows, strict=True))
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"{directory}: no classifier of ours whose last layer has a row for each "
            f"label: {error}"
        ) from error


def _shown(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
