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
    Batch,
    TextEncoder,
    TextItem,
    load_tokenizer,
    open_encoder,
    with_item_errors,
)
from compat_eval.core.arrays import Values
from compat_eval.core.errors import ModelError, some
from compat_eval.models.classifiers.answers import answer_table

_KNOWN_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_INPUT_TYPES: Mapping[str, type[np.generic]] = {
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(float)": np.float32,
    "tensor(bool)": np.bool_,
}
_SCORE_TYPES = ("tensor(float)", "tensor(double)", "tensor(float16)")
_ROUNDING = 1e-3
_LEAST = np.finfo(np.float64).tiny


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxClassifier:
    """Answers texts with one of its labels.

    Attributes:
        session: Gives logits or probabilities, shape (n_items, n_labels).
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
        """Return logits, shape (n_items, n_labels); nan for items in error.

        Of a graph that ends in a softmax they are the logarithms of its output.
        """
        logits = np.full((len(items), len(self.labels)), np.nan)
        for rows, batch in self.encoder.batches(items):
            logits[rows] = self._run(batch)
        return logits

    def _run(self, batch: Batch) -> Values:
        wanted = {
            node.name: batch[node.name].astype(_INPUT_TYPES[node.type])
            for node in self.session.get_inputs()
        }
        found = np.asarray(self.session.run([self.output], wanted)[0], np.float64)
        expected = (len(batch["input_ids"]), len(self.labels))
        if found.shape != expected:
            raise ModelError(
                f"the model's output {self.output!r} has shape {found.shape}; expected "
                f"{expected}, a number for each of the labels in config.json."
            )
        if self._are_probabilities(found):
            return np.asarray(np.log(np.maximum(found, _LEAST)), np.float64)
        return found

    def _are_probabilities(self, found: Values) -> bool:
        sums_to_1 = np.abs(found.sum(axis=-1) - 1.0) < _ROUNDING
        are = bool((found >= 0).all() and sums_to_1.all()) and self.output != "logits"
        if "prob" in self.output.lower() and not are:
            raise ModelError(
                f"the model's output {self.output!r} holds no probabilities: the "
                "numbers of each text must be positive and sum to 1. Call it 'logits' "
                "if it gives unnormalised scores."
            )
        return are


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
    _check_inputs(session, reference)
    return OnnxClassifier(
        session=session,
        output=_output(session, reference),
        encoder=open_encoder(load_tokenizer(path.parent, options, reference), config),
        labels=labels,
    )


def _check_inputs(session: Any, reference: str) -> None:  # noqa: ANN401
    inputs = {node.name: node for node in session.get_inputs()}
    if "input_ids" not in inputs or not inputs.keys() <= _KNOWN_INPUTS:
        raise ModelError(
            f"{reference}: takes {some(inputs)}; expected a text classifier with "
            "input_ids and at most attention_mask and token_type_ids."
        )
    odd = [f"{n} as {i.type}" for n, i in inputs.items() if i.type not in _INPUT_TYPES]
    if odd:
        raise ModelError(
            f"{reference}: takes {some(odd)}; expected {some(_INPUT_TYPES)}."
        )
    tokens = inputs["input_ids"].shape[-1]
    if isinstance(tokens, int):
        raise ModelError(
            f"{reference}: takes texts of exactly {tokens} tokens. Export it with an "
            "axis of any length for the tokens (dynamic_axes)."
        )


def _output(session: Any, reference: str) -> str:  # noqa: ANN401
    """Return the name of the logits or probabilities."""
    types: dict[str, str] = {node.name: node.type for node in session.get_outputs()}
    scores = [name for name, kind in types.items() if kind in _SCORE_TYPES]
    if not scores:
        told = some(f"{name} as {kind}" for name, kind in types.items())
        raise ModelError(
            f"{reference}: gives {told}; expected a number for each label, logits or "
            "probabilities, as one tensor of floats (without ZipMap)."
        )
    likely = [n for n in scores if n == "logits"] or [
        n for n in scores if "logit" in n.lower() or "prob" in n.lower()
    ]
    return (likely or scores)[0]
