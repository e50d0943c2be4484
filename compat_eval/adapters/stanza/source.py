"""`stanza:` — dependency parsers of Stanza.

A parser's file (.pt), or a directory that holds one; nothing is downloaded. It
parses the suite's words with the suite's own tags, features and lemmas, as in
the gold-tag setting of Universal Dependencies.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stanza.files import ParserFiles, locate, parsers_in
from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import digest, file_digest, library_versions
from compat_eval.models.packages import package

if TYPE_CHECKING:
    from compat_eval.adapters.stanza.parser import StanzaParser

_LIBRARIES = ("stanza", "torch", "transformers", "tokenizers")


def recognises(path: Path) -> bool:
    """Say whether a path is a file of torch, or a directory with Stanza parsers."""
    if path.is_dir():
        return bool(parsers_in(path))
    return path.is_file() and path.suffix == ".pt"


def open_source(location: str, options: ModelOptions) -> "StanzaSource":
    """Open a parser without loading it.

    Raises:
        ModelError: There is no such parser, files that belong to it are not there
            or not known, or another dtype was asked for.

    """
    reference = f"stanza:{location}"
    files = locate(location, reference=reference)
    if options.dtype != "float32":
        raise ModelError(
            f"{reference}: only float32 is possible; got {options.dtype!r}."
        )
    return StanzaSource(reference=reference, files=files, options=options)


@dataclass(frozen=True, slots=True, kw_only=True)
class StanzaSource:
    """A parser that is known but not loaded; see `ModelSource`.

    Attributes:
        files: The parser's file and those that may belong to it.

    """

    reference: str
    files: ParserFiles
    options: ModelOptions

    def fingerprint(self) -> str:
        """Return a SHA-256 of parser, word vectors, character models, settings."""
        content = {kind: file_digest(path) for kind, path in self.files.all().items()}
        return digest(["stanza", 1, content, self.options.deciding()])

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance; only loading tells the relations."""
        files = self.files.all()
        return {
            "format": "stanza",
            "tags": "of the suite",
            "labels": None,
            "label_map": dict(self.options.label_map),
            "weights": [path.name for path in files.values()],
            "weight_bytes": sum(path.stat().st_size for path in files.values()),
            "libraries": library_versions(*_LIBRARIES),
            "device": self.options.device,
            "dtype": self.options.dtype,
            **self.options.flags(),
        }

    def load(self) -> "StanzaParser":
        """Read the parser and what belongs to it.

        Raises:
            ModelError: A file is damaged, holds more than numbers, or is no parser;
                something that the parser needs is not there, or the label map
                does not fit.
            MissingPackageError: Stanza is not installed.

        """
        package("stanza", extra="stanza")
        from compat_eval.adapters.stanza.parser import load_parser  # noqa: PLC0415

        return load_parser(self.files, self.options, reference=self.reference)
