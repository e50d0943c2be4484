"""How probable given trees are: log p of the actions that build them inside out."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.models.decoding import are_trees
from compat_eval.models.parsing.batching import batch_of
from compat_eval.models.parsing.flat import FlatTrees
from compat_eval.models.parsing.sentence import Tree
from compat_eval.models.parsing.vocabulary import EncodedSentence, Vocabulary
from compat_eval.models.stack_pointer.actions import actions_of
from compat_eval.models.stack_pointer.network import StackPointerNetwork
from compat_eval.models.stack_pointer.steps import Steps

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
