"""`vectors:` — files of vectors: `.npy` and safetensors, mapped, and Parquet."""

from dataclasses import replace
from pathlib import Path

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stores.reference import parse_store
from compat_eval.adapters.stores.stored import StoredVectors, stored
from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import file_digest
from compat_eval.vectors.files import beside, read_vectors


def recognises(path: Path) -> bool:
    """Say whether a path is a file of vectors; a Parquet file may be anything else."""
    path = Path(str(path).partition("#")[0])
    return path.suffix in {".npy", ".safetensors"} and beside(path).is_file()


def open_source(location: str, options: ModelOptions) -> StoredVectors:
    """Map a file of vectors, and read its ids.

    Raises:
        ModelError: It is not there.
        DataError: It is damaged, ends early, or does not say of which model it is.

    """
    asked = parse_store("vectors", location)
    path = Path(asked.location).expanduser()
    if not path.is_file():
        raise ModelError(f"{asked.text}: no such file: {path}")
    found = read_vectors(path, model=asked.get("model"), asked_by=asked.text)
    files = [one for one in (path, beside(path)) if one.is_file()]
    made = stored(
        asked,
        ids=found.ids,
        values=found.values,
        model=found.space.model,
        engine=lambda _: None,
        content=[file_digest(one) for one in files],
        about={"kind": path.suffix.removeprefix(".")},
        options=options,
    )
    return replace(made, held=found)  # its file may promise vectors of length 1
