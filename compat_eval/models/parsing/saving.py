"""A parser's two files: config.json and model.safetensors."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import nn

from compat_eval.core.files import read_json, write_whole
from compat_eval.models.parsing.vocabulary import Vocabulary


def save(
    kind: str,
    network: nn.Module,
    sizes: Mapping[str, Any],
    vocabulary: Vocabulary,
    out: Path,
) -> None:
    """Write a trained parser into a directory.

    Args:
        kind: Name of its architecture, as in `compat-eval train --model`.
        network: Its weights.
        sizes: What the network is built from, JSON-ready.
        vocabulary: How it reads.
        out: The directory.

    """
    config = {
        "compat_eval": {"kind": kind, "schema_version": 1},
        "sizes": dict(sizes),
        "vocabulary": vocabulary.config(),
        "labels": list(vocabulary.labels),
    }
    save_file(network.state_dict(), out / "model.safetensors")
    text = json.dumps(config, ensure_ascii=True, indent=1)
    write_whole(out / "config.json", f"{text}\n".encode())


def read_config(
    directory: Path, labels: tuple[str, ...]
) -> tuple[dict[str, Any], Vocabulary]:
    """Return the sizes and the vocabulary that `save` wrote.

    Args:
        directory: Where the files are.
        labels: What the relations are called now, in their order.

    """
    config = read_json(directory / "config.json")
    vocabulary = {**config["vocabulary"], "labels": labels}
    return dict(config["sizes"]), Vocabulary.from_config(vocabulary)
