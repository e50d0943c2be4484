"""`hf:` — classifiers, causal language models and encoders of transformers.

A directory, or the name of a model on the hub. Weights come from safetensors;
code that comes with a model is not run unless asked for. An encoder is `hf:DIR#mean`:
nothing in its directory says how the states of tokens become a vector.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from compat_eval.adapters import sentence_transformers
from compat_eval.adapters.huggingface.config import (
    check_single_label,
    config_labels,
    is_language_model,
    read_config,
)
from compat_eval.adapters.huggingface.files import ModelFiles, locate, model_files
from compat_eval.adapters.labels import suite_labels
from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.safetensors_header import TensorsHeader, read_header
from compat_eval.adapters.text_vectors import (
    TextVectorsSource,
    parse_reading,
    read_text_vectors,
)
from compat_eval.core.code import code_of
from compat_eval.core.errors import ModelError
from compat_eval.core.files import read_json
from compat_eval.core.fingerprint import files_digest, library_versions
from compat_eval.models.packages import package

_LIBRARIES = ("torch", "transformers", "tokenizers", "sentencepiece")


def recognises(path: Path) -> bool:
    """Say whether a path is a directory that transformers saved."""
    path = Path(str(path).partition("#")[0])
    config = path / "config.json"
    if not config.is_file() or sentence_transformers.recognises(path):
        return False
    has_weights = any(path.glob("model*.safetensors")) or any(
        path.glob("pytorch_model*.bin")
    )
    return has_weights and '"compat_eval"' not in config.read_text("utf-8", "replace")


def open_source(location: str, options: ModelOptions) -> Any:  # noqa: ANN401 - a `HuggingFaceSource`, or that of an encoder
    """Open a model's directory or hub name; read its labels, not its weights.

    Raises:
        ModelError: Files are absent, damaged or refused, or the model is neither a
            causal language model nor a single-label classifier with named labels, and
            the reference does not say how an encoder's states become vectors.
        MissingPackageError: huggingface_hub is needed and not installed.

    """
    reference = f"hf:{location}"
    location, vectors, how = location.partition("#")
    directory = locate(location, options, reference=reference)
    config = read_config(directory)
    if vectors:
        return _encoder(directory, how, options, reference=reference)
    labels = None
    if not is_language_model(config):
        check_single_label(config, reference)
        own = config_labels(config, reference)
        labels = suite_labels(own, options.label_map, reference=reference)
    files = model_files(directory, options, reference=reference)
    return HuggingFaceSource(
        reference=reference,
        config=config,
        files=files,
        headers=_headers(files),
        labels=labels,
        options=options,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFaceSource:
    """A model that is known but not loaded; see `ModelSource`.

    Attributes:
        config: Its config.json.
        files: The files that decide its answers.
        headers: What each file of weights holds; empty for pickled ones.
        labels: The suite's names of its labels, by id; `None` of a language model.

    """

    reference: str
    config: Mapping[str, Any]
    files: ModelFiles
    headers: tuple[TensorsHeader, ...]
    labels: tuple[str, ...] | None
    options: ModelOptions

    def fingerprint(self) -> str:
        """Return a SHA-256 of weights, configuration, tokenizer and settings."""
        files = (*self.files.settings, *self.files.weights)
        content = [files_digest(self.files.directory, files), *self._code_elsewhere()]
        return self.options.fingerprint("hf", 2, content)

    def _code_elsewhere(self) -> list[dict[str, str]]:
        """Return code of another repository, which is known once it was loaded."""
        named = self.options.trust_remote_code and self.config.get("auto_map")
        if not named or "--" not in str(named):
            return []
        return [code_of("transformers_modules").files]

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        return self.options.description(
            format="hf",
            architectures=self.config.get("architectures"),
            model_type=self.config.get("model_type"),
            labels=self.labels,
            weights=self.files.weights,
            n_parameters=sum(header.n_parameters for header in self.headers) or None,
            revision=self.options.revision,
            libraries=library_versions(*_LIBRARIES),
        )

    def load(self) -> Any:  # noqa: ANN401
        """Read the tokenizer and the weights.

        Raises:
            ModelError: They are damaged, or do not fit the configuration.
            MissingPackageError: torch or transformers is not installed.

        """
        package("torch")
        package("transformers")
        if self.labels is None:
            from compat_eval.adapters.huggingface.language_model import (  # noqa: PLC0415
                load_language_model,
            )

            return load_language_model(
                self.files, self.options, reference=self.reference
            )
        from compat_eval.adapters.huggingface.classifier import load_classifier  # noqa: PLC0415

        return load_classifier(
            self.files, self.labels, self.options, reference=self.reference
        )


def _encoder(
    directory: Path, how: str, options: ModelOptions, *, reference: str
) -> TextVectorsSource:
    options.require_plain(reference, "encoders compute in float32", cpu=False)
    reading = parse_reading(how, reference=reference)
    if not reading.modes:
        raise ModelError(f"{reference}: name a pooling after #, such as #mean or #cls")
    files = model_files(directory, options, reference=reference)
    _headers(files)
    return TextVectorsSource(
        reference=reference,
        scheme="hf",
        directory=directory,
        files=(*files.settings, *files.weights),
        how=reading.head.describe(),
        normalised=reading.normalise,
        prompts=reading.prompts,
        read=partial(
            read_text_vectors, files, reading.head, reference=reference, options=options
        ),
        options=options,
        weights=files.weights,
    )


def _headers(files: ModelFiles) -> tuple[TensorsHeader, ...]:
    """Check that every file of weights is there and whole."""
    index = files.directory / "model.safetensors.index.json"
    if index.is_file() and not files.pickled:
        named = _named(index)
        absent = sorted(named - {path.name for path in files.weights})
        if absent:
            raise ModelError(
                f"{index}: names {', '.join(absent)}, which is not there. "
                "Copy or download the model again."
            )
    if files.pickled:
        return ()
    return tuple(read_header(path) for path in files.weights)


def _named(index: Path) -> set[str]:
    try:
        files = read_json(index)["weight_map"].values()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{index}: names no files of weights under 'weight_map' "
            f"({type(error).__name__}). Copy or download the model again."
        ) from error
    return {str(name) for name in files}
