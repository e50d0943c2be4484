"""Every mistake in a file as one error, each with its line."""

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError

from compat_eval.core.errors import SuiteError
from compat_eval.suite.yaml.document import Document
from compat_eval.suite.yaml.secrets import misplaced
from compat_eval.suite.yaml.strict import Problem, Strict, say

M = TypeVar("M", bound=Strict)


def validated(
    model: type[M], document: Document, *, name: str, also: Iterable[Problem] = ()
) -> M:
    """Return what a document says, as a model.

    Args:
        model: What the document should be.
        document: What was read.
        name: What messages call the file.
        also: Problems that were found by other means.

    Raises:
        SuiteError: Something is wrong; the message lists every mistake.

    """
    problems = [*misplaced(document.value), *also]
    value = None
    try:
        value = model.model_validate(document.value)
    except ValidationError as error:
        problems += [(found["loc"], say(found)) for found in error.errors()]
    if value is None or problems:
        raise report(problems, document, name=name)
    return value


def report(problems: Iterable[Problem], document: Document, *, name: str) -> SuiteError:
    """Return an error that lists problems in the order of the file's lines."""
    lines = [_line(path, text, document, name) for path, text in problems]
    ordered = [text for _, text in sorted(set(lines))]
    return SuiteError("\n".join(ordered))


def dotted(path: Iterable[str | int]) -> str:
    """Return a path as people write it.

    Examples:
        >>> dotted(("gates", 1, "at_most"))
        'gates[1].at_most'

    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _line(
    path: tuple[str | int, ...], text: str, document: Document, name: str
) -> tuple[tuple[str, int], str]:
    real = _as_written(path, document.value)
    file, line = name, 1
    for end in range(len(real), 0, -1):
        if real[:end] in document.where:
            file, line = document.where[real[:end]]
            break
    shown = dotted(real)
    return (file, line), f"{file}:{line}: {shown + ': ' if shown else ''}{text}"


def _as_written(path: tuple[str | int, ...], value: Any) -> tuple[str | int, ...]:  # noqa: ANN401
    """Leave out the steps that validation added and the file does not have."""
    kept: list[str | int] = []
    for at, part in enumerate(path):
        last = at == len(path) - 1
        if isinstance(value, dict):
            if part in value:
                value = value[part]
                kept.append(part)
            elif last and isinstance(part, str) and part != "[key]":
                kept.append(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
            kept.append(part)
    return tuple(kept)
