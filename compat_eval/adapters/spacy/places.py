"""Where a spaCy pipeline's files are: a directory, or inside a package."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from compat_eval.adapters.quoted import contents
from compat_eval.core.errors import ModelError
from compat_eval.core.files import read_json


@dataclass(frozen=True, slots=True)
class Place:
    """A pipeline's files.

    Attributes:
        directory: The one that holds config.cfg and meta.json.
        package: The installed package that it is part of, if any.

    """

    directory: Path
    package: str | None = None

    def files(self) -> tuple[Path, ...]:
        """Return every file of the pipeline, sorted."""
        return tuple(sorted(p for p in self.directory.rglob("*") if p.is_file()))

    def code(self) -> tuple[Path, ...]:
        """Return the Python files of its package, sorted; none without a package."""
        if self.package is None:
            return ()
        return tuple(sorted(self.directory.parent.rglob("*.py")))


def locate(location: str, *, reference: str) -> Place:
    """Find a pipeline by its directory or by the name of an installed package.

    A package is looked up without being imported.

    Raises:
        ModelError: There is neither, or what is there is no pipeline.

    """
    directory = Path(location).expanduser()
    if directory.is_dir():
        _require_pipeline(directory, reference)
        return Place(directory)
    if directory.exists():
        raise ModelError(f"{reference}: expected a directory, and it is a file.")
    spec = find_spec(location) if location.isidentifier() else None
    if spec is None or spec.origin is None:
        raise ModelError(
            f"{reference}: neither a directory nor an installed package. Give the "
            "directory that `nlp.to_disk` or `spacy train` wrote (it holds "
            "config.cfg), or install the pipeline's package."
        )
    root = Path(spec.origin).parent
    inside = sorted(path.parent for path in root.glob("*/config.cfg"))
    if len(inside) != 1:
        raise ModelError(
            f"{reference}: the installed package {location} holds {len(inside)} "
            "pipelines; expected one directory with a config.cfg."
        )
    _require_pipeline(inside[0], reference)
    return Place(inside[0], package=location)


def read_meta(directory: Path) -> Mapping[str, Any]:
    """Read a pipeline's meta.json.

    Raises:
        ModelError: It is not there or damaged.

    """
    path = directory / "meta.json"
    try:
        meta = read_json(path)
    except FileNotFoundError:
        raise ModelError(
            f"{path}: there is no such file; copy the whole directory that spaCy wrote."
        ) from None
    except ValueError as error:
        raise ModelError(f"{path}: damaged: {error}") from error
    if not isinstance(meta, dict):
        raise ModelError(f"{path}: damaged: expected a JSON object")
    return meta


def _require_pipeline(directory: Path, reference: str) -> None:
    if (directory / "config.cfg").is_file():
        return
    best = directory / "model-best"
    if best.is_dir():
        hint = f"; did you mean spacy:{best}?"
    elif (directory / "meta.json").is_file():
        hint = ", only the meta.json of spaCy 2, which is not read. Train it again"
    else:
        hint = f" in {directory}; found {contents(directory)}."
    raise ModelError(f"{reference}: no config.cfg{hint}")
