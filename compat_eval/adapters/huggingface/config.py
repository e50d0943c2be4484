"""What a Hugging Face config.json says of a model, checked before any weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compat_eval.core.errors import ModelError, some
from compat_eval.core.files import read_json
from compat_eval.core.text import contents
from compat_eval.models import unfinished

_ENDING = "ForSequenceClassification"
_LANGUAGE_MODELS = ("ForCausalLM", "LMHeadModel")

_TYPES: Mapping[str, type] = {
    "architectures": list,
    "id2label": dict,
    "label2id": dict,
    "max_position_embeddings": int,
    "model_type": str,
    "n_positions": int,
    "num_labels": int,
    "pad_token_id": int,
    "problem_type": str,
}
"""What stands under the keys that are read here, where they are there and not null."""


def read_config(directory: Path) -> dict[str, Any]:
    """Read config.json.

    Raises:
        ModelError: There is none (yet), or it is no JSON object.

    """
    path = directory / "config.json"
    if unfinished(directory):
        raise ModelError(
            f"{directory}: the training there is unfinished. Wait until it ends or, if "
            "it was stopped, give the same compat-eval train command again, which goes "
            "on where it was."
        )
    if not path.is_file():
        raise ModelError(
            f"{directory}: no config.json, so this is not a saved model; found "
            f"{contents(directory, empty='an empty directory')}."
        )
    try:
        config = read_json(path, finite=False)  # some configurations say Infinity
    except ValueError as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(
            f"{path}: must hold a JSON object; got a {type(config).__name__}"
        )
    for key, kind in _TYPES.items():
        value = config.get(key)
        if value is not None and not isinstance(value, kind):
            raise ModelError(
                f"{path}: {key!r} must hold a {kind.__name__}; got {value!r:.80}"
            )
    return config


def is_language_model(config: Mapping[str, Any]) -> bool:
    """Say whether a configuration is that of a causal language model."""
    return any(
        str(one).endswith(_LANGUAGE_MODELS) for one in config.get("architectures") or []
    )


def check_single_label(config: Mapping[str, Any], reference: str) -> None:
    """Refuse what is not a classifier that gives each text one label.

    Raises:
        ModelError: The model has another head, gives several labels, or a number.

    """
    architectures = config.get("architectures") or []
    if architectures and not any(str(one).endswith(_ENDING) for one in architectures):
        raise ModelError(
            f"{reference}: config.json says {some(architectures)}, which has no "
            f"classification head; expected an architecture ending in {_ENDING}. "
            "Fine-tune it (compat-eval train SUITE --model encoder --encoder DIR) "
            f"first, or say how its vectors are made: {reference}#mean or #cls"
        )
    problem = config.get("problem_type")
    if problem in {"multi_label_classification", "regression"}:
        raise ModelError(
            f"{reference}: config.json says problem_type {problem!r}; only models "
            "that give each text exactly one label can be compared here."
        )


def config_labels(config: Mapping[str, Any], reference: str) -> tuple[str, ...]:
    """Return the label names by id.

    Without `id2label` they are `LABEL_0`, …, as many as the config says.

    Raises:
        ModelError: Ids are not 0 to n - 1, there is one label only, or
            `label2id` says otherwise.

    """
    named = config.get("id2label")
    if named is None:
        named = {i: f"LABEL_{i}" for i in range(int(config.get("num_labels", 2)))}
    by_id = _by_id(named, reference)
    labels = tuple(by_id[i] for i in range(len(by_id)))
    _check_label2id(labels, config.get("label2id"), reference)
    return labels


def _by_id(named: Mapping[Any, Any], reference: str) -> dict[int, str]:
    try:
        by_id = {int(key): str(label) for key, label in named.items()}
    except (ValueError, AttributeError) as error:
        raise ModelError(
            f"{reference}: `id2label` in config.json must map ids to names: {error}"
        ) from error
    if sorted(by_id) != list(range(len(named))):
        raise ModelError(
            f"{reference}: the ids of `id2label` in config.json must be 0 to "
            f"{len(named) - 1}; got {some(sorted(by_id), limit=10)}."
        )
    if len(by_id) < 2:  # noqa: PLR2004
        raise ModelError(
            f"{reference}: config.json has {len(by_id)} label; a classifier has at "
            "least two, and a model with one gives a number, which cannot be compared "
            "here."
        )
    return by_id


def _check_label2id(
    labels: tuple[str, ...], label2id: Mapping[str, Any] | None, reference: str
) -> None:
    if not label2id:
        return
    apart = [
        label
        for number, label in enumerate(labels)
        if label in label2id and str(label2id[label]) != str(number)
    ]
    if apart:
        raise ModelError(
            f"{reference}: `id2label` and `label2id` in config.json disagree about "
            f"{some(apart)}; which one the model was trained with cannot be known. "
            "Correct the file."
        )
