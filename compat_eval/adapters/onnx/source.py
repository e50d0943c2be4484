"""`onnx:` — classifiers and encoders of texts for onnxruntime, on the processor.

A directory with model.onnx, config.json (for the label names) and a tokenizer,
as `optimum-cli export onnx` writes it. An encoder is `onnx:DIR#mean`, or
`onnx:DIR#pooled` where the graph pools by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
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
from compat_eval.adapters.onnx.encoder import onnx_states
from compat_eval.adapters.onnx.external_files import external_files
from compat_eval.adapters.onnx.session import float_outputs, open_session, run
from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.text_vectors import TextVectorsSource, parse_reading
from compat_eval.core.arrays import Values
from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import files_digest, library_versions
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.encoders.pretrained import load_tokenizer
from compat_eval.models.encoders.text_items import (
    Batch,
    TextEncoder,
    TextItem,
    open_encoder,
    with_item_errors,
)
from compat_eval.models.encoders.text_vectors import TextVectors
from compat_eval.models.encoders.vector_head import VectorHead
from compat_eval.models.packages import package

_LIBRARIES = ("onnxruntime", "numpy", "transformers", "tokenizers")

_ROUNDING = 1e-3
_LEAST = np.finfo(np.float64).tiny


def recognises(path: Path) -> bool:
    """Say whether a path is an ONNX file, or a directory with model.onnx."""
    path = Path(str(path).partition("#")[0])
    return path.suffix == ".onnx" or (path / "model.onnx").is_file()


def open_source(location: str, options: ModelOptions) -> Any:  # noqa: ANN401 - see `hf:`
    """Open a directory, or the ONNX file in one; read its labels, not its weights.

    Raises:
        ModelError: Files are absent, the model is neither a single-label classifier
            with named labels nor said to be an encoder, or another device or dtype was
            asked for.

    """
    reference = f"onnx:{location}"
    location, vectors, how = location.partition("#")
    given = Path(location).expanduser()
    path = given / "model.onnx" if given.is_dir() else given
    if not path.is_file():
        raise ModelError(f"{reference}: no such file: {path}. Expected model.onnx.")
    options.require_plain(
        reference,
        "ONNX models run on the processor in the precision they were exported with",
    )
    weights = (path, *external_files(path, reference=reference))
    settings = settings_files(path.parent, options, reference=reference)
    if vectors:
        reading = parse_reading(how, reference=reference)
        return TextVectorsSource(
            reference=reference,
            scheme="onnx",
            directory=path.parent,
            files=(*settings, *weights),
            how={**reading.head.describe(), "graph": path.name},
            normalised=reading.normalise,
            prompts=reading.prompts,
            read=partial(_read_encoder, path, reading.head, reference, options),
            options=options,
            weights=weights,
            libraries=_LIBRARIES,
        )
    config = read_config(path.parent)
    check_single_label(config, reference)
    own = config_labels(config, reference)
    return _OnnxSource(
        reference=reference,
        path=path,
        weights=weights,
        config=config,
        settings=settings,
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
        found = np.asarray(run(self.session, self.output, batch), np.float64)
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
        package("transformers", extra="onnx")
        session = open_session(
            self.path, threads=self.options.threads, reference=self.reference
        )
        tokenizer = load_tokenizer(
            self.path.parent, self.reference, trust_code=self.options.trust_remote_code
        )
        return _OnnxClassifier(
            session=session,
            output=_output(session, self.reference),
            encoder=open_encoder(tokenizer, self.config),
            labels=self.labels,
        )


def _read_encoder(
    path: Path, head: VectorHead, reference: str, options: ModelOptions
) -> TextVectors:
    package("transformers", extra="onnx")
    session = open_session(path, threads=options.threads, reference=reference)
    tokenizer = load_tokenizer(
        path.parent, reference, trust_code=options.trust_remote_code
    )
    states = onnx_states(session, pooled=head.pooling is None, reference=reference)
    texts = open_encoder(tokenizer, read_config(path.parent))
    return TextVectors(states=states, texts=texts, head=head)


def _output(session: Any, reference: str) -> str:  # noqa: ANN401
    """Return the name of the logits or probabilities."""
    scores = float_outputs(
        session,
        expected="a number for each label, logits or probabilities, as one tensor of "
        "floats (without ZipMap)",
        reference=reference,
    )
    likely = [n for n in scores if n == "logits"] or [
        n for n in scores if "logit" in n.lower() or "prob" in n.lower()
    ]
    return (likely or scores)[0]
