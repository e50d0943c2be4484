"""A tiny GPT-2 over bytes, the same numbers wherever it is made."""

from pathlib import Path
from typing import Any

import numpy as np

CONTEXT = 32
END = "<|endoftext|>"


def make_tiny_gpt(directory: Path) -> Path:
    """Save it with its tokenizer: 257 tokens, two layers, a context of 32 tokens."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {name: at for at, name in enumerate([END, *letters])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast: Any = PreTrainedTokenizerFast
    fast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        model_max_length=CONTEXT,
    ).save_pretrained(directory)
    settings: dict[str, Any] = {"n_embd": 16, "n_layer": 2, "n_head": 2}
    network: Any = GPT2LMHeadModel(
        GPT2Config(
            **settings,
            vocab_size=len(vocabulary),
            n_positions=CONTEXT,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    random = np.random.default_rng(0)
    with torch.no_grad():
        for _, tensor in sorted(network.named_parameters()):
            drawn = random.normal(0.0, 0.5, tuple(tensor.shape)).astype(np.float32)
            tensor.copy_(torch.from_numpy(drawn))
    network.save_pretrained(directory)
    return directory
