"""`st:` — encoders in the format of sentence-transformers, read without the package.

A directory, or a name on the hub: modules.json lists a Transformer, a Pooling, and
perhaps layers of kind Dense, LayerNorm and Normalize behind it. What modules.json names
is looked up here and never imported, so no code that comes with a model runs. Prompts
stand in config_sentence_transformers.json: queries get that of `query`, documents that
of `document`, `passage` or `corpus`, and other texts the default one.

Format: https://sbert.net/docs/sentence_transformer/usage/custom_models.html.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from compat_eval.adapters.huggingface.files import ModelFiles, locate, model_files
from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.safetensors_header import read_header
from compat_eval.adapters.text_vectors import (
    Prompts,
    TextVectorsSource,
    read_text_vectors,
)
from compat_eval.core.arrays import Array
from compat_eval.core.errors import ModelError
from compat_eval.core.files import read_json
from compat_eval.models.encoders.vector_head import (
    ACTIVATIONS,
    POOLINGS,
    Dense,
    LayerNorm,
    Normalise,
    Pooling,
    VectorHead,
    VectorStep,
)
from compat_eval.models.packages import package

_MODULES = "modules.json"
_PROMPTS = "config_sentence_transformers.json"
_WEIGHTS = "model.safetensors"
_OLD_POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""What older versions wrote, in the order in which vectors are put side by side."""

_EXPECTED: Mapping[str, Any] = MappingProxyType(
    {
        "transformer_task": "feature-extraction",
        "module_output_name": "token_embeddings",
    }
)
"""Settings of a Transformer that are computed here with one value only."""

_READ = frozenset({"max_seq_length", "do_lower_case"})
_VECTOR = "sentence_embedding"
_Module = tuple[str, Path]
"""Kind and folder of a module."""


def recognises(path: Path) -> bool:
    """Say whether a path is a directory that sentence-transformers saved."""
    return (path / _MODULES).is_file()


def open_source(location: str, options: ModelOptions) -> TextVectorsSource:
    """Open a directory or a name on the hub, without the network's weights.

    Raises:
        ModelError: Files are absent, damaged or refused, or it has modules that are
            not known here.
        MissingPackageError: safetensors is not installed.

    """
    reference = f"st:{location}"
    options.require_plain(reference, "encoders compute in float32", cpu=False)
    directory = locate(
        location, options, reference=reference, further=(f"*/{_WEIGHTS}",)
    )
    (_, network), *behind = _modules(directory, reference)
    files = model_files(network, options, reference=reference)
    for path in () if files.pickled else files.weights:
        read_header(path)
    settings = _settings(network)
    head = _head(behind, reference)
    longest, lower = settings.get("max_seq_length"), settings.get("do_lower_case")
    read = partial(
        read_text_vectors,
        files,
        head,
        reference=reference,
        options=options,
        longest=longest,
        lower=bool(lower),
    )
    return TextVectorsSource(
        reference=reference,
        scheme="st",
        directory=directory,
        files=_deciding(files, behind),
        how={**head.describe(), "longest": longest, "lower_case": bool(lower)},
        normalised=head.normalised,
        prompts=_prompts(directory),
        read=read,
        options=options,
        weights=files.weights,
    )


def _modules(directory: Path, reference: str) -> list[_Module]:
    """Return kind and folder of each module, the Transformer first.

    Raises:
        ModelError: It has others than those that are read, or in another order.

    """
    path = directory / _MODULES
    if not path.is_file():
        raise ModelError(
            f"{reference}: no {_MODULES}, so sentence-transformers did not save it. An "
            "encoder of transformers alone is hf:DIR#mean (or #cls, …)"
        )
    found = _listed_modules(path, reference)
    kinds = [kind for kind, _ in found]
    known = {"Dense", "Dropout", "LayerNorm", "Normalize"}
    if kinds[:2] != ["Transformer", "Pooling"] or not known.issuperset(kinds[2:]):
        raise ModelError(
            f"{reference}: is made of {', '.join(kinds) or 'nothing'}; expected "
            f"Transformer, Pooling, then any of {', '.join(sorted(known))}. Write a "
            "python: factory that returns an object with embed(items)"
        )
    root = directory.resolve()
    folders = [directory / path for _, path in found]
    if outside := [p for p in folders if not p.resolve().is_relative_to(root)]:
        raise ModelError(f"{path}: names a folder outside of it: {outside[0]}")
    return list(zip(kinds, folders, strict=True))


def _listed_modules(path: Path, reference: str) -> list[tuple[str, str]]:
    """Return class and folder of each module in their order; none of other code."""
    try:
        rows = sorted(read_json(path), key=lambda row: int(row["idx"]))
        found = [(str(r["type"]).rpartition(".")[2], str(r["path"])) for r in rows]
        packages = {str(row["type"]).partition(".")[0] for row in rows}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: must list idx, path and type: {error!r}") from error
    if packages - {"sentence_transformers"}:
        names = ", ".join(str(row["type"]) for row in rows)
        raise ModelError(
            f"{reference}: has modules of its own code ({names}), which is not run. "
            "Write a python: factory that returns an object with embed(items)"
        )
    return found


def _settings(network: Path) -> dict[str, Any]:
    """Return how texts are read: sentence_bert_config.json, or an older name of it.

    Raises:
        ModelError: It asks for what is not computed here.

    """
    path = next(iter(sorted(network.glob("sentence_*_config.json"))), None)
    if path is None:
        return {}
    told: dict[str, Any] = _json(path)
    other = {name: value for name, value in told.items() if _asks_more(name, value)}
    if other:
        raise ModelError(
            f"{path}: asks for {other!r:.200}, which is not computed here. Write a "
            "python: factory that returns an object with embed(items)"
        )
    return told


def _asks_more(name: str, value: Any) -> bool:  # noqa: ANN401
    """Whether a setting of a Transformer changes what is computed here."""
    if name == "modality_config":
        text = (value or {}).get("text") or {}
        return text.get("method_output_name") not in (None, "last_hidden_state")
    if name in _EXPECTED:
        return bool(value != _EXPECTED[name])
    return bool(value) and name not in _READ


def _head(modules: list[_Module], reference: str) -> VectorHead:
    (_, pooling), *rest = modules
    makers: dict[str, Callable[[Path], VectorStep | None]] = {
        "Dense": _dense,
        "Dropout": lambda _: None,
        "LayerNorm": _layer_norm,
        "Normalize": lambda _: Normalise(),
    }
    for kind, folder in rest:
        told = _json(folder / "config.json", required=False)
        names = (told.get("module_input_name"), told.get("module_output_name"))
        if any(name not in (None, _VECTOR) for name in names):
            raise ModelError(
                f"{reference}: its {kind} reads or writes {names}, not {_VECTOR}"
            )
    steps = [makers[kind](folder) for kind, folder in rest]
    return VectorHead(
        pooling=_pooling(pooling), steps=tuple(s for s in steps if s is not None)
    )


def _pooling(folder: Path) -> Pooling:
    path = folder / "config.json"
    told = _json(path)
    modes = told.get("pooling_mode")
    if modes is None:
        modes = [mode for key, mode in _OLD_POOLINGS.items() if told.get(key)]
    modes = tuple([modes] if isinstance(modes, str) else modes) or ("mean",)
    if unknown := [mode for mode in modes if mode not in POOLINGS]:
        raise ModelError(
            f"{path}: unknown pooling {unknown[0]!r}; known are {', '.join(POOLINGS)}"
        )
    return Pooling(modes=modes, with_prompt=bool(told.get("include_prompt", True)))


def _dense(folder: Path) -> Dense:
    told, tensors = _json(folder / "config.json"), _tensors(folder)
    name = str(told.get("activation_function", "torch.nn.modules.activation.Tanh"))
    activation = name.rpartition(".")[2]
    if not name.startswith("torch.nn.") or activation not in ACTIVATIONS:
        raise ModelError(
            f"{folder}: unknown activation {name!r}; known are of torch.nn "
            f"{', '.join(ACTIVATIONS)}"
        )
    weight = _tensor(tensors, "linear.weight", folder)
    residual = None
    if told.get("use_residual"):
        same = weight.shape[0] == weight.shape[1]
        residual = (
            np.eye(len(weight), dtype=np.float32)
            if same
            else _tensor(tensors, "residual.weight", folder)
        )
    return Dense(
        weight=weight,
        bias=_tensor(tensors, "linear.bias", folder)
        if told.get("bias", True)
        else None,
        activation=activation,
        residual=residual,
    )


def _layer_norm(folder: Path) -> LayerNorm:
    tensors = _tensors(folder)
    return LayerNorm(
        scale=_tensor(tensors, "norm.weight", folder),
        shift=_tensor(tensors, "norm.bias", folder),
    )


def _tensors(folder: Path) -> dict[str, Array]:
    path = folder / _WEIGHTS
    if not path.is_file():
        raise ModelError(
            f"{folder}: no {_WEIGHTS}; save the model with a version of "
            "sentence-transformers that writes safetensors"
        )
    read_header(path)
    return dict(package("safetensors.numpy").load_file(path))


def _tensor(tensors: dict[str, Array], name: str, folder: Path) -> Any:  # noqa: ANN401
    if name not in tensors:
        raise ModelError(f"{folder / _WEIGHTS}: no tensor {name!r}")
    return np.asarray(tensors[name], np.float32)


def _prompts(directory: Path) -> Prompts:
    path = directory / _PROMPTS
    told = _json(path, required=False)
    named = {n: str(p) for n, p in (told.get("prompts") or {}).items() if p}
    default = told.get("default_prompt_name")
    if default and default not in (told.get("prompts") or {}):
        raise ModelError(
            f"{path}: default_prompt_name is {default!r}, which is none of its prompts"
        )
    of_documents = [named[n] for n in ("document", "passage", "corpus") if n in named]
    return Prompts(
        query=named.get("query", ""),
        document=next(iter(of_documents), ""),
        plain=named.get(default or "", ""),
    )


def _deciding(files: ModelFiles, modules: list[_Module]) -> tuple[Path, ...]:
    """Return the files that decide vectors; prompts count by their text."""
    behind = [
        folder / name for _, folder in modules for name in ("config.json", _WEIGHTS)
    ]
    settings = [path for path in files.settings if path.name != _PROMPTS]
    there = (path for path in behind if path.is_file())
    return tuple(sorted({*settings, *files.weights, *there}))


def _json(path: Path, *, required: bool = True) -> dict[str, Any]:
    if not required and not path.is_file():
        return {}
    try:
        told = read_json(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(told, dict):
        raise ModelError(f"{path}: must hold a JSON object; got {told!r:.80}")
    return told
