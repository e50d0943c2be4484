"""A biaffine parser's two files: config.json and model.safetensors."""

import json
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import load_file, save_file

from compat_eval.models.biaffine import BiaffineNetwork, BiaffineSizes
from compat_eval.models.parser_encoder import EncoderSizes
from compat_eval.models.parser_vocabulary import Vocabulary

KIND = "biaffine"


def save(network: BiaffineNetwork, vocabulary: Vocabulary, out: Path) -> None:
    """Write a trained parser into a directory."""
    config = {
        "compat_eval": {"kind": KIND, "schema_version": 1},
        "sizes": asdict(network.sizes),
        "vocabulary": vocabulary.config(),
        "labels": list(vocabulary.labels),
    }
    save_file(network.state_dict(), out / "model.safetensors")
    text = json.dumps(config, ensure_ascii=False, indent=1)
    (out / "config.json").write_text(text + "\n", "utf-8")


def read(directory: Path) -> tuple[BiaffineNetwork, Vocabulary]:
    """Read what `save` wrote.

    Raises:
        RuntimeError: The weights do not fit the configuration.

    """
    config = json.loads((directory / "config.json").read_text("utf-8"))
    sizes = dict(config["sizes"])
    encoder = EncoderSizes(**sizes.pop("encoder"))
    network = BiaffineNetwork(BiaffineSizes(encoder=encoder, **sizes))
    network.load_state_dict(load_file(directory / "model.safetensors"))
    return network.eval(), Vocabulary.from_config(config["vocabulary"])
