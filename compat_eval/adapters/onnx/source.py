"""`onnx:` — text classifiers for onnxruntime, on the processor.

A directory with model.onnx, config.json (for the label names) and a tokenizer,
as `optimum-cli export onnx` writes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compat_eval.adapters.huggingface.config import (
    check_single_label,
    config_labels,
    read_config,
)
from compat_eval.adapters.huggingface.files import settings_files
from compat_eval.adapters.labels import suite_labels
from compat_eval.adapters.onnx.files import external_files
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import digest, files_digest, library_versions
from compat_eval.models.packages import package

if TYPE_CHECKING:
    from compat_eval.adapters.onnx.classifier import OnnxClassifier

_LIBRARIES = ("onnxruntime", "numpy", "transformers", "tokenizers")


def recognises(path: Path) -> bool:
    """Say whether a path is an ONNX file, or a directory with model.onnx."""
    return path.suffix == ".onnx" or (path / "model.onnx").is_file()


def open_source(location: str, options: ModelOptions) -> "OnnxSource":
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
    if options.dtype != "float32" or options.device != "cpu":
        raise ModelError(
            f"{reference}: ONNX models run on the processor in the precision they "
            f"were exported with; got device {options.device!r}, dtype "
            f"{options.dtype!r}."
        )
    config = read_config(path.parent)
    check_single_label(config, reference)
    own = config_labels(config, reference)
    return OnnxSource(
        reference=reference,
        path=path,
        weights=(path, *external_files(path, reference=reference)),
        config=config,
        settings=settings_files(path.parent, options, reference=reference),
        labels=suite_labels(own, options.label_map, reference=reference),
        options=options,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxSource:
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
        return digest(["onnx", 1, content, self.path.name, self.options.deciding()])

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        return {
            "format": "onnx",
            "model_type": self.config.get("model_type"),
            "labels": list(self.labels),
            "label_map": dict(self.options.label_map),
            "weights": [path.name for path in self.weights],
            "weight_bytes": sum(path.stat().st_size for path in self.weights),
            "libraries": library_versions(*_LIBRARIES),
            "device": self.options.device,
            "dtype": self.options.dtype,
            **self.options.flags(),
        }

    def load(self) -> "OnnxClassifier":
        """Read graph, weights and tokenizer.

        Raises:
            ModelError: The file is damaged, or takes other inputs than tokens.
            MissingPackageError: onnxruntime or transformers is not installed.

        """
        package("onnxruntime", extra="onnx")
        package("transformers", extra="onnx")
        from compat_eval.adapters.onnx.classifier import load_classifier  # noqa: PLC0415

        return load_classifier(
            self.path,
            self.config,
            self.labels,
            self.options,
            reference=self.reference,
        )
