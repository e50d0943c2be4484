"""A loaded ONNX text classifier: encodes, predicts, gives logits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.text_items import (
    TextEncoder,
    TextItem,
    load_tokenizer,
    open_encoder,
    with_item_errors,
)
from compat_eval.core.arrays import Values
from compat_eval.core.errors import ModelError, some
from compat_eval.models.answers import answer_table

_KNOWN_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxClassifier:
    """Answers texts with one of its labels.

    Attributes:
        session: Gives logits, shape (n_items, n_labels), as its output `output`.
        output: Name of that output.
        encoder: The tokenizer beside the model.
        labels: The suite's names of its labels, by id.

    """

    session: Any
    output: str
    encoder: TextEncoder
    labels: tuple[str, ...]

    def encode(self, inputs: Sequence[Any]) -> list[TextItem]:
        """Return one item an input; `len(item)` is its length in tokens."""
        return self.encoder.encode(inputs)

    def predict(self, items: Sequence[TextItem]) -> pa.Table:
        """Answer a batch; columns as from the `hf:` adapter."""
        return with_item_errors(answer_table(self.logits(items), self.labels), items)

    def logits(self, items: Sequence[TextItem]) -> Values:
        """Return logits, shape (n_items, n_labels); nan for items in error."""
        logits = np.full((len(items), len(self.labels)), np.nan)
        good = [row for row, item in enumerate(items) if item.error is None]
        if not good:
            return logits
        batch = self.encoder.pad([items[row] for row in good])
        wanted = {node.name: batch[node.name] for node in self.session.get_inputs()}
        found = np.asarray(self.session.run([self.output], wanted)[0], np.float64)
        if found.shape != (len(good), len(self.labels)):
            raise ModelError(
                f"the model's output {self.output!r} has shape {found.shape}; expected "
                f"{(len(good), len(self.labels))}, a number for each of the labels in "
                "config.json."
            )
        logits[good] = found
        return logits


def load_classifier(
    path: Path,
    config: Mapping[str, Any],
    labels: tuple[str, ...],
    options: ModelOptions,
    *,
    reference: str,
) -> OnnxClassifier:
    """Read the graph and the tokenizer beside it.

    Raises:
        ModelError: They are damaged, or the graph takes other inputs than tokens.

    """
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    if options.threads is not None:
        settings.intra_op_num_threads = options.threads
    try:
        session = onnxruntime.InferenceSession(
            str(path), settings, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime has no common exception
        raise ModelError(f"{path}: cannot be read: {error}") from error
    inputs = [node.name for node in session.get_inputs()]
    if "input_ids" not in inputs or not _KNOWN_INPUTS.issuperset(inputs):
        raise ModelError(
            f"{reference}: takes {some(inputs)}; expected a text classifier with "
            "input_ids and at most attention_mask and token_type_ids."
        )
    outputs = [node.name for node in session.get_outputs()]
    return OnnxClassifier(
        session=session,
        output="logits" if "logits" in outputs else outputs[0],
        encoder=open_encoder(load_tokenizer(path.parent, options, reference), config),
        labels=labels,
    )
