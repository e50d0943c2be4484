"""A made-up treebank, and tiny parsers over it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from compat_eval.core.examples import Examples
from compat_eval.models.biaffine.network import BiaffineNetwork
from compat_eval.models.biaffine.parser import BiaffineParser
from compat_eval.models.biaffine.training import BiaffineSettings
from compat_eval.models.parsing.training import treebank
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.stack_pointer.network import StackPointerNetwork
from compat_eval.models.stack_pointer.parser import StackPointerParser
from compat_eval.models.stack_pointer.training import StackPointerSettings
from tests import fakes

TINY: dict[str, Any] = {
    "word_width": 16,
    "character_width": 4,
    "spelling_width": 8,
    "tag_width": 8,
    "hidden": 16,
    "arc_width": 16,
    "label_width": 8,
    "n_layers": 1,
    "min_count": 1,
    "dropout": 0.1,
    "word_dropout": 0.0,
    "batch_tokens": 60,
}


def sentence(*tagged: str) -> dict[str, list[str]]:
    """Return an input of `word/TAG`s."""
    pairs = [one.rsplit("/", 1) for one in tagged]
    return {"words": [p[0] for p in pairs], "upos": [p[1] for p in pairs]}


def tree(heads: Sequence[int], *deprels: str) -> dict[str, Any]:
    return {"heads": list(heads), "deprels": list(deprels)}


def toy_examples(n: int = 40, seed: int = 0) -> Examples:
    """Return `[ADJ] NOUN VERB [ADV]` sentences, whose trees follow from the tags."""
    rng = np.random.default_rng(seed)
    inputs, gold = [], []
    for _ in range(n):
        has_adjective, has_adverb = rng.integers(2, size=2)
        words = [f"n{rng.integers(5)}/NOUN", f"v{rng.integers(5)}/VERB"]
        verb = 2 + has_adjective
        heads, deprels = [verb, 0], ["nsubj", "root"]
        if has_adjective:
            words, heads = [f"a{rng.integers(5)}/ADJ", *words], [2, *heads]
            deprels = ["amod", *deprels]
        if has_adverb:
            words, heads = [*words, f"r{rng.integers(5)}/ADV"], [*heads, verb]
            deprels = [*deprels, "advmod"]
        inputs.append(sentence(*words))
        gold.append(tree([int(head) for head in heads], *deprels))
    return fakes.examples(id=[f"s{i}" for i in range(n)], input=inputs, gold=gold)


def untrained_pointer(seed: int = 0, beam: int = 10) -> StackPointerParser:
    """Return a stack-pointer parser with random weights."""
    sentences, trees = treebank(toy_examples())
    vocabulary = Vocabulary.of(sentences, trees, min_count=1)
    settings = StackPointerSettings(**TINY, input_width=12, decoder=16)
    network = StackPointerNetwork(settings.sizes(vocabulary)).eval()
    _randomise(network, seed, std=0.6)
    return StackPointerParser(network=network, vocabulary=vocabulary, beam=beam)


def untrained(seed: int = 0, examples: Examples | None = None) -> BiaffineParser:
    """Return a parser with random weights, the biaffine ones among them."""
    sentences, trees = treebank(examples or toy_examples())
    vocabulary = Vocabulary.of(sentences, trees, min_count=1)
    settings = BiaffineSettings(**TINY)
    network = BiaffineNetwork(settings.sizes(vocabulary)).eval()
    _randomise(network, seed, std=0.4)
    return BiaffineParser(network=network, vocabulary=vocabulary)


def _randomise(
    network: BiaffineNetwork | StackPointerNetwork, seed: int, *, std: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=std, generator=generator)
        network.encoder.tokens.characters.weight[0] = 0.0  # padding
