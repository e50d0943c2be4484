"""A trained stack-pointer parser: answers, offers candidates, scores given trees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.protocols import Proposes
from compat_eval.models.decoding import are_trees
from compat_eval.models.decoding.candidates import (
    Makes,
    Narrows,
    best,
    dropout,
    named_candidates,
    top_k,
    top_p,
)
from compat_eval.models.parsing.arcs import FlatTrees
from compat_eval.models.parsing.batching import Batch, batch_of
from compat_eval.models.parsing.dropout import Samples, sentence_seeds
from compat_eval.models.parsing.encoder import EncoderSizes
from compat_eval.models.parsing.sentence import (
    Tree,
    answer_column,
    answers_of,
    sentence_from,
)
from compat_eval.models.parsing.training import read_config
from compat_eval.models.parsing.vocabulary import EncodedSentence, Vocabulary
from compat_eval.models.stack_pointer.actions import Steps, actions_of
from compat_eval.models.stack_pointer.draws import drawing
from compat_eval.models.stack_pointer.mixture import Part, StackPointerMixture, trees_of
from compat_eval.models.stack_pointer.network import (
    StackPointerNetwork,
    StackPointerSizes,
)
from compat_eval.models.stack_pointer.search import Found, Voice, beam_search, search
from compat_eval.models.training.saved_weights import read_weights

BEAM = 10
GENERATORS: Mapping[str, Makes] = {
    "beam": best,
    "top-k": top_k,
    "top-p": top_p,
    "dropout-p": dropout,
}
"""How candidates are made, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPointerParser:
    """A network with its vocabulary.

    log p of a tree is that of the actions that build it inside out, the only ones
    that it was trained on. Answers are found by beam search, which may miss a better
    one, and may find one tree twice, its children in another order.

    Attributes:
        network: Gives scores.
        vocabulary: How it reads words and names relations.
        beam: Partial trees that are kept.

    """

    network: StackPointerNetwork
    vocabulary: Vocabulary
    beam: int = BEAM

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the relations."""
        return self.vocabulary.labels

    def encode(self, inputs: Sequence[Any]) -> list[EncodedSentence]:
        """Return one item a sentence; `len(item)` is its words and the root.

        Raises:
            DataError: An input has no `words` and `upos`.

        """
        return [self.vocabulary.encode(sentence_from(value)) for value in inputs]

    def predict(self, items: Sequence[EncodedSentence]) -> pa.Table:
        """Return a column `prediction`: the best tree that the beam finds."""
        trees = self.best_trees(items) if items else []
        return pa.table({"prediction": answer_column(trees)})

    def best_trees(self, items: Sequence[EncodedSentence]) -> list[Tree]:
        """Return the best tree found of each of at least one sentence."""
        found = self._search(items, self.beam)
        return [trees[0] for trees in self._trees(items, found, 1)]

    def dropout_answers(
        self, items: Sequence[EncodedSentence], samples: Samples
    ) -> list[list[dict[str, Any]]]:
        """Return the best tree found of each sentence in each sample."""
        network, batch = self.network, self._batch(items)
        sentences = [item.sentence for item in items]
        trees: list[list[Tree]] = [[] for _ in items]
        with torch.inference_mode():
            states = network.encoder(batch) if samples.shared_encoder else None
            for group in samples.groups(batch.words.numel()):
                each = batch.repeated(len(group))
                with group.switched_on(network, sentences):
                    again = None if states is None else states.repeat(len(group), 1, 1)
                    voice = self._voice(each, again)
                    found = beam_search([voice], each.lengths, self.beam)
                every = self._trees([*items] * len(group), found, 1)
                for at, of_one in enumerate(every):
                    trees[at % len(items)] += of_one
        return answers_of(trees)

    def drawn_answers(
        self, items: Sequence[EncodedSentence], seeds: Sequence[int], narrow: Narrows
    ) -> list[list[dict[str, Any]]]:
        """Return a tree of each sentence for each seed, drawn action by action."""
        batch = self._batch(items)
        each = sentence_seeds([item.sentence for item in items], seeds)
        with torch.inference_mode():
            found = search(
                [self._voice(batch)],
                batch.lengths,
                torch.zeros(each.shape, device=batch.lengths.device),
                drawing(each, narrow),
            )
        return answers_of(self._trees(items, found, len(seeds)))

    def best_answers(
        self, items: Sequence[EncodedSentence], k: int
    ) -> list[list[dict[str, Any]]]:
        """Return up to `k` trees of each, as they end in the beam."""
        found = self._search(items, max(k, self.beam))
        return answers_of(self._trees(items, found, k))

    def propose(
        self, items: Sequence[EncodedSentence], *, k: int, rng: np.random.Generator
    ) -> list[list[dict[str, Any]]]:
        """Return the `k` best trees in the beam, the best first."""
        return best(self).propose(items, k=k, rng=rng)

    def proposer(self, generator: str, **options: Any) -> Proposes:  # noqa: ANN401
        """Return what makes candidates in another way.

        Args:
            generator: `beam`; `top-k` with the number `top` and `top-p` with the
                share `p`, which draw trees action by action; `dropout-p` with the
                rate `p` and `shared_encoder`.
            options: Of the generator.

        Raises:
            UsageError: The generator or an option is unknown or out of range.

        """
        return named_candidates(self, generator, options, GENERATORS, noun="parser")

    def log_probability(
        self,
        items: Sequence[EncodedSentence],
        answers: Sequence[Sequence[object]],
    ) -> list[Values]:
        """Return log p of each tree of each sentence, in nats.

        What is no tree over the words with one root, or has an unknown relation,
        has -inf.
        """
        if not items:
            return []
        trees = [[Tree.of(answer) for answer in of_one] for of_one in answers]
        return tree_nats(self.network, self.vocabulary, items, trees)

    def mixture(
        self, own: float, others: Sequence[tuple[float, "StackPointerParser"]]
    ) -> StackPointerMixture:
        """Return parsers that decide each step together: log p is added.

        Args:
            own: This parser's weight; its relations are used.
            others: Stack-pointer parsers with their weights.

        Raises:
            UsageError: A weight is negative, or all are 0.

        """
        every = [(own, self), *others]
        parts = tuple(Part(weight, p.network, p.vocabulary) for weight, p in every)
        return StackPointerMixture(parts=parts, beam=self.beam)

    def _search(self, items: Sequence[EncodedSentence], beam: int) -> Found:
        batch = self._batch(items)
        with torch.inference_mode():
            return beam_search([self._voice(batch)], batch.lengths, beam)

    def _batch(self, items: Sequence[EncodedSentence]) -> Batch:
        return batch_of(items, self.network.arc.device)

    def _voice(self, batch: Batch, states: Tensor | None = None) -> Voice:
        """Read a batch, or go on from what the encoder made of it."""
        if states is None:
            memory = self.network.encode(batch)
        else:
            thinned = self.network.encoder.dropout(states)
            memory = self.network.remembered(thinned, batch)
        return Voice(network=self.network, memory=memory)

    def _trees(
        self, items: Sequence[EncodedSentence], found: Found, k: int
    ) -> list[list[Tree]]:
        return trees_of(items, found, k, self.labels)


def load(
    directory: Path, *, labels: tuple[str, ...], device: str
) -> StackPointerParser:
    """Read what `stack_pointer_training.train` wrote.

    Raises:
        ModelError: The weights do not fit the configuration.

    """
    sizes, vocabulary = read_config(directory, labels)
    encoder = EncoderSizes(**sizes.pop("encoder"))
    network = StackPointerNetwork(StackPointerSizes(encoder=encoder, **sizes))
    read_weights(network, directory, device)
    return StackPointerParser(network=network, vocabulary=vocabulary)


_TOGETHER = 256
"""Trees whose actions are in memory at once."""


def tree_nats(
    network: StackPointerNetwork,
    vocabulary: Vocabulary,
    items: Sequence[EncodedSentence],
    trees: Sequence[Sequence[Tree]],
) -> list[Values]:
    """Return log p of each tree of each of at least one sentence, in nats.

    What is no tree over the words with one root, or has an unknown relation, has
    -inf.
    """
    per_sentence = np.array([len(of_one) for of_one in trees], np.int64)
    sentence = np.repeat(np.arange(len(items)), per_sentence)
    every = [tree for of_one in trees for tree in of_one]
    n_words = np.array([len(item) - 1 for item in items], np.int64)[sentence]
    possible = np.flatnonzero(_possible(every, n_words, vocabulary.labels))
    total = np.full(len(every), -np.inf)
    if len(possible):
        chosen = [every[at] for at in possible]
        total[possible] = _nats(network, vocabulary, items, sentence[possible], chosen)
    return list(np.split(total, np.cumsum(per_sentence)[:-1]))


def _nats(
    network: StackPointerNetwork,
    vocabulary: Vocabulary,
    items: Sequence[EncodedSentence],
    sentence: Ints,
    trees: Sequence[Tree],
) -> Values:
    """Return log p of possible trees, each of a sentence by its number."""
    device = network.arc.device
    batch = batch_of(items, device)
    parts: list[Tensor] = []
    with torch.inference_mode():
        memory = network.encode(batch)
        for start in range(0, len(trees), _TOGETHER):
            here = slice(start, start + _TOGETHER)
            rows = torch.from_numpy(sentence[here]).to(device)
            numbers = [vocabulary.label_numbers(t.deprels) for t in trees[here]]
            steps = Steps.of(
                [actions_of(tree.heads) for tree in trees[here]],
                [np.concatenate([[0], number]) for number in numbers],
                device,
                width=batch.words.shape[1],
            )
            nats = network.step_nats(memory.take(rows), steps)
            parts.append(nats.double().sum(dim=-1))
    return np.asarray(torch.cat(parts).cpu().numpy(), np.float64)


def _possible(trees: Sequence[Tree], n_words: Ints, labels: Sequence[str]) -> Bools:
    """Return which trees are trees with one root and known relations."""
    flat = FlatTrees.of(trees, labels)
    possible = flat.possible(n_words)
    if possible.any():
        arcs = flat.take(possible)
        heads = torch.zeros(
            (int(possible.sum()), int(arcs.sizes.max())), dtype=torch.long
        )
        heads[torch.from_numpy(arcs.tree), torch.from_numpy(arcs.word)] = (
            torch.from_numpy(arcs.head)
        )
        possible[possible] = are_trees(heads, torch.from_numpy(arcs.sizes)).numpy()
    return possible
