"""A loaded transformers classifier: encodes, predicts, gives logits."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
import transformers

from compat_eval.adapters.huggingface.files import ModelFiles
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.arrays import Array, Values
from compat_eval.core.errors import ModelError, some
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import digest
from compat_eval.core.text import words_of
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.encoders.pretrained import load_tokenizer
from compat_eval.models.encoders.text_items import (
    Batch,
    TextEncoder,
    TextItem,
    open_encoder,
    with_item_errors,
)
from compat_eval.models.packages import quiet_transformers
from compat_eval.models.training.fisher import diagonal_fisher
from compat_eval.models.training.saved_weights import (
    Misfit,
    unfit,
    weights_of,
    with_weights,
)

_MEANING = (
    "model_type",
    "num_attention_heads",
    "num_key_value_heads",
    "hidden_act",
    "position_embedding_type",
    "classifier_pooling",
    "problem_type",
)
"""Settings of a configuration that shapes of tensors do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _HuggingFaceClassifier:
    """Answers texts with one of its labels.

    Attributes:
        network: Gives logits, shape (n_items, n_labels).
        encoder: Its tokenizer.
        labels: The suite's names of its labels, by id.
        files: Where it was read from.

    """

    network: Any
    encoder: TextEncoder
    labels: tuple[str, ...]
    files: ModelFiles

    def encode(self, inputs: Sequence[Any]) -> list[TextItem]:
        """Return one item an input; `len(item)` is its length in tokens."""
        return self.encoder.encode(inputs)

    def predict(self, items: Sequence[TextItem]) -> pa.Table:
        """Answer a batch.

        Returns:
            Columns `prediction`, `score`, `margin`, `error` and `truncated`
            (whether the text was longer than the model can read).

        """
        table = answer_table(self.logits(items), self.labels)
        return with_item_errors(table, items)

    def logits(self, items: Sequence[TextItem]) -> Values:
        """Return logits, shape (n_items, n_labels); nan for items in error."""
        logits = np.full((len(items), len(self.labels)), np.nan)
        for rows, batch in self.encoder.batches(items):
            logits[rows] = self._run(batch)
        return logits

    @property
    def weights(self) -> dict[str, Array]:
        """Tensors of the network by name."""
        return weights_of(self.network)

    @property
    def label_axes(self) -> dict[str, int]:
        """Tensors with an entry for each label: those of the last layer."""
        base = f"{self.network.base_model_prefix}."
        last = [
            name
            for name, module in self.network.named_modules()
            if isinstance(module, torch.nn.Linear)
            and not name.startswith(base)
            and module.out_features == len(self.labels)
        ][-1:]
        there = self.network.state_dict()
        parts = [f"{name}.{part}" for name in last for part in ("weight", "bias")]
        return {part: 0 for part in parts if part in there}

    @property
    def built_as(self) -> dict[str, Any]:
        """What decides what the tensors mean, besides their shapes."""
        config = self.network.config.to_dict()
        vocabulary = self.encoder.tokenizer.get_vocab()
        return {
            "architecture": type(self.network).__name__,
            **{name: config[name] for name in _MEANING if name in config},
            "tokenizer": type(self.encoder.tokenizer).__name__,
            "vocabulary": digest(vocabulary),
        }

    def with_weights(self, weights: Mapping[str, Array]) -> "_HuggingFaceClassifier":
        """Return a copy with other tensors."""
        return replace(self, network=with_weights(self.network, weights))

    def fisher(
        self, items: Sequence[TextItem], gold: Sequence[str]
    ) -> Mapping[str, Array]:
        """Return the mean squared gradient of log p(gold), by tensor."""
        sound = [(x, y) for x, y in zip(items, gold, strict=True) if x.error is None]
        return diagonal_fisher(
            self.network,
            lambda item: self._forward(next(self.encoder.batches([item]))[1])[0],
            [item for item, _ in sound],
            [label for _, label in sound],
            self.labels,
        )

    def save(self, directory: Path) -> None:
        """Write a directory of transformers, with the suite's names of labels."""
        for path in self.files.settings:
            if path.name != "config.json" and not path.name.endswith(".index.json"):
                shutil.copyfile(path, directory / path.name)
        with quiet_transformers():
            self.network.save_pretrained(directory)
        names = {str(at): label for at, label in enumerate(self.labels)}
        named = {"id2label": names, "label2id": {n: int(k) for k, n in names.items()}}
        ours = read_json(self.files.directory / "config.json", finite=False)
        config = read_json(directory / "config.json", finite=False)
        config |= named | {k: v for k, v in ours.items() if k == "compat_eval"}
        text = json.dumps(config, indent=1, sort_keys=True)
        write_whole(directory / "config.json", f"{text}\n".encode())

    def _run(self, batch: Batch) -> Values:
        with torch.inference_mode():
            logits = self._forward(batch)
        return np.asarray(logits.float().cpu().numpy(), np.float64)

    def _forward(self, batch: Batch) -> torch.Tensor:
        if not batch["token_type_ids"].any():
            del batch["token_type_ids"]
        device = self.network.device
        tensors = {k: torch.from_numpy(v).to(device) for k, v in batch.items()}
        logits: torch.Tensor = self.network(**tensors).logits
        return logits


def load_classifier(
    files: ModelFiles,
    labels: tuple[str, ...],
    options: ModelOptions,
    *,
    reference: str,
) -> _HuggingFaceClassifier:
    """Read tokenizer and weights.

    Raises:
        ModelError: They are damaged, absent, or do not fit the configuration.

    """
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    tokenizer = load_tokenizer(
        files.directory, reference, trust_code=options.trust_remote_code
    )
    network = load_network(
        transformers.AutoModelForSequenceClassification,
        files,
        options,
        reference=reference,
    )
    if network.config.num_labels != len(labels):
        raise ModelError(
            f"{reference}: {len(labels)} labels are named in config.json, and the "
            f"model has {network.config.num_labels}."
        )
    encoder = open_encoder(tokenizer, network.config.to_dict())
    return _HuggingFaceClassifier(
        network=network, encoder=encoder, labels=labels, files=files
    )


def load_network(
    kind: Any,  # noqa: ANN401
    files: ModelFiles,
    options: ModelOptions,
    *,
    reference: str,
    unused: tuple[str, ...] = (),
) -> Any:  # noqa: ANN401
    """Read weights.

    Args:
        kind: An `AutoModelFor…` of transformers.
        files: Where they are.
        options: How the model is opened.
        reference: What the user wrote.
        unused: Beginnings of the names of tensors that decide no answer.

    Raises:
        ModelError: They are damaged, absent, or do not fit the configuration.

    """
    try:
        with quiet_transformers():
            network, loading = kind.from_pretrained(
                files.directory,
                dtype=getattr(torch, options.dtype),
                trust_remote_code=options.trust_remote_code,
                use_safetensors=not files.pickled,
                weights_only=True,
                local_files_only=True,
                ignore_mismatched_sizes=True,  # refused below, by name
                output_loading_info=True,
            )
        network = network.to(options.device).eval()
    except Exception as error:  # whatever a damaged file provokes
        names = some(path.name for path in files.weights)
        raise ModelError(
            f"{reference}: the model cannot be read from {files.directory} "
            f"({names}): {words_of(error)}{_cure(error)}"
        ) from error
    _refuse_unfit(loading, reference)
    _refuse_untrained(loading, reference, unused)
    return network


def _refuse_unfit(loading: dict[str, Any], reference: str) -> None:
    misfits = [
        Misfit(name, tuple(saved), tuple(told))
        for name, saved, told in sorted(loading.get("mismatched_keys") or ())
    ]
    if misfits:
        raise unfit(reference, misfits)


def _refuse_untrained(
    loading: dict[str, Any], reference: str, unused: tuple[str, ...]
) -> None:
    """A tensor that is not in the files would be random: no answer is better."""
    missing = loading.get("missing_keys") or ()
    absent = sorted(name for name in missing if not name.startswith(unused))
    if absent:
        raise ModelError(
            f"{reference}: the weights lack {some(absent)}, which would be random. "
            "Is this an encoder that was never fine-tuned for what it is asked?"
        )


def _cure(error: Exception) -> str:
    if "trust_remote_code" in str(error):
        return " Pass --trust-remote-code if you trust its authors."
    return ""
