"""`stanza:` — dependency parsers of Stanza.

A parser's file (.pt), or a directory that holds one; nothing is downloaded. It
parses the suite's words with the suite's own tags, features and lemmas, as in
the gold-tag setting of Universal Dependencies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError, some
from compat_eval.core.files import read_json
from compat_eval.core.fingerprint import file_digest, library_versions
from compat_eval.core.text import contents
from compat_eval.models.packages import package

if TYPE_CHECKING:
    from compat_eval.adapters.stanza.parser import StanzaParser


_LIBRARIES = ("stanza", "torch", "transformers", "tokenizers")
_PARSERS = "depparse"
_FLAT = MappingProxyType(
    {
        "pretrain": "*pretrain*.pt",
        "forward_charlm": "*forward*.pt",
        "backward_charlm": "*backward*.pt",
    }
)
"""Kinds of files that a parser may need, and what they are called beside it."""


def recognises(path: Path) -> bool:
    """Say whether a path is a file of torch, or a directory with Stanza parsers."""
    if path.is_dir():
        return bool(_parsers_in(path))
    return path.is_file() and path.suffix == ".pt"


def open_source(location: str, options: ModelOptions) -> "_StanzaSource":
    """Open a parser without loading it.

    Raises:
        ModelError: There is no such parser, files that belong to it are not there
            or not known, or another dtype was asked for.

    """
    reference = f"stanza:{location}"
    files = _locate(location, reference=reference)
    options.require_plain(reference, "only float32 is possible", cpu=False)
    return _StanzaSource(reference=reference, files=files, options=options)


@dataclass(frozen=True, slots=True)
class ParserFiles:
    """A parser, and what may belong to it.

    Attributes:
        parser: The parser itself.
        others: Files by kind: `pretrain`, `forward_charlm`, `backward_charlm`;
            those that are there.

    """

    parser: Path
    others: Mapping[str, Path]

    def all(self) -> dict[str, Path]:
        """Return every file by its kind."""
        return {_PARSERS: self.parser, **self.others}


@dataclass(frozen=True, slots=True, kw_only=True)
class _StanzaSource:
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
        return self.options.fingerprint("stanza", 1, content)

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance; only loading tells the relations."""
        return self.options.description(
            format="stanza",
            tags="of the suite",
            labels=None,
            weights=list(self.files.all().values()),
            libraries=library_versions(*_LIBRARIES),
        )

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


def _locate(location: str, *, reference: str) -> ParserFiles:
    """Find a parser: its file, or the only one of a directory.

    Raises:
        ModelError: There is none, or several, or several files of a kind could
            belong to it.

    """
    path = Path(location).expanduser()
    if path.is_dir():
        path = _only_parser(path, reference)
    elif not path.is_file():
        raise ModelError(
            f"{reference}: no such file or directory. Give a parser's file, such as "
            "stanza_resources/en/depparse/combined_charlm.pt; nothing is downloaded."
        )
    named = _named(path, reference)
    if named is not None:
        return ParserFiles(path, named)
    found = {kind: _only(kind, _beside(path, kind), reference) for kind in _FLAT}
    return ParserFiles(path, {k: p for k, p in found.items() if p is not None})


def _parsers_in(directory: Path) -> list[Path]:
    """Return the parsers that a directory seems to hold, sorted."""
    found = _files(directory / _PARSERS, "*.pt") or [
        path
        for pattern in ("*parser.pt", f"*{_PARSERS}*.pt")
        for path in _files(directory, pattern)
    ]
    return sorted(set(found))


def _only_parser(directory: Path, reference: str) -> Path:
    found = _parsers_in(directory)
    if len(found) == 1:
        return found[0]
    if found:
        names = some([path.relative_to(directory) for path in found])
        raise ModelError(
            f"{reference}: holds {len(found)} parsers ({names}); name the file, as in "
            f"stanza:{found[0]}."
        )
    raise ModelError(
        f"{reference}: no parser (depparse/NAME.pt or NAME_parser.pt) in {directory}; "
        f"found {contents(directory)}."
    )


def _named(parser: Path, reference: str) -> dict[str, Path] | None:
    """Return what resources.json says belongs to a parser, if there is one."""
    language = parser.parent.parent
    path = language.parent / "resources.json"
    if parser.parent.name != _PARSERS or not path.is_file():
        return None
    try:
        known = read_json(path)
        about = known.get(language.name, {}).get(_PARSERS, {}).get(parser.stem)
        wanted = None if about is None else _dependencies(about)
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: damaged: {type(error).__name__}: {error}") from error
    if wanted is None:
        return None
    files = {kind: language / kind / f"{name}.pt" for kind, name in wanted.items()}
    absent = [str(file) for file in files.values() if not file.is_file()]
    if absent:
        raise ModelError(
            f"{reference}: {some(absent)} belongs to it and is not there; fetch it "
            "with stanza.download, or copy it."
        )
    return files


def _dependencies(about: Mapping[str, Any]) -> dict[str, str]:
    given = about.get("dependencies") or []
    return {d["model"]: d["package"] for d in given if d["model"] in _FLAT}


def _beside(parser: Path, kind: str) -> list[Path]:
    if parser.parent.name == _PARSERS:
        return _files(parser.parent.parent / kind, "*.pt")
    return [p for p in _files(parser.parent, _FLAT[kind]) if p != parser]


def _files(directory: Path, pattern: str) -> list[Path]:
    """Return existing files, sorted, without broken links."""
    return sorted(path for path in directory.glob(pattern) if path.is_file())


def _only(kind: str, found: list[Path], reference: str) -> Path | None:
    if len(found) > 1:
        raise ModelError(
            f"{reference}: {len(found)} files of the kind {kind} could belong to it "
            f"({some(path.name for path in found)}); keep only the one that it was "
            "trained with, or Stanza's resources.json."
        )
    return found[0] if found else None
