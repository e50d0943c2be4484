"""The files of a Hugging Face model that decide its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError, some
from compat_eval.core.text import contents
from compat_eval.models import BESIDE
from compat_eval.models.packages import package

_TEXTS = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken")
_VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "*.model",
    "*.tiktoken",
)
_ADAPTERS = ("adapter_config.json", "adapter_model*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """The files that decide a model's answers.

    Attributes:
        directory: Where they are.
        weights: Files of weights, sorted.
        settings: Configuration, tokenizer, and code where that was allowed, sorted.

    """

    directory: Path
    weights: tuple[Path, ...]
    settings: tuple[Path, ...]

    @property
    def pickled(self) -> bool:
        """Whether the weights are in a format that can run code."""
        return bool(self.weights) and self.weights[0].suffix == ".bin"


def locate(
    location: str,
    options: ModelOptions,
    *,
    reference: str,
    further: tuple[str, ...] = (),
) -> Path:
    """Return the directory of a model: the one named, or a copy from the hub.

    Args:
        location: A directory, or a name on the hub.
        options: How the model is opened.
        reference: What the user wrote.
        further: Patterns of files that are fetched besides those of transformers.

    Raises:
        ModelError: There is no such directory, nor such a model on the hub, or
            the hub may not be asked.

    """
    directory = Path(location).expanduser()
    if directory.is_dir():
        return directory
    if directory.exists():
        raise ModelError(f"{reference}: expected a directory, and it is a file.")
    if location.startswith((".", "/", "~")) or location.count("/") > 1:
        raise ModelError(f"{reference}: no such directory.")
    return _from_hub(location, options, reference, further)


def model_files(
    directory: Path, options: ModelOptions, *, reference: str
) -> ModelFiles:
    """Find the weights, safetensors first, and what belongs to them.

    Raises:
        ModelError: There are no weights, or only pickled ones and those were
            not allowed; there is no tokenizer; or an adapter lies beside them.

    """
    adapters = _files(directory, _ADAPTERS)
    if adapters:
        names = some(path.name for path in adapters)
        raise ModelError(
            f"{reference}: an adapter ({names}) lies in {directory}; whether it counts "
            "depends on what is installed. Merge it into the weights and save the "
            "model (PEFT's merge_and_unload), or move the adapter's files elsewhere."
        )
    return ModelFiles(
        directory=directory,
        weights=_weights(directory, options, reference),
        settings=settings_files(directory, options, reference=reference),
    )


def settings_files(
    directory: Path, options: ModelOptions, *, reference: str
) -> tuple[Path, ...]:
    """Find configuration, tokenizer, and code where that was allowed.

    Raises:
        ModelError: There is no tokenizer; transformers would make an empty one,
            to which every word is unknown.

    """
    if not _files(directory, _VOCABULARIES):
        raise ModelError(
            f"{reference}: no tokenizer (tokenizer.json) in {directory}; found "
            f"{contents(directory)}. Save it beside the model."
        )
    code = ("*.py",) if options.trust_remote_code else ()
    found = _files(directory, (*_TEXTS, *code))
    return tuple(path for path in found if path.name not in BESIDE)


def _weights(
    directory: Path, options: ModelOptions, reference: str
) -> tuple[Path, ...]:
    safe = _files(directory, ("model*.safetensors",))
    if safe:
        return safe
    pickled = _files(directory, ("pytorch_model*.bin",))
    if pickled and options.allow_pickle:
        return pickled
    if pickled:
        names = some(path.name for path in pickled)
        raise ModelError(
            f"{reference}: the weights are only there as {names}, a pickle, which "
            "can run code when it is opened. Save the model with "
            "safe_serialization=True, or pass --allow-pickle if you trust its origin."
        )
    raise ModelError(
        f"{reference}: no weights (model.safetensors) in {directory}; found "
        f"{contents(directory)}."
    )


def _files(directory: Path, patterns: Sequence[str]) -> tuple[Path, ...]:
    found = {path for pattern in patterns for path in directory.glob(pattern)}
    return tuple(sorted(path for path in found if path.is_file()))


def _from_hub(
    name: str, options: ModelOptions, reference: str, further: tuple[str, ...]
) -> Path:
    hub = package("huggingface_hub")
    errors = package("huggingface_hub.errors")
    wanted = [*_TEXTS, "model*.safetensors", *further]
    wanted += ["*.py"] if options.trust_remote_code else []
    wanted += ["pytorch_model*.bin"] if options.allow_pickle else []
    try:
        return Path(
            hub.snapshot_download(
                name,
                revision=options.revision,
                local_files_only=options.offline,
                allow_patterns=wanted,
            )
        )
    except errors.HFValidationError as error:
        raise ModelError(
            f"{reference}: neither a directory nor a name the hub could have: {error}"
        ) from error
    except errors.LocalEntryNotFoundError as error:
        raise ModelError(_absent(options, reference)) from error
    except (errors.HfHubHTTPError, OSError) as error:
        raise ModelError(
            f"{reference}: no such directory, and the hub did not give a model of "
            f"that name{_at(options)}: {_first_line(error)}"
        ) from error


def _absent(options: ModelOptions, reference: str) -> str:
    why = (
        "offline mode forbids asking the hub"
        if options.offline
        else "the hub cannot be reached"
    )
    return (
        f"{reference}: no such directory, no copy of that model{_at(options)} in the "
        f"local hub cache, and {why}. Fetch it once with a network "
        "(huggingface-cli download), or give a directory."
    )


def _at(options: ModelOptions) -> str:
    return f" at revision {options.revision!r}" if options.revision else ""


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
