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
from compat_eval.models.decoding.search import (
    Reading,
    StepMixture,
    answered,
    beam_search,
    drawn_answers,
    picked,
)
from compat_eval.models.parsing.arcs import FlatTrees
from compat_eval.models.parsing.batching import batch_of
from compat_eval.models.parsing.dropout import Samples, sentence_seeds
from compat_eval.models.parsing.encoder import EncoderSizes
from compat_eval.models.parsing.label_views import translation
from compat_eval.models.parsing.sentence import (
    Tree,
    answer_column,
    answers_of,
    sentence_from,
)
from compat_eval.models.parsing.training import read_config
from compat_eval.models.parsing.vocabulary import EncodedSentence, Vocabulary
from compat_eval.models.stack_pointer.actions import PaddedActions, actions_of
from compat_eval.models.stack_pointer.network import (
    StackPointerNetwork,
    StackPointerSizes,
)
from compat_eval.models.stack_pointer.search import (
    ParserVote,
    PartialTrees,
    TreeBuilder,
)
from compat_eval.models.training.saved_weights import read_weights

_BEAM = 10
_GENERATORS: Mapping[str, Makes] = {
    "beam": best,
    "top-k": top_k,
    "top-p": top_p,
    "dropout-p": dropout,
}
"""How candidates are made, by name."""

_SCORED_TOGETHER = 256
"""Trees whose actions are in memory at once."""


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
    beam: int = _BEAM

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

    @torch.inference_mode()
    def predict(self, items: Sequence[EncodedSentence]) -> pa.Table:
        """Return a column `prediction`: the best tree that the beam finds."""
        return answered(self, [(1.0, self, items)])

    @torch.inference_mode()
    def dropout_answers(
        self, items: Sequence[EncodedSentence], samples: Samples
    ) -> list[list[dict[str, Any]]]:
        """Return the best tree found of each sentence in each sample."""
        network, batch = self.network, batch_of(items, self.network.arc.device)
        sentences = [item.sentence for item in items]
        trees: list[list[Tree]] = [[] for _ in items]
        states = network.encoder(batch) if samples.shared_encoder else None
        for group in samples.groups(batch.words.numel()):
            each = batch.repeated(len(group))
            with group.switched_on(network, sentences):
                if states is None:
                    memory = network.encode(each)
                else:
                    again = network.encoder.dropout(states.repeat(len(group), 1, 1))
                    memory = network.remembered(again, each)
                vote = ParserVote(network=network, memory=memory)
                found = beam_search(TreeBuilder([vote], each.lengths), self.beam)
            every = self._trees([*items] * len(group), found, 1)
            for at, of_one in enumerate(every):
                trees[at % len(items)] += of_one
        return answers_of(trees)

    @torch.inference_mode()
    def drawn_answers(
        self, items: Sequence[EncodedSentence], seeds: Sequence[int], narrow: Narrows
    ) -> list[list[dict[str, Any]]]:
        """Return a tree of each sentence for each seed, drawn action by action."""
        each = sentence_seeds([item.sentence for item in items], seeds)
        found = drawn_answers(self.builder([(1.0, self, items)]), each, narrow)
        return answers_of(self._trees(items, found, len(seeds)))

    @torch.inference_mode()
    def best_answers(
        self, items: Sequence[EncodedSentence], k: int
    ) -> list[list[dict[str, Any]]]:
        """Return up to `k` trees of each, as they end in the beam."""
        builder = self.builder([(1.0, self, items)])
        found = beam_search(builder, max(k, self.beam))
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
        return named_candidates(self, generator, options, _GENERATORS, noun="parser")

    def mixture(
        self, own: float, others: Sequence[tuple[float, "StackPointerParser"]]
    ) -> StepMixture:
        """Return parsers that decide each step together: log p is added.

        For relations that a parser does not know see `label_views`.

        Args:
            own: This parser's weight; its relations are used.
            others: Stack-pointer parsers with their weights.

        Raises:
            UsageError: A weight is negative, or all are 0.

        """
        return StepMixture(((own, self), *others))

    def builder(
        self,
        read: Sequence[Reading],
    ) -> TreeBuilder:
        """Return what builds trees together; see `BuildsInSteps`."""
        votes: list[ParserVote] = []
        for weight, parser, items in read:
            batch = batch_of(items, parser.network.arc.device)
            numbers = translation(self.labels, parser.labels, batch.lengths.device)
            vote = ParserVote(
                network=parser.network,
                memory=parser.network.encode(batch),
                weight=weight,
                numbers=numbers,
            )
            votes.append(vote)
        lengths = torch.tensor([len(item) for item in read[0][2]])
        return TreeBuilder(votes, lengths.to(votes[0].memory.states.device))

    def table(
        self, items: Sequence[EncodedSentence], found: PartialTrees | None
    ) -> pa.Table:
        """Return a column `prediction` of the first tree found of each sentence."""
        every = [] if found is None else self._trees(items, found, 1)
        trees = [tree for of_one in every for tree in of_one]
        return pa.table({"prediction": answer_column(trees)})

    @torch.inference_mode()
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
        per_sentence = np.array([len(of_one) for of_one in answers], np.int64)
        sentence = np.repeat(np.arange(len(items)), per_sentence)
        trees = [Tree.of(answer) for of_one in answers for answer in of_one]
        n_words = np.array([len(item) - 1 for item in items], np.int64)[sentence]
        possible = np.flatnonzero(_are_possible(trees, n_words, self.labels))
        total = np.full(len(trees), -np.inf)
        if len(possible):
            chosen = [trees[at] for at in possible]
            total[possible] = self._nats(items, sentence[possible], chosen)
        return list(np.split(total, np.cumsum(per_sentence)[:-1]))

    def _trees(
        self, items: Sequence[EncodedSentence], found: PartialTrees, k: int
    ) -> list[list[Tree]]:
        """Return up to `k` trees of each sentence, as they were found."""
        rows = zip(
            items,
            found.heads[:, :k].tolist(),
            found.labels[:, :k].tolist(),
            found.nats[:, :k].isfinite().tolist(),
            strict=True,
        )
        return [
            [
                Tree(tuple(head[1:n]), self.vocabulary.label_names(named[1:n]))
                for head, named, is_there in zip(heads, numbers, there, strict=True)
                if is_there
            ]
            for n, heads, numbers, there in ((len(item), *rest) for item, *rest in rows)
        ]

    def _nats(
        self, items: Sequence[EncodedSentence], sentence: Ints, trees: Sequence[Tree]
    ) -> Values:
        """Return log p of possible trees, each of a sentence by its number."""
        batch = batch_of(items, self.network.arc.device)
        device, memory = batch.lengths.device, self.network.encode(batch)
        parts: list[Tensor] = []
        for start in range(0, len(trees), _SCORED_TOGETHER):
            here = slice(start, start + _SCORED_TOGETHER)
            rows = torch.from_numpy(sentence[here]).to(device)
            numbers = [self.vocabulary.label_numbers(t.deprels) for t in trees[here]]
            steps = PaddedActions.of(
                [actions_of(tree.heads) for tree in trees[here]],
                [np.concatenate([[0], number]) for number in numbers],
                device,
                width=batch.words.shape[1],
            )
            nats = self.network.step_nats(picked(memory, rows), steps)
            parts.append(nats.double().sum(dim=-1))
        return np.asarray(torch.cat(parts).cpu().numpy(), np.float64)


def load(
    directory: Path, *, labels: tuple[str, ...], device: str
) -> StackPointerParser:
    """Read what `compat_eval.models.stack_pointer.training` wrote.

    Raises:
        ModelError: The weights do not fit the configuration.

    """
    sizes, vocabulary = read_config(directory, labels)
    encoder = EncoderSizes(**sizes.pop("encoder"))
    network = StackPointerNetwork(StackPointerSizes(encoder=encoder, **sizes))
    read_weights(network, directory, device)
    return StackPointerParser(network=network, vocabulary=vocabulary)


def _are_possible(trees: Sequence[Tree], n_words: Ints, labels: Sequence[str]) -> Bools:
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
