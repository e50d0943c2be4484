"""A loaded spaCy pipeline that parses words as they are given."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compat_eval.adapters.given_words import GivenWords, GivenWordsParser
from compat_eval.adapters.labels import suite_relations
from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.spacy.config import (
    ROOT_NAME,
    Pipeline,
    refuse_foreign,
    refuse_torch_inside,
)
from compat_eval.core.errors import ModelError
from compat_eval.core.text import words_of
from compat_eval.models.packages import package
from compat_eval.models.parsing.sentence import Tree

if TYPE_CHECKING:
    from compat_eval.adapters.spacy.source import PipelineFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacyParser(GivenWordsParser):
    """Parses the words of the suite: they are neither cut nor joined.

    The sentence is one: no boundary may be set inside it, so a parse has one
    root. The pipeline's own tagger is used where the parser has need of one,
    never the suite's tags.

    Attributes:
        nlp: The pipeline up to its parser.

    """

    nlp: Any

    def trees(self, items: Sequence[GivenWords]) -> list[Tree]:
        """Return a tree for each sentence, with the pipeline's own relations."""
        documents = [self._document(item) for item in items]
        parsed = self.nlp.pipe(documents, batch_size=max(1, len(items)))
        return [_tree(document) for document in parsed]

    def _document(self, item: GivenWords) -> Any:  # noqa: ANN401
        return self.document(
            self.nlp.vocab,
            words=list(item.words),
            spaces=list(item.spaces),
            sent_starts=[True] + [False] * (len(item) - 1),
        )


def load_parser(
    place: "PipelineFiles", pipeline: Pipeline, options: ModelOptions, *, reference: str
) -> SpacyParser:
    """Read a pipeline's parser and what stands before it.

    Raises:
        ModelError: The files are damaged or made for another spaCy, the config
            has other code called than spaCy's own, or the label map does not fit.
        MissingPackageError: spaCy is not installed.

    """
    spacy = package("spacy", extra="spacy")
    _check_code(spacy, place, options, reference)
    try:
        nlp = spacy.load(place.directory, exclude=[*pipeline.others, "tokenizer"])
    except Exception as error:  # whatever damaged files provoke
        raise _unreadable(spacy, place, error, reference) from error
    if pipeline.parser not in nlp.pipe_names:
        raise ModelError(
            f"{reference}: spaCy leaves out {pipeline.parser!r} when it loads the "
            f"pipeline; see {place.directory / 'config.cfg'}."
        )
    own = [label for label in nlp.get_pipe(pipeline.parser).labels if "||" not in label]
    names = suite_relations(
        own, options.label_map, reference=reference, known=ROOT_NAME
    )
    document = package("spacy.tokens", extra="spacy").Doc
    return SpacyParser(nlp=nlp, document=document, names=names)


def _tree(document: Any) -> Tree:  # noqa: ANN401
    roots_at_0 = ((word.i, word.head.i) for word in document)
    return Tree(
        tuple(0 if head == at else head + 1 for at, head in roots_at_0),
        tuple(word.dep_ for word in document),
    )


def _check_code(
    spacy: Any,  # noqa: ANN401
    place: "PipelineFiles",
    options: ModelOptions,
    reference: str,
) -> None:
    path = place.directory / "config.cfg"
    try:
        config = spacy.util.load_config(path, interpolate=True)
    except Exception as error:  # whatever a damaged file provokes
        raise _unreadable(spacy, place, error, reference) from error
    if not options.trust_remote_code:
        refuse_foreign(config, reference=reference)
    elif place.package is not None:
        importlib.import_module(place.package)
    if not options.allow_pickle:
        refuse_torch_inside(config, reference=reference)


def _unreadable(
    spacy: Any,  # noqa: ANN401
    place: "PipelineFiles",
    error: Exception,
    reference: str,
) -> ModelError:
    return ModelError(
        f"{reference}: spaCy {spacy.__version__} cannot load {place.directory}: "
        f"{words_of(error)}"
    )
