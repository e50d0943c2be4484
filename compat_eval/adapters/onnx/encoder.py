"""Encoders of texts as ONNX graphs: states that are pooled here, or vectors."""

from collections.abc import Callable
from typing import Any

import numpy as np

from compat_eval.adapters.onnx.session import float_outputs, run
from compat_eval.core.errors import ModelError, some
from compat_eval.models.encoders.text_items import Batch
from compat_eval.models.encoders.vector_head import Singles

_STATES, _VECTORS = 3, 2
_LIKELY = {
    _STATES: ("last_hidden_state", "token_embeddings"),
    _VECTORS: ("sentence_embedding",),
}
_WHAT = {
    _STATES: "the states of tokens, (texts, tokens, width)",
    _VECTORS: "a vector a text, (texts, width)",
}


def onnx_states(
    session: Any,  # noqa: ANN401
    *,
    pooled: bool,
    reference: str,
) -> Callable[[Batch], Singles]:
    """Return what gives states of tokens, or vectors where the graph pools by itself.

    Raises:
        ModelError: The graph has no such output, or several.

    """
    rank = _VECTORS if pooled else _STATES
    output = _output(session, rank, reference)

    def states(batch: Batch) -> Singles:
        found = np.asarray(run(session, output, batch), np.float32)
        if found.ndim != rank or len(found) != len(batch["input_ids"]):
            raise ModelError(
                f"{reference}: the output {output!r} has shape {found.shape}; expected "
                f"{_WHAT[rank]}"
            )
        return found

    return states


def _output(session: Any, rank: int, reference: str) -> str:  # noqa: ANN401
    floats = float_outputs(session, expected=_WHAT[rank], reference=reference)
    shapes = {node.name: node.shape for node in session.get_outputs()}
    fitting = [name for name in floats if len(shapes[name] or ()) in (0, rank)]
    likely = [name for name in _LIKELY[rank] if name in fitting]
    if likely or len(fitting) == 1:
        return (likely or fitting)[0]
    told = some(f"{name} of shape {shapes[name]}" for name in floats)
    other = "name a pooling, as in #mean" if rank == _VECTORS else "write #pooled"
    raise ModelError(
        f"{reference}: gives {told}; expected one output with {_WHAT[rank]}. Where the "
        f"graph gives the other of the two, {other}"
    )
