"""`onnx:` — text classifiers for onnxruntime, on the processor.

A directory with model.onnx, config.json (for the label names) and a tokenizer,
as `optimum-cli export onnx` writes it.
"""

import mmap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.adapters.huggingface.config import (
    check_single_label,
    config_labels,
    read_config,
)
from compat_eval.adapters.huggingface.files import settings_files
from compat_eval.adapters.labels import suite_labels
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.arrays import Values
from compat_eval.core.errors import ModelError, some
from compat_eval.core.fingerprint import file_digest, files_digest, library_versions
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.encoders.pretrained import load_tokenizer
from compat_eval.models.encoders.text_items import (
    Batch,
    TextEncoder,
    TextItem,
    open_encoder,
    with_item_errors,
)
from compat_eval.models.packages import package

_LIBRARIES = ("onnxruntime", "numpy", "transformers", "tokenizers")

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

_PARTS: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "model": {7: "graph", 20: "training", 25: "function"},
        "training": {1: "graph", 2: "graph"},
        "function": {7: "node", 11: "attribute"},
        "graph": {1: "node", 5: "tensor", 15: "sparse"},
        "node": {5: "attribute"},
        "attribute": {
            **dict.fromkeys((5, 10), "tensor"),
            **dict.fromkeys((6, 11), "graph"),
            **dict.fromkeys((22, 23), "sparse"),
        },
        "sparse": {1: "tensor", 2: "tensor"},
        "tensor": {13: "entry"},
    }
)
"""Fields of onnx.proto that lead to tensors, by message."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def recognises(path: Path) -> bool:
    """Say whether a path is an ONNX file, or a directory with model.onnx."""
    return path.suffix == ".onnx" or (path / "model.onnx").is_file()


def open_source(location: str, options: ModelOptions) -> "_OnnxSource":
    """Open a directory, or the ONNX file in one; read its labels, not its weights.

    Raises:
        ModelError: Files are absent, the model is not a single-label classifier
            with named labels, or another device or dtype was asked for.

    """
    reference = f"onnx:{location}"
    given = Path(location).expanduser()
    path = given / "model.onnx" if given.is_dir() else given
    if not path.is_file():
        raise ModelError(f"{reference}: no such file: {path}. Expected model.onnx.")
    options.require_plain(
        reference,
        "ONNX models run on the processor in the precision they were exported with",
    )
    config = read_config(path.parent)
    check_single_label(config, reference)
    own = config_labels(config, reference)
    return _OnnxSource(
        reference=reference,
        path=path,
        weights=(path, *_external_files(path, reference=reference)),
        config=config,
        settings=settings_files(path.parent, options, reference=reference),
        labels=suite_labels(own, options.label_map, reference=reference),
        options=options,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnnxClassifier:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnnxSource:
    """An ONNX classifier that is known but not loaded; see `ModelSource`.

    Attributes:
        path: The ONNX file.
        weights: The ONNX file, and those that it keeps its tensors in.
        config: The config.json beside it.
        settings: Configuration and tokenizer files.
        labels: The suite's names of its labels, by id.

    """

    reference: str
    path: Path
    weights: tuple[Path, ...]
    config: Mapping[str, Any]
    settings: tuple[Path, ...]
    labels: tuple[str, ...]
    options: ModelOptions

    def fingerprint(self) -> str:
        """Return a SHA-256 of graph, weights, configuration, tokenizer, settings."""
        content = files_digest(self.path.parent, (*self.settings, *self.weights))
        return self.options.fingerprint("onnx", 1, content, self.path.name)

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        return self.options.description(
            format="onnx",
            model_type=self.config.get("model_type"),
            labels=self.labels,
            weights=self.weights,
            libraries=library_versions(*_LIBRARIES),
        )

    def load(self) -> _OnnxClassifier:
        """Read graph, weights and tokenizer.

        Raises:
            ModelError: The file is damaged, or takes other inputs than tokens.
            MissingPackageError: onnxruntime or transformers is not installed.

        """
        runtime = package("onnxruntime", extra="onnx")
        package("transformers", extra="onnx")
        session = _session(runtime, self.path, self.options.threads)
        _check_inputs(session, self.reference)
        tokenizer = load_tokenizer(
            self.path.parent, self.reference, trust_code=self.options.trust_remote_code
        )
        return _OnnxClassifier(
            session=session,
            output=_output(session, self.reference),
            encoder=open_encoder(tokenizer, self.config),
            labels=self.labels,
        )


def _session(runtime: Any, path: Path, threads: int | None) -> Any:  # noqa: ANN401
    settings = runtime.SessionOptions()
    settings.log_severity_level = 3
    if threads is not None:
        settings.intra_op_num_threads = threads
    try:
        return runtime.InferenceSession(
            str(path), settings, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime has no common exception
        raise ModelError(f"{path}: cannot be read: {error}") from error


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


def _external_files(path: Path, *, reference: str) -> tuple[Path, ...]:
    """Return the files that a graph names for its tensors, sorted, without onnx.

    Raises:
        ModelError: The graph is damaged, names a file outside its folder, or one
            that is not there.

    """
    try:
        names = _locations(path, file_digest(path))
    except (IndexError, ValueError) as error:
        raise ModelError(
            f"{path}: cannot be read as an ONNX graph: {error}. Export it again."
        ) from error
    for name in names:
        pure = PurePosixPath(name.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or ":" in pure.parts[0]:
            raise ModelError(
                f"{reference}: {path.name} keeps tensors in {name!r}, outside its "
                "folder; save it with its data beside it."
            )
        if not (path.parent / pure).is_file():
            raise ModelError(
                f"{reference}: {path.name} keeps tensors in {name!r}, which is not "
                f"there; copy it to {path.parent}."
            )
    return tuple(sorted(path.parent / name for name in names))


@lru_cache(maxsize=64)
def _locations(path: Path, digest: str) -> frozenset[str]:  # noqa: ARG001 - the cache's key
    found = set()
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    todo = [("model", memoryview(data))]
    while todo:
        kind, part = todo.pop()
        for number, value in _fields(part):
            inner = _PARTS[kind].get(number)
            if inner == "entry":
                key, name = _entry(value)
                found |= {name} if key == "location" else set()
            elif inner is not None:
                todo.append((inner, value))
    return frozenset(found)


def _entry(data: memoryview) -> tuple[str, str]:
    found = {number: str(value, "utf-8") for number, value in _fields(data)}
    return found.get(1, ""), found.get(2, "")


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of each field with a length (protobuf's wire form)."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _BYTES:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("it is truncated")
            yield tag >> 3, data[at : at + size]
            at += size
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            return value, at
        shift += 7
        if shift > 63:  # noqa: PLR2004 - 64 bits
            raise ValueError("a number is too long")
