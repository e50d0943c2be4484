"""Load and validate a suite or a gates file; every mistake with its line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from compat_eval.core.errors import SuiteError, UsageError
from compat_eval.core.grades import names
from compat_eval.core.text import did_you_mean
from compat_eval.gates import Demands
from compat_eval.suite.beir import beir_suite, is_beir
from compat_eval.suite.catalogue import find_suite, shipped_root
from compat_eval.suite.suite import Suite
from compat_eval.suite.yaml.document import Document, read_with_includes
from compat_eval.suite.yaml.gates import GatesFile
from compat_eval.suite.yaml.schema import SuiteFile, TaskRule
from compat_eval.suite.yaml.secrets import misplaced
from compat_eval.suite.yaml.strict import Problem, Strict, say
from compat_eval.tasks import TASKS
from compat_eval.tasks import task as task_of


def load_suite(name_or_path: str | Path) -> Suite:
    """Read and validate a suite; its data stay where they are.

    A folder in the layout of BEIR is a suite, too.

    Raises:
        SuiteError: There is no such suite, or its file is wrong; the message
            lists every mistake with file, line and path.

    Examples:
        >>> load_suite("clinc150").task.kind
        'classification'

    """
    folder = Path(name_or_path)
    if is_beir(folder) and not (folder / "suite.yaml").is_file():
        made = Document(value=beir_suite(folder), where={})
        return Suite.from_file(
            validated(SuiteFile, made, name=folder.as_posix()), base=folder
        )
    found = find_suite(name_or_path)
    document = read_with_includes(found.path, name=found.shown, shipped=shipped_root())
    also = [*_task_problems(document.value), *_no_gates(document.value)]
    file = validated(SuiteFile, document, name=found.shown, also=also)
    return Suite.from_file(file, base=found.path.parent)


def load_gates(path: str | Path) -> Demands:
    """Read and validate a gates file (`--gates FILE`).

    Raises:
        SuiteError: The file cannot be read or is wrong; the message lists every
            mistake with file, line and path.

    """
    path = Path(path)
    if path.is_dir():
        raise SuiteError(f"{path}: is a folder; a gates file is YAML")
    name = path.as_posix()
    document = read_with_includes(path, name=name, shipped=None)
    also = list(_no_gates(document.value))
    if not also and not {"gates", "protected"} & document.value.keys():
        also = [((), "demands nothing: write gates: or protected:")]
    return validated(GatesFile, document, name=name, also=also).demands()


def gates_of(demands: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Demands:
    """Validate what a gates file would hold, or a list of its gates.

    Raises:
        SuiteError: It is wrong; the message lists every mistake with its path.

    """
    raw = demands if isinstance(demands, Mapping) else {"gates": [*demands]}
    document = Document(value=dict(raw), where={})
    also = list(_no_gates(document.value))
    return validated(GatesFile, document, name="gates", also=also).demands()


def _no_gates(raw: dict[str, Any]) -> Iterator[Problem]:
    """Yield a section of gates that holds none: it looks like a demand."""
    if "gates" in raw and raw["gates"] in (None, []):
        yield ("gates",), "holds no gate; write one, or leave gates: out"
    protected = raw.get("protected", True)
    if not protected or (isinstance(protected, dict) and not any(protected.values())):
        yield ("protected",), "names no example; give ids or slices, or leave it out"


def _task_problems(raw: dict[str, Any]) -> Iterator[Problem]:
    """Yield what only the task kind can know."""
    try:
        rule = TaskRule.model_validate(raw.get("task"))
    except ValidationError:
        return
    if rule.kind not in TASKS.names():
        wanted = did_you_mean(rule.kind, list(TASKS.names()))
        yield ("task",), f"is no task kind: {rule.kind!r}; {wanted}"
        return
    try:
        task = task_of(rule.kind, **rule.options)
    except (TypeError, UsageError) as error:
        yield ("task", "options"), f"do not suit {rule.kind}: {error}"
        return
    levels, known = raw.get("levels"), names(task.levels)
    for at, level in enumerate(levels if isinstance(levels, list) else []):
        if level not in known:
            yield ("levels", at), _no_level(level, known)
    gates = raw.get("gates")
    for at, gate in enumerate(gates if isinstance(gates, list) else []):
        level = gate.get("level") if isinstance(gate, dict) else None
        if level is not None and level not in (levels or known):
            yield ("gates", at, "level"), _no_level(level, known)


def _no_level(level: object, known: tuple[str, ...]) -> str:
    return f"is no level: {level!r}; {did_you_mean(str(level), list(known))}"


_M = TypeVar("_M", bound=Strict)


def validated(
    model: type[_M], document: Document, *, name: str, also: Iterable[Problem] = ()
) -> _M:
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


def _dotted(path: Iterable[str | int]) -> str:
    """Return a path as people write it.

    Examples:
        >>> _dotted(("gates", 1, "at_most"))
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
    shown = _dotted(real)
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
