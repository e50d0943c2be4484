"""A causal network of transformers, its head applied to some positions at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import ModelError
from compat_eval.models.encoders.pretrained import load_tokenizer, read_encoder

_LOGITS = 1 << 24
"""How many logits there are at most at any time: 64 MiB of float32."""

_SAME = 1e-3


def read_network(directory: Path) -> tuple[Any, Any]:
    """Read a causal language model and its tokenizer.

    Raises:
        ModelError: There is none, or its logits are more than a layer over its hidden
            states.

    """
    network = read_encoder(directory, transformers.AutoModelForCausalLM)
    _check(network, directory)
    return network, load_tokenizer(directory, str(directory))


def longest_of(network: Any) -> int:  # noqa: ANN401
    """Return how many tokens a network can read at once."""
    config = network.config
    told = getattr(config, "max_position_embeddings", None)
    return int(told or getattr(config, "n_positions", None) or 1024)


def hidden_at(
    network: Any,  # noqa: ANN401
    ids: Tensor,
    mask: Tensor,
    rows: Ints,
    places: Ints,
) -> Tensor:
    """Return the states from which tokens are predicted.

    Args:
        network: The language model.
        ids: Shape (n_sequences, n_tokens).
        mask: Attention mask, likewise.
        rows: Of the tokens, shape (n_predicted,).
        places: Likewise.

    """
    backbone = getattr(network, network.base_model_prefix)
    found = backbone(input_ids=ids, attention_mask=mask, use_cache=False)
    hidden: Tensor = found.last_hidden_state[rows, places - 1]
    return hidden


def logits_at(network: Any, hidden: Tensor) -> Tensor:  # noqa: ANN401
    """Return the logits of some states, shape (n_states, n_tokens)."""
    logits: Tensor = network.get_output_embeddings()(hidden).float()
    cap = getattr(network.config, "final_logit_softcapping", None)
    return logits if cap is None else cap * torch.tanh(logits / cap)


def stretches(network: Any, n: int) -> Iterator[slice]:  # noqa: ANN401
    """Yield stretches of positions whose logits may be there at once."""
    step = max(_LOGITS // int(network.get_output_embeddings().weight.shape[0]), 1)
    for at in range(0, n, step):
        yield slice(at, at + step)


@torch.inference_mode()
def _check(network: Any, directory: Path) -> None:  # noqa: ANN401
    network.eval()
    ids = torch.arange(min(longest_of(network), 8))[None] % network.config.vocab_size
    mask, places = torch.ones_like(ids), torch.arange(1, ids.shape[1]).numpy()
    theirs = network(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
    hidden = hidden_at(network, ids, mask, 0 * places, places)
    ours = logits_at(network, hidden).log_softmax(-1)
    if not torch.allclose(ours, theirs, atol=_SAME * max(1, float(theirs.abs().max()))):
        raise ModelError(
            f"{directory}: {type(network).__name__} makes its logits in another way "
            "than by one layer over hidden states; such models cannot be trained here"
        )
