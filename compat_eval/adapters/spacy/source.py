"""`spacy:` — dependency parsers in spaCy pipelines.

A pipeline's directory, or the name of an installed pipeline package; nothing is
downloaded. A package is not imported, and its config may have only spaCy's own
code called, unless `--trust-remote-code`. (spaCy itself imports the components
that installed packages offer it, as it does for every pipeline.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.relations import suite_relations
from compat_eval.adapters.spacy.config import ROOT_NAME, Pipeline, read_pipeline
from compat_eval.adapters.spacy.places import Place, locate, read_meta
from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import digest, files_digest, library_versions
from compat_eval.models.packages import package

if TYPE_CHECKING:
    from compat_eval.adapters.spacy.parser import SpacyParser

_LIBRARIES = ("spacy", "thinc", "numpy")


def recognises(path: Path) -> bool:
    """Say whether a path is a directory that spaCy saved a pipeline in."""
    return (path / "config.cfg").is_file() and (path / "meta.json").is_file()


def open_source(location: str, options: ModelOptions) -> "SpacySource":
    """Open a pipeline without loading it.

    Raises:
        ModelError: There is no such pipeline, it has no parser, its files are
            damaged, its relations do not fit the map, or another device or dtype
            was asked for.

    """
    reference = f"spacy:{location}"
    place = locate(location, reference=reference)
    if options.dtype != "float32" or options.device != "cpu":
        raise ModelError(
            f"{reference}: spaCy pipelines run on the processor in float32 here; got "
            f"device {options.device!r}, dtype {options.dtype!r}."
        )
    meta = read_meta(place.directory)
    pipeline = read_pipeline(place.directory, reference=reference)
    return SpacySource(
        reference=reference,
        place=place,
        pipeline=pipeline,
        meta=meta,
        labels=_labels(meta, pipeline, options, reference),
        options=options,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacySource:
    """A pipeline that is known but not loaded; see `ModelSource`.

    Attributes:
        place: Where its files are.
        pipeline: Which components a parse needs.
        meta: Its meta.json.
        labels: The suite's names of its relations; `None` where meta.json does not
            list them.

    """

    reference: str
    place: Place
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
        return digest(["spacy", 1, content, code, self.options.deciding()])

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        about = ("lang", "name", "version", "spacy_version")
        return {
            "format": "spacy",
            **{key: self.meta.get(key) for key in about},
            "components": list(self.pipeline.needed),
            "labels": None if self.labels is None else list(self.labels),
            "label_map": dict(self.options.label_map),
            "weight_bytes": sum(path.stat().st_size for path in self.place.files()),
            "libraries": library_versions(*_LIBRARIES),
            "device": self.options.device,
            "dtype": self.options.dtype,
            **self.options.flags(),
        }

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
