"""`compat:` — models that compat-eval trained, or put together, and saved.

Their config.json has an entry `compat_eval` with the `kind`. Some kinds are
saved in a format that another scheme opens as well; some are made of other models. Of a
model that learned several tasks, `compat:DIR#TASK` is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compat_eval.adapters import sklearn
from compat_eval.adapters.huggingface import source as huggingface
from compat_eval.adapters.huggingface.config import read_config
from compat_eval.adapters.labels import suite_labels
from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.safetensors_header import TensorsHeader, read_header
from compat_eval.core.code import code_of
from compat_eval.core.errors import ModelError
from compat_eval.core.files import read_json
from compat_eval.core.fingerprint import files_digest, library_versions
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.core.registry import Registry
from compat_eval.core.text import contents, words_of
from compat_eval.models import BESIDE, SAVED, unfinished
from compat_eval.models.encoders.sentences import encoder_below
from compat_eval.models.packages import package

_ELSEWHERE = ("causal-lm", "encoder", "tfidf")
"""Kinds that are saved in a format of another scheme."""

_ON_AN_ENCODER = ("head", "lqf")
"""Kinds that refer to a pretrained encoder, which stays where it is."""

_MADE_OF_OTHERS = Registry(
    group="compat_eval.saved_sources",
    noun="kind of model made of others",
    builtin={
        "composite": "compat_eval.mitigations.saved:open_saved",
        "mapped": "compat_eval.mitigations.mapped:open_mapped",
    },
)
"""Kinds without weights of their own, by name.

Each is `open(directory, config, options, *, reference) -> ModelSource`.
"""

_NEWEST = 1
_WEIGHTS = "model.safetensors"
_PIPELINE = "model.skops"

_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")
_READ_MEDIA = ("scipy", "pillow")
"""Further ones of models that read images or recordings."""


def recognises(path: Path) -> bool:
    """Say whether a path is a directory that `compat-eval train` fills or filled."""
    path = _parted(str(path))[0]
    if unfinished(path):
        return True
    config = path / "config.json"
    return config.is_file() and '"compat_eval"' in config.read_text("utf-8", "replace")


def open_source(location: str, options: ModelOptions) -> ModelSource:
    """Open a trained model's directory without reading its weights.

    Raises:
        ModelError: It is no such directory, its files are missing, damaged or of
            a kind this version does not know, or its labels do not fit the map.

    """
    reference = f"compat:{location}"
    directory, part = _parted(location)
    if not directory.is_dir():
        raise ModelError(f"{reference}: no such directory.")
    config = read_config(directory)
    kind = _kind(config, reference)
    config = _of_task(config, part, reference)
    if kind in _MADE_OF_OTHERS.names():
        made: ModelSource = _MADE_OF_OTHERS.load(kind)(
            directory, config, options, reference=reference
        )
        return made
    if kind in ("causal-lm", "encoder"):
        network: huggingface.HuggingFaceSource = huggingface.open_source(
            str(directory), options
        )
        return replace(network, reference=reference)
    if kind == "tfidf":
        path = _there(directory, _PIPELINE, reference)
        pipeline = sklearn.open_source(str(path), options)
        own = suite_labels(
            _labels(config, directory), options.label_map, reference=reference
        )
        return replace(pipeline, reference=reference, labels=own)
    options.require_plain(reference, "only float32 is possible", cpu=False)
    if kind in _ON_AN_ENCODER and "features" not in config:
        encoder_below(directory, config, device=options.device)
    return _CompatSource(
        reference=reference,
        directory=directory,
        config=config,
        kind=kind,
        part=part,
        header=read_header(_there(directory, _WEIGHTS, reference)),
        labels=suite_labels(
            _labels(config, directory), options.label_map, reference=reference
        ),
        options=options,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CompatSource:
    """A model of ours that is known but not loaded; see `ModelSource`.

    Attributes:
        directory: Where config.json and model.safetensors are.
        config: That config.json.
        kind: Name of its architecture, as in `compat-eval train --model`.
        part: Which of its tasks is asked; empty where it has one.
        header: What the weights' file holds.
        labels: The suite's names of its labels, by id.

    """

    reference: str
    directory: Path
    config: Mapping[str, Any]
    kind: str
    part: str
    header: TensorsHeader
    labels: tuple[str, ...]
    options: ModelOptions

    def fingerprint(self) -> str:
        """Return a SHA-256 of its files and settings, without the training's record."""
        deciding = [
            path
            for path in self.directory.iterdir()
            if path.is_file() and path.name not in BESIDE and path.name[0] != "."
        ]
        code = {} if self.kind in SAVED.builtin else _code_of(self.kind)
        content = [files_digest(self.directory, deciding), code]
        if self.part:
            content.append({"task": self.part})
        return self.options.fingerprint("compat", 2, content)

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        media = _READ_MEDIA if "features" in self.config else ()
        return self.options.description(
            format="compat",
            kind=self.kind,
            **({"task": self.part} if self.part else {}),
            labels=self.labels,
            weights=[self.directory / _WEIGHTS],
            training=_training(self.directory),
            n_parameters=self.header.n_parameters,
            libraries=library_versions(*_LIBRARIES, *media),
        )

    def load(self) -> Predicts:
        """Read the weights.

        Raises:
            ModelError: They are damaged, or do not fit the configuration.
            MissingPackageError: torch is not installed.

        """
        torch = package("torch")
        if self.options.threads is not None:
            torch.set_num_threads(self.options.threads)
        load = SAVED.load(self.kind)
        which: dict[str, Any] = {"task": self.part} if self.part else {}
        if self.kind == "language-model":
            which["stride"] = self.options.stride
        try:
            model: Predicts = load(
                self.directory,
                labels=self.labels,
                device=self.options.device,
                **which,
            )
        except ModelError:
            raise
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{self.directory / 'config.json'}: tells of no {self.kind} model: "
                f"{type(error).__name__}: {words_of(error)}. Restore the file, or "
                "delete the directory and train the model again."
            ) from error
        return model


def _parted(location: str) -> tuple[Path, str]:
    """Return a directory, and which of its tasks is meant; empty for none."""
    whole = Path(location).expanduser()
    if whole.is_dir() or "#" not in location:
        return whole, ""
    place, _, part = location.rpartition("#")
    return Path(place).expanduser(), part


def _of_task(config: dict[str, Any], part: str, reference: str) -> dict[str, Any]:
    """Return a configuration whose labels are those of the task that is meant.

    Raises:
        ModelError: A model of several tasks has no such task, or none is named; or one
            is named and the model has no tasks.

    """
    several = config["compat_eval"]["kind"] == "multitask"
    if not several and not part:
        return config
    tasks = config.get("tasks") if several else None
    labels = {
        str(one.get("name")): one.get("labels")
        for one in (tasks if isinstance(tasks, list) else [])
        if isinstance(one, Mapping)
    }
    if part in labels:
        return {**config, "labels": labels[part]}
    if not several:
        raise ModelError(f"{reference}: it has no tasks; leave out #{part}")
    plain = reference.removesuffix(f"#{part}") if part else reference
    raise ModelError(
        f"{reference}: a model of several tasks, of which one is compared; write "
        f"{' or '.join(f'{plain}#{name}' for name in labels)}"
    )


def _training(directory: Path) -> dict[str, Any]:
    """Return with which seed and how many threads a model was trained, if known."""
    try:
        record = read_json(directory / "training.json")
        return {key: record.get(key) for key in ("seed", "threads")}
    except (OSError, ValueError, AttributeError):
        return {}


def _code_of(kind: str) -> dict[str, str]:
    """Return the code of a kind that another package offers."""
    return code_of(SAVED.load(kind).__module__).files


def _kind(config: Mapping[str, Any], reference: str) -> str:
    ours = config.get("compat_eval")
    if not isinstance(ours, Mapping) or "kind" not in ours:
        raise ModelError(
            f"{reference}: config.json has no entry `compat_eval`, so `compat-eval "
            "train` did not make it. For a model of transformers write hf:."
        )
    if ours.get("schema_version") != _NEWEST:
        raise ModelError(
            f"{reference}: saved in format version {ours.get('schema_version')}; "
            f"this compat-eval reads version {_NEWEST}."
        )
    elsewhere = {*_ELSEWHERE, *_MADE_OF_OTHERS.names()}
    kind, known = str(ours["kind"]), sorted({*elsewhere, *SAVED.names()})
    if kind not in known:
        raise ModelError(
            f"{reference}: a model of kind {kind!r}; known: {', '.join(known)}"
        )
    return kind


def _labels(config: Mapping[str, Any], directory: Path) -> list[str]:
    labels = config.get("labels")
    if not isinstance(labels, list) or not all(isinstance(one, str) for one in labels):
        raise ModelError(
            f"{directory / 'config.json'}: no list of names 'labels'; restore the "
            "file, or train the model again"
        )
    return labels


def _there(directory: Path, name: str, reference: str) -> Path:
    path = directory / name
    if not path.is_file():
        raise ModelError(
            f"{reference}: {name} is missing (found {contents(directory)}). Copy it "
            "back, or delete the directory and train the model again."
        )
    return path
