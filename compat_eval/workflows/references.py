"""What OLD and NEW may be: `scheme:location`, or a path whose kind is plain to see."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from compat_eval.adapters import ADAPTERS
from compat_eval.core.errors import ModelError
from compat_eval.core.registry import Registry
from compat_eval.readers import READERS

SCHEMES = MappingProxyType(
    {
        "preds": "a prediction file (jsonl, json, csv, tsv, parquet)",
        "run": "a role of an earlier run directory, as DIR#old or DIR#new",
        "hf": "a Hugging Face sequence classifier: a directory or hub id",
        "sklearn": "a scikit-learn model saved with skops",
        "onnx": "a directory with model.onnx",
        "spacy": "a parser in a spaCy pipeline: a directory or an installed package",
        "stanza": "a parser of Stanza: its .pt file, or the directory of one",
        "compat": "a model that compat-eval trained",
        "python": "a function that returns a model, as package.module:factory",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A model reference, taken apart.

    Attributes:
        text: What the user wrote.
        scheme: Name of an adapter or a reader.
        location: What follows the scheme.

    """

    text: str
    scheme: str
    location: str

    @property
    def recorded(self) -> bool:
        """Whether it names predictions rather than a model."""
        return self.scheme in READERS.names()


def resolve(text: str) -> Reference:
    """Take a reference apart, and find out its kind where it has no scheme.

    Raises:
        ModelError: The scheme is unknown, nothing is there, or what is there
            fits no scheme or several; the message lists the schemes.

    """
    scheme, colon, location = text.partition(":")
    if colon and scheme in (*ADAPTERS.names(), *READERS.names()):
        if not location:
            raise ModelError(f"{text!r}: nothing follows {scheme}:")
        return Reference(text=text, scheme=scheme, location=location)
    path = Path(text).expanduser()
    folder = Path(str(path).partition("#")[0])
    if not path.exists() and not folder.exists():
        raise ModelError(_nothing_there(text, scheme if colon else None))
    fitting = _fitting(path)
    if len(fitting) != 1:
        raise ModelError(_unclear(text, path, fitting))
    return Reference(text=text, scheme=fitting[0], location=text)


def _fitting(path: Path) -> list[str]:
    """Return the schemes that recognise a path.

    A file that a reader recognises is no model: no adapter has a suffix of theirs, and
    importing them all takes longer than many a comparison.
    """
    recorded = list(_recognising(READERS, path))
    if recorded and path.is_file():
        return recorded
    return [*recorded, *_recognising(ADAPTERS, path)]


def _recognising(registry: Registry, path: Path) -> Iterator[str]:
    for scheme, target in registry.builtin.items():
        module = import_module(target.partition(":")[0])
        if hasattr(module, "recognises") and module.recognises(path):
            yield scheme


def _nothing_there(text: str, scheme: str | None) -> str:
    if scheme is not None and scheme.isidentifier():
        return f"unknown model scheme {scheme!r} in {text!r}.\n{_listed()}"
    hint = f" For a model on the hub write hf:{text}." if "/" in text else ""
    return f"{text!r}: there is no such file or directory.{hint}\n{_listed()}"


def _unclear(text: str, path: Path, fitting: list[str]) -> str:
    if fitting:
        kinds = " or ".join(fitting)
        why = f"could be {kinds}; write the scheme, as in {fitting[0]}:{text}"
    elif path.is_dir():
        names = sorted(entry.name for entry in path.iterdir())[:6]
        held = ", ".join(names) if names else "nothing"
        why = f"the directory fits no kind of model (it holds {held})"
    else:
        why = f"a {path.suffix or 'plain'} file fits no kind of model by itself"
    return f"{text!r}: {why}.\n{_listed()}"


def _listed() -> str:
    width = max(map(len, SCHEMES)) + 1
    rows = [f"  {scheme + ':':<{width}} {what}" for scheme, what in SCHEMES.items()]
    return "\n".join(["The schemes are:", *rows])
