"""Graphs that take the tokens of texts, and their outputs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compat_eval.core.arrays import Array
from compat_eval.core.errors import ModelError, some
from compat_eval.models.encoders.text_items import Batch
from compat_eval.models.packages import package

_KNOWN_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_INPUT_TYPES: Mapping[str, type[np.generic]] = {
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(float)": np.float32,
    "tensor(bool)": np.bool_,
}
_FLOATS = ("tensor(float)", "tensor(double)", "tensor(float16)")


def open_session(path: Path, *, threads: int | None, reference: str) -> Any:  # noqa: ANN401
    """Open a graph that takes tokens.

    Raises:
        ModelError: It is damaged, or takes other inputs.
        MissingPackageError: onnxruntime is not installed.

    """
    runtime = package("onnxruntime", extra="onnx")
    settings = runtime.SessionOptions()
    settings.log_severity_level = 3
    if threads is not None:
        settings.intra_op_num_threads = threads
    try:
        session = runtime.InferenceSession(
            str(path), settings, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime has no common exception
        raise ModelError(f"{path}: cannot be read: {error}") from error
    _check_inputs(session, reference)
    return session


def run(session: Any, output: str, batch: Batch) -> Array:  # noqa: ANN401
    """Return one output of a graph for a batch of tokens."""
    wanted = {
        node.name: batch[node.name].astype(_INPUT_TYPES[node.type])
        for node in session.get_inputs()
    }
    return np.asarray(session.run([output], wanted)[0])


def float_outputs(session: Any, *, expected: str, reference: str) -> list[str]:  # noqa: ANN401
    """Return the names of the outputs that are floating-point numbers.

    Args:
        session: A graph.
        expected: What it should give, for the message.
        reference: What the user wrote.

    Raises:
        ModelError: There are none.

    """
    types: dict[str, str] = {node.name: node.type for node in session.get_outputs()}
    found = [name for name, kind in types.items() if kind in _FLOATS]
    if not found:
        told = some(f"{name} as {kind}" for name, kind in types.items())
        raise ModelError(f"{reference}: gives {told}; expected {expected}.")
    return found


def _check_inputs(session: Any, reference: str) -> None:  # noqa: ANN401
    inputs = {node.name: node for node in session.get_inputs()}
    if "input_ids" not in inputs or not inputs.keys() <= _KNOWN_INPUTS:
        raise ModelError(
            f"{reference}: takes {some(inputs)}; expected a graph with "
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
