"""A pretrained encoder that stays as it is: a text becomes the mean of its tokens.

Mean pooling over real tokens, special ones included: Reimers and Gurevych,
"Sentence-BERT", EMNLP 2019, https://arxiv.org/abs/1908.10084.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Values
from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import digest, files_digest, library_versions
from compat_eval.models import BESIDE, WORKPLACE
from compat_eval.models.encoders.pretrained import load_tokenizer, read_encoder
from compat_eval.models.encoders.text_items import (
    Batch,
    TextEncoder,
    TextItem,
    open_encoder,
)
from compat_eval.models.packages import package

_PLACE = "encoder.json"
"""Says where a model's encoder is; its config.json says which one it must be."""

_LIBRARIES = ("torch", "transformers", "tokenizers", "sentencepiece")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenEncoder:
    """A loaded encoder, which embeds texts.

    Attributes:
        network: Gives a state for each token.
        texts: Its tokenizer.

    """

    network: Any
    texts: TextEncoder

    def encode(self, inputs: Sequence[Any]) -> list[TextItem]:
        """Return one item a text; `len(item)` is its length in tokens."""
        return self.texts.encode(inputs)

    def embed(self, items: Sequence[TextItem]) -> Values:
        """Return the mean state of each text's tokens; nan for items in error."""
        vectors = np.full((len(items), self.network.config.hidden_size), np.nan)
        for rows, batch in self.texts.batches(items):
            vectors[rows] = self._run(batch)
        return vectors

    def predict(self, items: Sequence[TextItem]) -> pa.Table:
        """Refuse: an encoder has vectors and no answers.

        Raises:
            CapabilityError: Always.

        """
        raise CapabilityError("an encoder gives vectors, and no answers")

    def _run(self, batch: Batch) -> Values:
        torch = package("torch")
        if not batch["token_type_ids"].any():
            del batch["token_type_ids"]
        device = self.network.device
        with torch.inference_mode():
            tensors = {k: torch.from_numpy(v).to(device) for k, v in batch.items()}
            states = self.network(**tensors).last_hidden_state.float()
            real = tensors["attention_mask"].unsqueeze(-1)
            mean = (states * real).sum(dim=1) / real.sum(dim=1)
        return np.asarray(mean.cpu().numpy(), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenEncoderSource:
    """An encoder that is known but not loaded; see `ModelSource`.

    Attributes:
        directory: A pretrained encoder of transformers with its tokenizer.
        longest: Most tokens of a text that are read; `None` for what it can.
        device: Where it runs.

    """

    directory: Path
    longest: int | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not (self.directory / "config.json").is_file():
            raise ModelError(
                f"{self.directory}: no config.json; an encoder is the directory of a "
                "pretrained encoder of transformers"
            )

    @property
    def reference(self) -> str:
        """What it is called."""
        return f"encoder:{self.directory}"

    def sha256(self) -> str:
        """Return a SHA-256 of its files: weights, configuration and tokenizer."""
        deciding = [
            path
            for path in self.directory.iterdir()
            if path.is_file() and path.name not in BESIDE and path.name[0] != "."
        ]
        return files_digest(self.directory, deciding)

    def fingerprint(self) -> str:
        """Return a SHA-256 of its files and of how it is read."""
        device = self.device.partition(":")[0]
        return digest(
            ["sentence-encoder", 1, self.sha256(), "mean", self.longest, device]
        )

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        return {"pooling": "mean", "libraries": library_versions(*_LIBRARIES)}

    def load(self) -> FrozenEncoder:
        """Read the tokenizer and the weights.

        Raises:
            ModelError: They are damaged or not there.
            MissingPackageError: torch or transformers is not installed.

        """
        auto = package("transformers").AutoModel
        tokenizer = load_tokenizer(self.directory, self.reference)
        network = read_encoder(self.directory, auto)
        network = network.to(self.device).eval()
        texts = open_encoder(tokenizer, network.config.to_dict())
        if self.longest is not None:
            texts = replace(texts, longest=min(texts.longest, self.longest))
        return FrozenEncoder(network=network, texts=texts)


def refer_to(encoder: FrozenEncoderSource, out: Path) -> dict[str, Any]:
    """Write down where a model's encoder is; return what its config.json says of it.

    Args:
        encoder: What stays where it is.
        out: Directory of the model, or where its training works.

    """
    final = out.parent if out.name == WORKPLACE else out
    place = Path(os.path.relpath(encoder.directory.resolve(), final.resolve()))
    told = json.dumps({"path": place.as_posix()}, indent=1)
    write_whole(out / _PLACE, f"{told}\n".encode())
    return {"sha256": encoder.sha256(), "pooling": "mean", "longest": encoder.longest}


def encoder_below(
    directory: Path, config: Mapping[str, Any], *, device: str
) -> FrozenEncoderSource:
    """Return the encoder that a model refers to.

    Args:
        directory: Of the model.
        config: Its config.json.
        device: Where the encoder shall run.

    Raises:
        ModelError: It is not where it was, or is another one.

    """
    try:
        told, longest = config["encoder"]["sha256"], config["encoder"]["longest"]
        place = directory / str(read_json(directory / _PLACE)["path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{directory}: does not say which encoder it reads: {_PLACE} or "
            "config.json is missing or damaged; bring it back, or train it again"
        ) from error
    if not place.is_dir():
        raise ModelError(
            f"{directory}: its encoder is not at {place}; bring it back, or write its "
            f"new place into {directory / _PLACE}"
        )
    source = FrozenEncoderSource(directory=place, longest=longest, device=device)
    if source.sha256() != told:
        raise ModelError(
            f"{directory}: its encoder {place} is not the one that it was trained on; "
            "bring that back, or train the model again"
        )
    return source
