"""A tree seq2seq model's files: config.json, model.safetensors and a tokenizer.

An encoder learnt from scratch needs no tokenizer; its words are in config.json.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from compat_eval.models.parsing.encoder import EncoderSizes
from compat_eval.models.parsing.saving import read_config, save
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.training.saved_weights import read_weights
from compat_eval.models.tree_seq2seq.network import TreeSeq2Seq
from compat_eval.models.tree_seq2seq.parser import DecoderSizes, TreeNetwork
from compat_eval.models.tree_seq2seq.reading import Reader, ReadsByBlanks, WordEncoder

KIND = "seq2seq"


def save_model(model: TreeSeq2Seq, out: Path) -> None:
    """Write what `load` reads."""
    network, reader = model.network, model.reader
    sizes: dict[str, Any] = {"decoder": asdict(network.sizes)}
    if isinstance(reader, ReadsByBlanks):
        sizes["words"], reader = "blanks", reader.numbers
    vocabulary = Vocabulary(words=(), characters=(), tags=(), labels=network.labels)
    if isinstance(network.encoder, WordEncoder):
        assert isinstance(reader, Vocabulary)
        vocabulary = reader
        sizes["encoder"] = asdict(network.encoder.sizes)
    else:
        sizes["pretrained"] = _pretrained(network.encoder, reader, out)
    save(KIND, network, sizes, vocabulary, out)


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
    if sizes.get("words") == "blanks":
        reader = ReadsByBlanks(reader)
    return TreeSeq2Seq(network=network, reader=reader)


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
