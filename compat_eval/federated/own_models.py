"""Weights of clients' own models, beside each period's model, as safetensors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from compat_eval.core.errors import DataError
from compat_eval.core.files import replacing

OWN_MODELS = "personal.safetensors"
_WEIGHTS, _CLIENTS = "weights", "clients"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModels:
    """Weights of clients' own models after a period.

    Attributes:
        clients: Names of those that have one.
        weights: Shape (n_clients, n_weights), each row as `problem.use_weights` takes
            it.

    """

    clients: Sequence[str]
    weights: Tensor

    @classmethod
    def of(cls, names: Sequence[str], own: Mapping[int, Tensor]) -> "OwnModels":
        """Return what clients have, by their places among the names."""
        rows = [own[client] for client in sorted(own)]
        return cls(
            clients=[names[client] for client in sorted(own)],
            weights=torch.stack(rows) if rows else torch.zeros(0, 0),
        )

    @classmethod
    def read(cls, folder: Path) -> "OwnModels":
        """Read what stands beside a period's model.

        Raises:
            DataError: It is not there, or damaged.

        """
        path = folder / OWN_MODELS
        if not path.is_file():
            raise DataError(
                f"{folder}: no weights of clients' own models are kept there; simulate "
                "again with --personal METHOD"
            )
        try:
            with safe_open(path, framework="pt") as file:
                clients = json.loads(file.metadata()[_CLIENTS])
                weights = file.get_tensor(_WEIGHTS)
        except (SafetensorError, ValueError, TypeError, KeyError) as error:
            raise DataError(f"{path}: damaged: {error}") from error
        if weights.ndim != 2 or len(clients) != len(weights):  # noqa: PLR2004
            raise DataError(f"{path}: damaged: it has not one row a client")
        return cls(clients=clients, weights=weights)

    def write(self, folder: Path) -> None:
        """Write it beside a period's model: four bytes a client and weight."""
        told = {_CLIENTS: json.dumps([*self.clients])}
        with replacing(folder / OWN_MODELS) as draft:
            save_file({_WEIGHTS: self.weights.contiguous()}, draft, metadata=told)

    def by_client(self) -> dict[str, Tensor]:
        """Return the weights of each client."""
        return dict(zip(self.clients, self.weights, strict=True))
