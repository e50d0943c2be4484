"""The config.cfg of a spaCy pipeline: its components, and code of other packages.

A pipeline's files hold numbers and texts, no pickles. But its config names
functions, and spaCy calls them: its own, or those that any installed package
offers by an entry point.
"""

import configparser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from compat_eval.core.errors import ModelError, some
from compat_eval.core.files import parse_json

ROOT_NAME = MappingProxyType({"ROOT": "root"})
"""What spaCy calls the relation of a root, whatever the treebank called it."""

_PARSERS = ("parser", "beam_parser")
_BOUNDARIES = ("senter", "sentencizer")
_OF_SPACY = frozenset({"spacy", "spacy-legacy", "spacy-loggers", "thinc"})
_CALLBACKS = ("before_creation", "after_creation", "after_pipeline_creation")
_TORCH_INSIDE = "TorchBiLSTMEncoder"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The components that a parse needs.

    Attributes:
        parser: Name of the parser.
        needed: The parser and what stands before it, in order.
        others: What stands after it, and what would move sentence boundaries.

    """

    parser: str
    needed: tuple[str, ...]
    others: tuple[str, ...]


def read_pipeline(directory: Path, *, reference: str) -> Pipeline:
    """Read which components a pipeline has, without spaCy.

    Raises:
        ModelError: config.cfg is damaged, or no component is a parser that is
            switched on.

    """
    path = directory / "config.cfg"
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read_string(path.read_text("utf-8"))
        names = [str(name) for name in _json(config["nlp"]["pipeline"])]
        kinds = {name: _kind(config, name) for name in names}
        disabled = {str(n) for n in _json(config["nlp"].get("disabled", "[]"))}
    except (configparser.Error, KeyError, ValueError, TypeError) as error:
        raise ModelError(f"{path}: damaged: {error}") from error
    parsers = [name for name in names if kinds[name] in _PARSERS]
    if not parsers:
        raise ModelError(
            f"{reference}: no parser in the pipeline; it has "
            f"{some(names, limit=20) or 'no components'}."
        )
    if parsers[0] in disabled:
        raise ModelError(
            f"{reference}: its parser {parsers[0]!r} is disabled and gives no trees. "
            f"Take it out of `disabled` under [nlp] in {path}, or save the pipeline "
            "again after nlp.enable_pipe."
        )
    before = names[: names.index(parsers[0])]
    needed = [name for name in before if kinds[name] not in _BOUNDARIES]
    return Pipeline(
        parser=parsers[0],
        needed=(*needed, parsers[0]),
        others=tuple(n for n in names if n not in (*needed, parsers[0])),
    )


def refuse_foreign(config: Mapping[str, Any], *, reference: str) -> None:
    """Refuse a config that has other code than spaCy's own called.

    Args:
        config: The whole config, with every variable filled in.
        reference: The pipeline, for messages.

    Raises:
        ModelError: It names functions of other packages, functions to be called
            while the pipeline is made, or parts of other pipelines.

    """
    nlp, components = config.get("nlp", {}), config.get("components", {})
    named = [*_named(config), ("languages", str(nlp.get("lang")))]
    named += [("factories", str(c.get("factory"))) for c in components.values()]
    foreign = [
        f"{name} ({owner})" for kind, name in named for owner in _owners(kind, name)
    ]
    foreign += [f"nlp.{name}" for name in _CALLBACKS if nlp.get(name) is not None]
    foreign += [
        f"{c['source']} (a pipeline)" for c in components.values() if "source" in c
    ]
    if foreign:
        raise ModelError(
            f"{reference}: its config.cfg has code called that is not spaCy's own: "
            f"{some(dict.fromkeys(foreign))}. Pass --trust-remote-code if you trust it."
        )


def refuse_torch_inside(config: Mapping[str, Any], *, reference: str) -> None:
    """Refuse a network whose weights are a torch file inside spaCy's.

    thinc leaves it to torch whether such a file may run code.

    Raises:
        ModelError: The config has such a network.

    """
    found = [name for _, name in _named(config) if _TORCH_INSIDE in name]
    if found:
        raise ModelError(
            f"{reference}: {found[0]} keeps its weights as a pickle of torch, which "
            "can run code when it is opened. Pass --allow-pickle if you trust where "
            "it is from."
        )


def _json(text: str) -> Any:  # noqa: ANN401
    return parse_json(text.encode())


def _kind(config: configparser.ConfigParser, name: str) -> str:
    section = config[f"components.{name}"]
    return str(_json(section.get("factory", "null")))


def _named(value: object) -> Iterator[tuple[str, str]]:
    """Yield every `@registry = name` below a value."""
    if isinstance(value, Mapping):
        for key, inside in value.items():
            if str(key).startswith("@"):
                yield str(key)[1:], str(inside)
            else:
                yield from _named(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from _named(inside)


def _owners(registry: str, name: str) -> Iterator[str]:
    """Yield the packages, other than spaCy's, whose entry points have a name."""
    for group in (f"spacy_{registry}", f"thinc_{registry}"):
        for point in entry_points(group=group, name=name):
            owner = point.dist.name if point.dist is not None else point.value
            if owner.lower().replace("_", "-") not in _OF_SPACY:
                yield owner
