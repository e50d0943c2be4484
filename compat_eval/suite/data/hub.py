"""Data sets on the Hugging Face hub, through `datasets`."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError, MissingPackageError
from compat_eval.suite.data.places import DataPlaces
from compat_eval.suite.data.source import Source
from compat_eval.suite.yaml.secrets import expand


def read_hub(source: Source, split: str, places: DataPlaces) -> pa.Table:
    """Return one split of a hub data set; class numbers become class names.

    A data set that needs its own code to be read is refused by `datasets`.

    Raises:
        DataError: It cannot be loaded.
        MissingPackageError: `datasets` is not installed.

    """
    datasets = _package(offline=places.offline)
    name = _name(source, places)
    token = None
    if source.token is not None and name == source.hub:
        token = expand(source.token, places.environ)
    wanted = source.split or split
    try:
        loaded = datasets.load_dataset(
            name,
            source.subset,
            split=wanted,
            revision=source.revision,
            token=token,
            download_config=datasets.DownloadConfig(
                local_files_only=places.offline, token=token
            ),
        )
    except Exception as error:  # noqa: BLE001 - its own, the hub's, the network's
        told = _without(str(error), token)
        raise DataError(
            f"hub data set {source.hub} (revision {source.revision}, split {wanted}) "
            f"cannot be loaded: {type(error).__name__}: {told}"
        ) from None
    return _named(loaded.with_format("arrow")[:], loaded.features)


def _package(*, offline: bool) -> Any:  # noqa: ANN401
    """Import `datasets` when a hub source is read, not before."""
    if offline:
        os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
    try:
        return import_module("datasets")
    except ImportError as error:
        raise MissingPackageError(
            "hub: sources need datasets; install it: pip install 'compat-eval[models]'"
        ) from error


def _name(source: Source, places: DataPlaces) -> str:
    """Return the mirror's folder, or the name on the hub where there is none."""
    if source.mirror is not None and places.data_dir is not None:
        mirror = places.data_dir / source.mirror
        if mirror.is_dir():
            return str(mirror)
    name = str(source.hub)
    if Path(name).exists():
        raise DataError(
            f"the folder {name!r} here would be read in place of the hub data set of "
            "that name; work in another folder, or use file: for local data"
        )
    return name


def _named(table: pa.Table, features: dict[str, Any]) -> pa.Table:
    """Replace class numbers by class names."""
    for at, name in enumerate(table.column_names):
        names = getattr(features[name], "names", None)
        if names is None:
            continue
        numbers = table[name]
        taken = pa.chunked_array(
            [pa.array(names, pa.string()).take(chunk) for chunk in numbers.chunks],
            pa.string(),
        )
        table = table.set_column(at, name, taken)
    return table


def _without(text: str, secret: str | None) -> str:
    return text.replace(secret, "…") if secret else text
