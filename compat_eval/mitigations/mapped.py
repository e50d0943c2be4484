"""Models whose vectors are those of others, mapped: the map is kept, the others stay.

config.json has the map and the fingerprints of the models below it, members.json says
where they are. A model that has changed is refused.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.arrays import Values
from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import digest, files_digest, library_versions
from compat_eval.core.protocols import Embeds, Encodes, ModelSource, Predicts
from compat_eval.mitigations.mitigation import require
from compat_eval.mitigations.saved import opening
from compat_eval.models.packages import package

_KIND = "mapped"
_MEMBERS, _CONFIG, _WEIGHTS = "members.json", "config.json", "model.safetensors"


@dataclass(frozen=True, slots=True)
class MappedItem:
    """An input, as each of the models below encoded it.

    Attributes:
        parts: An item of each model.

    """

    parts: tuple[Any, ...]

    def __len__(self) -> int:
        return max(len(part) for part in self.parts)

    @property
    def error(self) -> str | None:
        """Why a model cannot read it; `None` where all can."""
        told = (getattr(part, "error", None) for part in self.parts)
        return next(filter(None, told), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedEncoder:
    """A loaded map and the models below it.

    Attributes:
        members: The models: the first one answers, all give vectors.
        network: The map of their vectors, one behind the other.

    """

    members: tuple[Predicts, ...]
    network: Any

    def encode(self, inputs: Sequence[Any]) -> list[MappedItem]:
        """Return one item an input."""
        parts = [
            one.encode(inputs) if isinstance(one, Encodes) else inputs
            for one in self.members
        ]
        return [MappedItem(together) for together in zip(*parts, strict=True)]

    def predict(self, items: Sequence[MappedItem]) -> pa.Table:
        """Return the first model's answers; a map changes none."""
        return self.members[0].predict([item.parts[0] for item in items])

    def embed(self, items: Sequence[MappedItem]) -> Values:
        """Return mapped vectors, shape (n_items, dimension); nan for errors."""
        return self._mapped(items, self.network)

    def uncertainty(self, items: Sequence[MappedItem]) -> Values:
        """Return the variance of the error that is expected of each vector, (n_items,).

        The items that are most uncertain are re-embedded first: Jaeckle et al.,
        "FastFill", ICLR 2023, https://arxiv.org/abs/2303.04766.

        Raises:
            CapabilityError: The map does not tell it.

        """
        told = getattr(self.network, "with_uncertainty", None)
        if told is None:
            raise CapabilityError("only a forward transformation tells its uncertainty")
        return self._mapped(items, lambda rows: told(rows)[1])

    def _mapped(self, items: Sequence[MappedItem], network: Any) -> Values:  # noqa: ANN401
        torch = package("torch")
        rows = np.concatenate(
            [
                require(one, Embeds, _KIND, "each model below").embed(
                    [item.parts[at] for item in items]
                )
                for at, one in enumerate(self.members)
            ],
            axis=1,
        )
        wrong = ~np.isfinite(rows).all(axis=1)
        with torch.inference_mode():
            found = network(torch.as_tensor(np.nan_to_num(rows), dtype=torch.float32))
        values = np.array(found.cpu().numpy(), np.float64)
        values[wrong] = np.nan
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedSource:
    """A map and models that are known but not loaded; see `ModelSource`."""

    reference: str
    directory: Path
    config: Mapping[str, Any]
    members: tuple[ModelSource, ...]

    def fingerprint(self) -> str:
        """Return a SHA-256 of the map and of the models below it."""
        files = [self.directory / name for name in (_CONFIG, _WEIGHTS)]
        below = [one.fingerprint() for one in self.members]
        return digest([_KIND, 1, files_digest(self.directory, files), below])

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance; labels are those of the model that answers."""
        first = self.members[0].describe()
        return {
            "format": "compat",
            "kind": _KIND,
            "members": [one.reference for one in self.members],
            "labels": first.get("labels"),
            "libraries": library_versions("torch", "numpy"),
        }

    def load(self) -> MappedEncoder:
        """Load the models, and read the map.

        Raises:
            ModelError: The map is damaged.

        """
        from safetensors.torch import load_file  # noqa: PLC0415 - torch is slow

        from compat_eval.models.encoders.maps import MAPS  # noqa: PLC0415

        try:
            network = MAPS[self.config["map"]](**self.config["sizes"])
            network.load_state_dict(load_file(self.directory / _WEIGHTS))
        except (KeyError, TypeError, RuntimeError, ValueError, OSError) as error:
            raise ModelError(
                f"{self.directory}: its map is damaged: {error}; train it again"
            ) from error
        return MappedEncoder(
            members=tuple(one.load() for one in self.members), network=network.eval()
        )


def save_mapped(
    directory: Path,
    network: Any,  # noqa: ANN401 - of torch, which may not be installed
    kind: str,
    members: Sequence[ModelSource],
) -> None:
    """Write what `open_mapped` reads.

    Args:
        directory: Where.
        network: The map.
        kind: Its name in `MAPS`.
        members: The models below it; the first one answers.

    """
    from safetensors.torch import save_file  # noqa: PLC0415

    config = {
        "compat_eval": {"kind": _KIND, "schema_version": 1},
        "map": kind,
        "sizes": dict(network.sizes),
        "members": [one.fingerprint() for one in members],
    }
    places = [_absolute(one.reference) for one in members]
    save_file(network.state_dict(), directory / _WEIGHTS)
    for name, told in ((_MEMBERS, places), (_CONFIG, config)):
        write_whole(directory / name, f"{json.dumps(told, indent=1)}\n".encode())


def open_mapped(
    directory: Path, config: Mapping[str, Any], options: ModelOptions, *, reference: str
) -> MappedSource:
    """Open what `save_mapped` wrote, and look whether its models are what they were.

    Raises:
        ModelError: A file is missing or damaged, or a model is gone, has changed, or is
            Python code that may not be run.

    """
    try:
        places = [str(one) for one in read_json(directory / _MEMBERS)]
        told = [str(one) for one in config["members"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{reference}: what names the models below its map cannot be read: "
            f"{error}; train it again"
        ) from error
    for one in places:
        options.require_leave(one, reference)
    try:
        with opening(directory.resolve(), reference):
            opened = [_opened(one, options) for one in places]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{reference}: the models below its map cannot be opened: {error}. Bring "
            f"them back, or write their new places into {directory / _MEMBERS}"
        ) from error
    if [one.fingerprint() for one in opened] != told:
        raise ModelError(
            f"{reference}: a model below its map is not the one that it was trained "
            f"on ({', '.join(places)}); bring that back, or train the map again"
        )
    return MappedSource(
        reference=reference, directory=directory, config=config, members=tuple(opened)
    )


def _opened(place: str, options: ModelOptions) -> ModelSource:
    scheme, _, location = place.partition(":")
    found: ModelSource = ADAPTERS.load(scheme)(location, options)
    return found


def _absolute(reference: str) -> str:
    """Return a reference whose path, if it is one, does not depend on where one is."""
    scheme, _, location = reference.partition(":")
    path = Path(location).expanduser()
    return f"{scheme}:{path.resolve()}" if path.exists() else reference
