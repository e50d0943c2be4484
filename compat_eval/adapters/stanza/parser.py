"""A loaded Stanza parser, given words and tags."""

import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

from compat_eval.adapters.given_words import GivenWords, GivenWordsParser
from compat_eval.adapters.labels import suite_relations
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.core.text import words_of
from compat_eval.models.packages import package
from compat_eval.models.parsing.sentence import Tree

if TYPE_CHECKING:
    from compat_eval.adapters.stanza.source import ParserFiles

_LANGUAGE = "xx"
"""Stanza wants a language's name; a parser by itself makes no use of it."""

_KINDS = MappingProxyType(
    {"pretrain": "pretrain", "forward_charlm": "charlm", "backward_charlm": "charlm"}
)
"""Which entry of its configuration says that a parser needs a kind of file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StanzaParser(GivenWordsParser):
    """Parses the words of the suite, with the suite's tags, features and lemmas.

    Attributes:
        pipeline: A pipeline of Stanza that only parses.

    """

    pipeline: Any

    def trees(self, items: Sequence[GivenWords]) -> list[Tree]:
        """Return a tree for each sentence, with the parser's own relations."""
        if not items:
            return []
        parsed = self.pipeline(self.document([_words(item) for item in items]))
        return [
            Tree(
                tuple(int(word.head) for word in sentence.words),
                tuple(word.deprel for word in sentence.words),
            )
            for sentence in parsed.sentences
        ]


def load_parser(
    files: "ParserFiles", options: ModelOptions, *, reference: str
) -> StanzaParser:
    """Read a parser and what belongs to it, never from the network.

    Every file is first read in torch's mode for numbers only, so that none is
    opened that could run code, whichever version of Stanza is installed.

    Raises:
        ModelError: A file is damaged, holds more than numbers, is no parser, or
            something that the parser needs is not there.
        MissingPackageError: Stanza is not installed.

    """
    stanza = package("stanza", extra="stanza")
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    needed = _needed(_checked(files.parser), files, reference)
    try:
        pipeline = _pipeline(stanza, files.parser, needed, options.device)
    except Exception as error:  # whatever files that do not fit provoke
        raise ModelError(
            f"{reference}: Stanza {stanza.__version__} cannot load it: "
            f"{words_of(error)}"
        ) from error
    return StanzaParser(
        pipeline=pipeline,
        document=package("stanza.models.common.doc", extra="stanza").Document,
        names=suite_relations(
            pipeline.processors["depparse"].get_known_relations(),
            options.label_map,
            reference=reference,
        ),
    )


def _pipeline(
    stanza: Any,  # noqa: ANN401
    parser: Path,
    needed: Mapping[str, Path],
    device: str,
) -> Any:  # noqa: ANN401
    with tempfile.TemporaryDirectory() as empty:
        (Path(empty) / "resources.json").write_text("{}", "utf-8")
        return stanza.Pipeline(
            _LANGUAGE,
            dir=empty,
            processors={"depparse": "default"},
            download_method=None,
            allow_unknown_language=True,
            device=device,
            verbose=False,
            depparse_pretagged=True,
            depparse_model_path=str(parser),
            **{f"depparse_{kind}_path": str(path) for kind, path in needed.items()},
        )


def _needed(
    checkpoint: Mapping[str, Any], files: "ParserFiles", reference: str
) -> dict[str, Path]:
    """Return those files beside a parser that it makes use of."""
    kinds: set[str] = set()
    for config in _configs(checkpoint, reference):
        if config.get("bert_model"):
            raise ModelError(
                f"{reference}: reads the transformer {config['bert_model']}, which is "
                "not among its files, so what decides its answers is not known. "
                "Parsers with word vectors or character models can be compared."
            )
        kinds |= {kind for kind, entry in _KINDS.items() if config.get(entry)}
    absent = sorted(kinds - set(files.others))
    if absent:
        raise ModelError(
            f"{reference}: was trained with {', '.join(absent)}, and no such file is "
            f"beside it; copy it into {files.parser.parent}."
        )
    needed = {kind: files.others[kind] for kind in sorted(kinds)}
    for path in needed.values():
        _checked(path)
    return needed


def _configs(
    checkpoint: Mapping[str, Any], reference: str
) -> Iterator[Mapping[str, Any]]:
    """Yield a parser's configuration, and those of its members where it has some."""
    if "deprel" not in (checkpoint.get("vocab") or {}):
        raise ModelError(f"{reference}: no dependency parser of Stanza")
    yield checkpoint.get("config") or {}
    yield from (checkpoint.get("model") or {}).get("args") or ()


def _checked(path: Path) -> Mapping[str, Any]:
    """Read a file of torch that may hold only numbers, texts and the like."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path}: refused: it is damaged, or a pickle that could run code when it "
            "is opened, as older versions of Stanza wrote them. Download the model "
            "anew; or, if you trust where it is from, load and save it once with "
            "Stanza 1.12 or earlier."
        ) from error
    except Exception as error:  # whatever a damaged file provokes
        raise ModelError(
            f"{path}: cannot be read: {type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]}"
        ) from error
    if not isinstance(content, Mapping):
        raise ModelError(f"{path}: no model of Stanza")
    return content


def _words(item: GivenWords) -> list[dict[str, Any]]:
    """Return one sentence in the form of Stanza's documents."""
    return [
        {"id": at, "text": word, "upos": upos or "_", **_known(xpos, feats, lemma)}
        for at, (word, upos, xpos, feats, lemma) in enumerate(
            zip(item.words, item.upos, item.xpos, item.feats, item.lemmas, strict=True),
            start=1,
        )
    ]


def _known(xpos: str | None, feats: str | None, lemma: str | None) -> dict[str, str]:
    named = {"xpos": xpos, "feats": feats, "lemma": lemma}
    return {name: value for name, value in named.items() if value is not None}
