"""Tiny causal language models of a few words, with random weights."""

from pathlib import Path
from typing import Any

WORDS = ("[end]", "a", "b", "c", "d", "e", "?", "[unk]")


def save_causal(
    directory: Path, seed: int = 0, words: tuple[str, ...] = WORDS, **config: Any
) -> Path:
    """Save a random decoder; the same seed gives the same weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    known = {word: number for number, word in enumerate(words)}
    tokenizer: Any = Tokenizer(models.WordLevel(known, unk_token="[unk]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    of_transformers: Any = PreTrainedTokenizerFast
    fast = of_transformers(tokenizer_object=tokenizer, eos_token="[end]")
    fast.save_pretrained(directory)
    settings: dict[str, Any] = {
        "vocab_size": len(words),
        "n_embd": 8,
        "n_layer": 1,
        "n_head": 1,
        "n_positions": 8,
        "initializer_range": 0.6,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = GPT2LMHeadModel(GPT2Config(**{**settings, **config}))
        network.save_pretrained(directory)
    return directory
