"""A random encoder of transformers that is loaded in a moment, always the same."""

from collections.abc import Iterable
from pathlib import Path


def write_small_encoder(directory: Path, texts: Iterable[str]) -> Path:
    """Write an encoder with its tokenizer, which knows the words of some texts."""
    import torch
    import transformers

    words = sorted({word for text in texts for word in text.lower().split()})
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocab = {word: number for number, word in enumerate([*special, *words])}
    tokenizer = transformers.BertTokenizer(vocab=vocab, model_max_length=32)
    tokenizer.save_pretrained(directory)
    config = transformers.BertConfig(
        vocab_size=len(vocab),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(directory)
    return directory
