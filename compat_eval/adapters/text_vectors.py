"""Encoders of texts that are known but not loaded, whatever they are kept as.

How a text becomes a vector is part of who the model is: pooling, layers behind it,
normalisation and prompts are in its fingerprint. For a directory that does not say it,
a reference does, after a `#`: `hf:DIR#mean,normalise,query=find: `. Its parts are one
or more of the poolings (`pooled` where the network pools by itself), `normalise`, and
`query=`, `document=` or `prompt=` with what is put before a text; a comma in a prompt
is written `%2C`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from weakref import WeakValueDictionary

from compat_eval.adapters.huggingface.config import read_config
from compat_eval.adapters.huggingface.files import ModelFiles
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import files_digest, library_versions
from compat_eval.core.protocols import Part
from compat_eval.models.encoders.pretrained import load_tokenizer
from compat_eval.models.encoders.text_items import Batch, open_encoder
from compat_eval.models.encoders.text_vectors import TextVectors, torch_states
from compat_eval.models.encoders.vector_head import (
    POOLINGS,
    Normalise,
    Pooling,
    Singles,
    VectorHead,
)
from compat_eval.models.packages import package

_LIBRARIES = ("torch", "transformers", "tokenizers", "sentencepiece", "numpy")
_NORMALISE, _POOLED = "normalise", "pooled"
_ENCODER_OF = {"t5": "T5EncoderModel", "mt5": "MT5EncoderModel"}
"""Classes of transformers that read the encoder of what also decodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """What is put before texts.

    Attributes:
        query: Before queries.
        document: Before documents.
        plain: Before a text of which nothing is said.

    """

    query: str = ""
    document: str = ""
    plain: str = ""

    def of(self, part: Part | None) -> str:
        """Return what is put before a text of this part."""
        return {"query": self.query, "document": self.document}.get(
            part or "", self.plain
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorReading:
    """What a reference says after its `#`.

    Attributes:
        modes: Poolings; none where it names none.
        normalise: Whether vectors get length 1.
        prompts: What is put before texts.

    """

    modes: tuple[str, ...] = ()
    normalise: bool = False
    prompts: Prompts = field(default_factory=Prompts)

    @property
    def head(self) -> VectorHead:
        """What makes vectors in this way."""
        pooling = Pooling(modes=self.modes) if self.modes else None
        steps = (Normalise(),) if self.normalise else ()
        return VectorHead(pooling=pooling, steps=steps)


def parse_reading(text: str, *, reference: str) -> VectorReading:
    """Read what a reference says after its `#`.

    Examples:
        >>> found = parse_reading("mean,normalise,query=find: ", reference="hf:m")
        >>> found.modes, found.normalise, found.prompts.query
        (('mean',), True, 'find: ')

    Raises:
        ModelError: A part of it is unknown.

    """
    modes, prompts, normalise = [], {}, False
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if part in POOLINGS:
            modes.append(part)
        elif part == _NORMALISE:
            normalise = True
        elif part == _POOLED:
            continue
        elif equals and name in {"query", "document", "prompt"}:
            prompts["plain" if name == "prompt" else name] = unquote(value)
        else:
            raise ModelError(
                f"{reference}: {part!r} after # says nothing about vectors; expected "
                f"poolings ({', '.join((*POOLINGS, _POOLED))}), {_NORMALISE}, query=, "
                "document= and prompt= with what is put before a text, joined by commas"
            )
    if (plain := prompts.get("plain")) is not None:
        prompts = {"query": plain, "document": plain, **prompts}
    return VectorReading(
        modes=tuple(modes), normalise=normalise, prompts=Prompts(**prompts)
    )


_alive: "WeakValueDictionary[str, _Network]" = WeakValueDictionary()
"""Networks in use, so that one is not loaded twice for queries and for documents."""


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class _Network:
    """A loaded encoder without its prompt."""

    encoder: TextVectors

    def states(self, batch: Batch) -> Singles:
        """Return states of a batch; who holds this method keeps the network alive."""
        return self.encoder.states(batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextVectorsSource:
    """An encoder of texts; see `ModelSource` and `ReadsByPart`.

    Attributes:
        reference: What the user wrote.
        scheme: That it is opened by.
        directory: Where its files are.
        files: All that decide a vector, but prompts.
        how: How states become a vector, JSON-ready.
        normalised: Whether every vector has length 1.
        prompts: What is put before texts.
        read: Reads tokenizer, network and head.
        options: How it is opened.
        weights: The files of weights among `files`.
        libraries: Packages that compute.
        part: What it reads; `None` where nothing is said.

    """

    reference: str
    scheme: str
    directory: Path
    files: tuple[Path, ...]
    how: Mapping[str, Any]
    normalised: bool
    prompts: Prompts
    read: Callable[[], TextVectors]
    options: ModelOptions
    weights: tuple[Path, ...]
    libraries: tuple[str, ...] = _LIBRARIES
    part: Part | None = None

    def reading(self, part: Part) -> "TextVectorsSource":
        """Return the encoder as it reads queries, or documents."""
        return replace(self, part=part)

    def fingerprint(self) -> str:
        """Return a SHA-256 of its files, of how vectors are made, and of the prompt."""
        return self.options.fingerprint(*self._content(), self.prompts.of(self.part))

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        return self.options.description(
            format=self.scheme,
            labels=None,
            weights=self.weights,
            gives="vectors",
            vectors=dict(self.how),
            normalised=self.normalised,
            prompt=self.prompts.of(self.part),
            prompts={part: self.prompts.of(part) for part in ("query", "document")},
            libraries=library_versions(*self.libraries),
        )

    def load(self) -> TextVectors:
        """Read tokenizer and weights, unless they are in memory for another part.

        Raises:
            ModelError: They are damaged or not there.
            MissingPackageError: A package that computes is not installed.

        """
        key = self.options.fingerprint(*self._content())
        network = _alive.get(key)
        if network is None:
            network = _alive[key] = _Network(self.read())
        return replace(
            network.encoder,
            states=network.states,
            prompt=self.prompts.of(self.part),
        )

    def _content(self) -> list[Any]:
        files = files_digest(self.directory, self.files)
        return [f"{self.scheme}-vectors", 1, files, dict(self.how)]


def read_text_vectors(
    files: ModelFiles,
    head: VectorHead,
    *,
    reference: str,
    options: ModelOptions,
    longest: int | None = None,
    lower: bool = False,
) -> TextVectors:
    """Read an encoder of transformers, with what makes vectors of its states.

    Args:
        files: Network and tokenizer.
        head: What makes vectors of states.
        reference: What the user wrote.
        options: How it is opened.
        longest: Most tokens of a text that are read; `None` for what it can.
        lower: Whether texts are put into lower case.

    Raises:
        ModelError: They are damaged.
        MissingPackageError: torch or transformers is not installed.

    """
    transformers = package("transformers")
    package("torch")
    from compat_eval.adapters.huggingface.classifier import load_network  # noqa: PLC0415

    kind = str(read_config(files.directory).get("model_type"))
    auto = getattr(transformers, _ENCODER_OF.get(kind, "AutoModel"))
    network = load_network(
        auto, files, options, reference=reference, unused=("pooler.",)
    )
    tokenizer = load_tokenizer(
        files.directory, reference, trust_code=options.trust_remote_code
    )
    texts = open_encoder(tokenizer, network.config.to_dict())
    if longest is not None:
        texts = replace(texts, longest=min(texts.longest, longest))
    return TextVectors(
        states=torch_states(network), texts=texts, head=head, lower=lower
    )
