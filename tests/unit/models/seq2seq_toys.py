"""Made-up utterances with their trees, and tiny models over them."""

from typing import Any

import numpy as np
import torch

from compat_eval.core.examples import Examples
from compat_eval.models.tree_seq2seq.network import TreeNetwork
from compat_eval.models.tree_seq2seq.parser import TreeSeq2Seq
from compat_eval.models.tree_seq2seq.reading import WordEncoder
from compat_eval.models.tree_seq2seq.training import (
    ParsedUtterances,
    TreeSeq2SeqSettings,
    vocabulary_of,
)
from tests import fakes

TINY: dict[str, Any] = {
    "word_width": 12,
    "character_width": 4,
    "spelling_width": 6,
    "shape_width": 4,
    "hidden": 12,
    "decoder": 16,
    "token_width": 8,
    "width": 12,
    "min_count": 1,
    "dropout": 0.1,
    "word_dropout": 0.0,
    "batch_size": 8,
}


def toy_examples(n: int = 40, seed: int = 0) -> Examples:
    """Return commands whose trees follow from their words, some of them nested."""
    rng = np.random.default_rng(seed)
    inputs, gold = [], []
    for _ in range(n):
        name, day = f"Name{rng.integers(5)}", f"day{rng.integers(5)}"
        match rng.integers(3):
            case 0:
                inputs.append(f"wake me {day}.")
                gold.append(f"[IN:ALARM wake me [SL:TIME {day} ] . ]")
            case 1:
                inputs.append(f"call {name} {day}")
                gold.append(f"[IN:CALL call [SL:WHO {name} ] [SL:TIME {day} ] ]")
            case _:
                inputs.append(f"tell {name} wake me {day}")
                inner = f"[IN:ALARM wake me [SL:TIME {day} ] ]"
                gold.append(f"[IN:TELL tell [SL:WHO {name} ] [SL:WHAT {inner} ] ]")
    return fakes.examples(id=[f"s{i}" for i in range(n)], input=inputs, gold=gold)


def untrained(
    seed: int = 0, examples: Examples | None = None, beam: int = 1
) -> TreeSeq2Seq:
    """Return a model with random weights."""
    parsed = ParsedUtterances.of(examples or toy_examples())
    vocabulary = vocabulary_of(parsed, min_count=1)
    sizes = TreeSeq2SeqSettings(**TINY)
    encoder = sizes.encoder_sizes(vocabulary)
    network = TreeNetwork(
        WordEncoder(encoder), sizes.decoder_sizes(24), vocabulary.labels
    ).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.6, generator=generator)
        network.encoder.sentences.tokens.characters.weight[0] = 0.0  # padding
    return TreeSeq2Seq(network=network, reader=vocabulary, beam=beam)
