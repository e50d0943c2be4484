"""A trained tree seq2seq model: answers, offers candidates, scores given trees.

Its files are config.json, model.safetensors and, with a pretrained encoder, a
tokenizer; the words of an encoder learnt from scratch are in config.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import nn

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Proposes
from compat_eval.models.decoding.candidates import (
    AnswersThinned,
    Candidates,
    Makes,
    Narrows,
    dropout,
    filled_up,
    named_candidates,
    top_k,
    top_p,
)
from compat_eval.models.decoding.search import (
    Reading,
    StepMixture,
    answered,
    beam_search,
    drawn_answers,
    picked,
)
from compat_eval.models.parsing.dropout import Samples, sentence_seeds
from compat_eval.models.parsing.encoder import EncoderSizes
from compat_eval.models.parsing.label_views import translation
from compat_eval.models.parsing.training import read_config, save
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.training.saved_weights import read_weights
from compat_eval.models.tree_seq2seq.actions import (
    Derivation,
    PaddedDerivations,
    derivation,
    written,
)
from compat_eval.models.tree_seq2seq.network import DecoderSizes, TreeNetwork
from compat_eval.models.tree_seq2seq.reading import (
    EncodedUtterance,
    Reader,
    WordEncoder,
    sentence_of,
)
from compat_eval.models.tree_seq2seq.search import PartialTexts, TreeWriter, WriterVote
from compat_eval.tasks.semantic.trees import parse_tree

_SCORED_TOGETHER = 512
"""Trees whose tokens are in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSeq2Seq:
    """A network that writes bracketed trees, with how it reads.

    log p of a tree is that of its tokens, of which every word, label and closing
    bracket is one; the root's bracket ends it. The tokens that would lead to no tree
    over the utterance's words are impossible, so there are no invalid answers.

    Attributes:
        network: Gives log p.
        reader: How it reads utterances.
        by_blanks: Whether words are what stands between blanks.
        beam: Trees that are kept while it answers; 1 is greedy.

    """

    network: TreeNetwork
    reader: Reader
    by_blanks: bool = False
    beam: int = 1

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of intents and slots."""
        return self.network.labels

    def encode(self, inputs: Sequence[Any]) -> list[EncodedUtterance]:
        """Return one item an utterance; `len(item)` is its words and one more.

        Raises:
            DataError: An input is no text.
            ValueError: An utterance has a word that no tree can hold.

        """
        sentences = [sentence_of(one, by_blanks=self.by_blanks) for one in inputs]
        if any("]" in sentence.words for sentence in sentences):
            raise ValueError("the word ']' would close a label of a bracketed tree")
        return [self.reader.encode(sentence) for sentence in sentences]

    @torch.inference_mode()
    def predict(self, items: Sequence[EncodedUtterance]) -> pa.Table:
        """Return a column `prediction`: the best tree that the beam finds."""
        return answered(self, [(1.0, self, items)])

    @torch.inference_mode()
    def beam_texts(
        self, items: Sequence[EncodedUtterance], beam: int
    ) -> list[list[str]]:
        """Return up to `beam` trees of each, as they end in a beam of that width."""
        return self._texts(items, beam_search(self.builder([(1.0, self, items)]), beam))

    def dropout_answers(
        self, items: Sequence[EncodedUtterance], samples: Samples
    ) -> list[list[str]]:
        """Return the best tree found of each utterance in each sample."""
        sentences = [item.sentence for item in items]
        every: list[list[str]] = []
        for one in samples.apart():
            with one.switched_on(self.network, sentences):
                every.append([texts[0] for texts in self.beam_texts(items, self.beam)])
        return [list(texts) for texts in zip(*every, strict=True)]

    @torch.inference_mode()
    def drawn_answers(
        self, items: Sequence[EncodedUtterance], seeds: Sequence[int], narrow: Narrows
    ) -> list[list[str]]:
        """Return a tree for each seed of each utterance, drawn token by token."""
        each = sentence_seeds([item.sentence for item in items], seeds)
        found = drawn_answers(self.builder([(1.0, self, items)]), each, narrow)
        return self._texts(items, found)

    def propose(
        self, items: Sequence[EncodedUtterance], *, k: int, rng: np.random.Generator
    ) -> list[list[str]]:
        """Return the `k` best trees in a beam of `k`, the best first."""
        return _beam(self).propose(items, k=k, rng=rng)

    def proposer(self, generator: str, **options: Any) -> Proposes:  # noqa: ANN401
        """Return what makes candidates in another way.

        Args:
            generator: `beam` with its width `b`, `top-k` with `top`, `top-p` with
                `p`, or `dropout-p` with the rate `p`.
            options: Of the generator.

        Raises:
            UsageError: The generator or an option is unknown or out of range.

        """
        return named_candidates(self, generator, options, _GENERATORS, noun="model")

    def mixture(
        self, own: float, others: Sequence[tuple[float, "TreeSeq2Seq"]]
    ) -> StepMixture:
        """Return models that write together: log p of every token is added.

        Args:
            own: This model's weight; its labels are used.
            others: Models with their weights.

        Raises:
            UsageError: A weight is negative, all are 0, or a model parts words in
                another way.

        """
        parts = ((own, self), *others)
        if len({model.by_blanks for _, model in parts}) > 1:
            raise UsageError(
                "these models cannot write together: one parts words by rules, another "
                "by blanks (setting `words` of their training)"
            )
        return StepMixture(parts)

    def builder(self, read: Sequence[Reading]) -> TreeWriter:
        """Return what writes trees together; see `BuildsInSteps`."""
        return TreeWriter(
            [
                WriterVote(
                    network=model.network,
                    memory=model.network.encode(items),
                    weight=weight,
                    numbers=translation(
                        self.labels, model.labels, model.network.device
                    ),
                )
                for weight, model, items in read
            ]
        )

    def table(
        self, items: Sequence[EncodedUtterance], found: PartialTexts | None
    ) -> pa.Table:
        """Return a column `prediction` of the first tree found of each utterance."""
        every = [] if found is None else self._texts(items, found)
        texts = [texts[0] for texts in every]
        return pa.table({"prediction": pa.array(texts, pa.string())})

    def log_probability(
        self,
        items: Sequence[EncodedUtterance],
        answers: Sequence[Sequence[object]],
    ) -> list[Values]:
        """Return log p of each tree of each utterance, in nats.

        What it cannot write has -inf: what is no tree, has an unknown label, or
        other words than the utterance.
        """
        if not items:
            return []
        number = {name: at for at, name in enumerate(self.labels)}
        rows: dict[tuple[int, str], int] = {}
        trees: list[tuple[int, Derivation]] = []
        for at, (item, of_one) in enumerate(zip(items, answers, strict=True)):
            for text in dict.fromkeys(map(str, of_one)):
                tree = derivation(parse_tree(text), item.sentence.words, number)
                if tree is not None:
                    rows[at, text] = len(trees)
                    trees.append((at, tree))
        nats = np.append(self._nats(items, trees), -np.inf)
        return [
            nats[[rows.get((at, str(answer)), -1) for answer in of_one]]
            for at, of_one in enumerate(answers)
        ]

    def answer_length(self, answer: object) -> int:
        """Return of how many tokens an answer is: words, labels and brackets."""
        return len(str(answer).split())

    def _texts(
        self, items: Sequence[EncodedUtterance], found: PartialTexts
    ) -> list[list[str]]:
        rows = zip(
            items, found.tokens.tolist(), found.nats.isfinite().tolist(), strict=True
        )
        return [
            [
                written(tree, item.sentence.words, self.labels)
                for tree, is_there in zip(trees, there, strict=True)
                if is_there
            ]
            for item, trees, there in rows
        ]

    def _nats(
        self,
        items: Sequence[EncodedUtterance],
        trees: Sequence[tuple[int, Derivation]],
    ) -> Values:
        if not trees:
            return np.zeros(0)
        utterance: Ints = np.array([at for at, _ in trees], np.int64)
        order = np.argsort([len(tree) for _, tree in trees], kind="stable")
        total = np.zeros(len(trees))
        with torch.inference_mode():
            memory = self.network.encode(items)
            for start in range(0, len(trees), _SCORED_TOGETHER):
                here = order[start : start + _SCORED_TOGETHER]
                device = self.network.device
                taken = picked(memory, torch.from_numpy(utterance[here]).to(device))
                steps = PaddedDerivations.of([trees[at][1] for at in here], device)
                nats = self.network.step_nats(taken, steps).double().sum(dim=-1)
                total[here] = nats.cpu().numpy()
        return total


def _beam(model: TreeSeq2Seq, b: int | None = None) -> Candidates:
    """Offer the trees that a beam ends with, the best first; the best one fills up.

    Args:
        model: Whose trees.
        b: Width of the beam; by default as many as candidates are asked for.

    Raises:
        UsageError: `b` is less than 1.

    """
    if b is not None and b < 1:
        raise UsageError(f"beam: b must be at least 1, got {b}")
    return Candidates(
        model, lambda items, k, _: filled_up(model.beam_texts(items, b or k), k)
    )


def _dropout(model: AnswersThinned, p: float = 0.1) -> Candidates:
    """Offer answers under dropout; see `dropout`.

    One seed is one dropout mask of the encoder and the decoder, for all tokens.
    """
    return dropout(model, p)


_GENERATORS: Mapping[str, Makes] = {
    "beam": _beam,
    "top-k": top_k,
    "top-p": top_p,
    "dropout-p": _dropout,
}
"""How candidates are made, by name."""


def save_model(model: TreeSeq2Seq, out: Path) -> None:
    """Write what `load` reads."""
    network, reader = model.network, model.reader
    sizes: dict[str, Any] = {"decoder": asdict(network.sizes)}
    if model.by_blanks:
        sizes["words"] = "blanks"
    vocabulary = Vocabulary(words=(), characters=(), tags=(), labels=network.labels)
    if isinstance(network.encoder, WordEncoder):
        assert isinstance(reader, Vocabulary)
        vocabulary = reader
        sizes["encoder"] = asdict(network.encoder.sizes)
    else:
        sizes["pretrained"] = _pretrained(network.encoder, reader, out)
    save("seq2seq", network, vocabulary, out, sizes=sizes)


def load(directory: Path, *, labels: tuple[str, ...], device: str) -> TreeSeq2Seq:
    """Read what `save_model` wrote.

    Raises:
        ModelError: The tokenizer is missing, or the weights do not fit the
            configuration.

    """
    sizes, vocabulary = read_config(directory, labels)
    encoder: Any
    reader: Reader
    if "pretrained" in sizes:
        encoder, reader = _rebuilt(sizes["pretrained"], directory)
    else:
        encoder, reader = WordEncoder(EncoderSizes(**sizes["encoder"])), vocabulary
    network = TreeNetwork(encoder, DecoderSizes(**sizes["decoder"]), labels)
    read_weights(network, directory, device)
    by_blanks = sizes.get("words") == "blanks"
    return TreeSeq2Seq(network=network, reader=reader, by_blanks=by_blanks)


def _pretrained(encoder: object, reader: object, out: Path) -> dict[str, Any]:
    from compat_eval.models.tree_seq2seq import pretrained  # noqa: PLC0415

    assert isinstance(encoder, pretrained.PretrainedEncoder)
    assert isinstance(reader, pretrained.SubwordReader)
    # The tokenizer decides answers, and a fingerprint reads config.json.
    digest = reader.digest(out / pretrained.TOKENIZER)
    return {"config": pretrained.described(encoder), "tokenizer_sha256": digest}


def _rebuilt(saved: Mapping[str, Any], directory: Path) -> tuple[nn.Module, Reader]:
    from compat_eval.models.tree_seq2seq import pretrained  # noqa: PLC0415

    reader = pretrained.reader_from(directory / pretrained.TOKENIZER)
    return pretrained.rebuilt(saved["config"]), reader
