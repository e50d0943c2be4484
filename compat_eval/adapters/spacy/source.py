"""`spacy:` — dependency parsers in spaCy pipelines.

A pipeline's directory, or the name of an installed pipeline package; nothing is
downloaded. A package is not imported, and its config may have only spaCy's own
code called, unless `--trust-remote-code`. (spaCy itself imports the components
that installed packages offer it, as it does for every pipeline.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compat_eval.adapters.labels import suite_relations
from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.spacy.config import ROOT_NAME, Pipeline, read_pipeline
from compat_eval.core.errors import ModelError
from compat_eval.core.files import read_json
from compat_eval.core.fingerprint import files_digest, library_versions
from compat_eval.core.text import contents
from compat_eval.models.packages import package

if TYPE_CHECKING:
    from compat_eval.adapters.spacy.parser import SpacyParser


_LIBRARIES = ("spacy", "thinc", "numpy")


def recognises(path: Path) -> bool:
    """Say whether a path is a directory that spaCy saved a pipeline in."""
    return (path / "config.cfg").is_file() and (path / "meta.json").is_file()


def open_source(location: str, options: ModelOptions) -> "_SpacySource":
    """Open a pipeline without loading it.

    Raises:
        ModelError: There is no such pipeline, it has no parser, its files are
            damaged, its relations do not fit the map, or another device or dtype
            was asked for.

    """
    reference = f"spacy:{location}"
    place = _locate(location, reference=reference)
    options.require_plain(
        reference, "spaCy pipelines run on the processor in float32 here"
    )
    meta = _read_meta(place.directory)
    pipeline = read_pipeline(place.directory, reference=reference)
    return _SpacySource(
        reference=reference,
        place=place,
        pipeline=pipeline,
        meta=meta,
        labels=_labels(meta, pipeline, options, reference),
        options=options,
    )


@dataclass(frozen=True, slots=True)
class PipelineFiles:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _SpacySource:
    """A pipeline that is known but not loaded; see `ModelSource`.

    Attributes:
        place: Where its files are.
        pipeline: Which components a parse needs.
        meta: Its meta.json.
        labels: The suite's names of its relations; `None` where meta.json does not
            list them.

    """

    reference: str
    place: PipelineFiles
    pipeline: Pipeline
    meta: Mapping[str, Any]
    labels: tuple[str, ...] | None
    options: ModelOptions

    def fingerprint(self) -> str:
        """Return a SHA-256 of all files, the code that is trusted, and the settings."""
        directory = self.place.directory
        content = files_digest(directory, self.place.files())
        trusted = self.place.code() if self.options.trust_remote_code else ()
        code = files_digest(directory.parent, trusted)
        return self.options.fingerprint("spacy", 1, content, code)

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        about = ("lang", "name", "version", "spacy_version")
        return self.options.description(
            format="spacy",
            **{key: self.meta.get(key) for key in about},
            components=list(self.pipeline.needed),
            labels=self.labels,
            weight_bytes=sum(path.stat().st_size for path in self.place.files()),
            libraries=library_versions(*_LIBRARIES),
        )

    def load(self) -> "SpacyParser":
        """Read the parser and what stands before it in the pipeline.

        Raises:
            ModelError: The files are damaged or made for another spaCy, or have
                code called that is not spaCy's own.
            MissingPackageError: spaCy is not installed.

        """
        package("spacy", extra="spacy")
        from compat_eval.adapters.spacy.parser import load_parser  # noqa: PLC0415

        return load_parser(
            self.place, self.pipeline, self.options, reference=self.reference
        )


def _labels(
    meta: Mapping[str, Any], pipeline: Pipeline, options: ModelOptions, reference: str
) -> tuple[str, ...] | None:
    listed = meta.get("labels")
    own = listed.get(pipeline.parser) if isinstance(listed, Mapping) else None
    if not own:
        return None
    names = suite_relations(
        own, options.label_map, reference=reference, known=ROOT_NAME
    )
    return tuple(sorted(set(names.values())))


def _locate(location: str, *, reference: str) -> PipelineFiles:
    """Find a pipeline by its directory or by the name of an installed package.

    A package is looked up without being imported.

    Raises:
        ModelError: There is neither, or what is there is no pipeline.

    """
    directory = Path(location).expanduser()
    if directory.is_dir():
        _require_pipeline(directory, reference)
        return PipelineFiles(directory)
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
    return PipelineFiles(inside[0], package=location)


def _read_meta(directory: Path) -> Mapping[str, Any]:
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
