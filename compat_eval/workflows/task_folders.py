"""Folders with the answers to several tasks: a file each, or a log of one tool."""

import json
from pathlib import Path

from compat_eval.core.errors import ModelError, UsageError, some
from compat_eval.core.text import nearest
from compat_eval.readers.headers import header_of
from compat_eval.readers.logs import reader_of
from compat_eval.workflows.sides import resolve

DATA = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".conllu", ".zip")

_OF_MODELS = {
    *("adapter_config", "added_tokens", "config", "generation_config", "label_map"),
    *("merges", "meta", "model", "preprocessor_config", "special_tokens_map"),
    *("tokenizer", "tokenizer_config", "training_args", "vocab"),
}
"""Names, without endings, of files that stand beside the weights of a model."""

_MOST_BYTES = 2**20
_MARKS = ("config.json", "model.onnx", "config.cfg", "comparison.json")
"""Files by which directories of models and runs are known."""


def holds_several(side: str) -> bool:
    """Say whether a side is a folder of several tasks, and no model or run."""
    folder = Path(side).expanduser()
    if not folder.is_dir() or (folder / "config.json").is_file():
        return False
    reader = reader_of(folder)
    if reader is not None:
        return len(reader.tasks(folder)) > 1
    try:
        resolve(side)
    except ModelError:  # it is of no kind by itself
        return bool(tasks_of(folder))
    return False


def tasks_of_both(old: Path, new: Path) -> list[str]:
    """Return the tasks that two folders hold, in order.

    Raises:
        UsageError: They have none in common, or one of them holds no answers: it is
            none of several tasks, but a model or run without what it is known by.

    """
    for folder in (old, new):
        _require_answers(folder)
    found = tasks_of(old), tasks_of(new)
    if found[0].keys().isdisjoint(found[1]):
        held = [
            f"{folder} holds {some(sorted(tasks), limit=6)}"
            for folder, tasks in zip((old, new), found, strict=True)
        ]
        near = [f"{name}{nearest(name, found[1])}" for name in found[0]]
        held[0] = f"{old} holds {some(sorted(near), limit=6)}"
        raise UsageError(
            f"{old} and {new} are folders with no task in common: {held[0]}; "
            f"{held[1]}. Of several tasks a folder has a file of answers each, "
            f"called the same in both. {_known_by(old, new)}"
        )
    return sorted(found[0].keys() | found[1].keys())


def _require_answers(folder: Path) -> None:
    if reader_of(folder) is not None:
        return
    paths = [Path(path) for path in tasks_of(folder).values()]
    without = [path.name for path in paths if not _may_hold_answers(path)]
    if len(without) == len(paths):
        raise UsageError(
            f"{folder} is no model, no run, and no folder of answers to several "
            f"tasks: it holds {some(without, limit=6)}. {_known_by(folder)}"
        )


def _may_hold_answers(path: Path) -> bool:
    """Say whether a file is of rows, and not one of those that models have.

    Of a damaged file its reader says what is wrong with it.
    """
    if not path.is_file():
        return True
    if path.name.partition(".")[0] in _OF_MODELS:
        return False
    header = header_of(path, {})
    if header is not None:
        return bool(header.rows) and "select" not in header.reading
    if path.suffix != ".json" or path.stat().st_size > _MOST_BYTES:
        return True
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return True
    return False


def _known_by(*folders: Path) -> str:
    """Say what directories of models and runs have, and what comes close here."""
    held = {one.name for folder in folders for one in folder.iterdir()}
    near = next(filter(None, (nearest(mark, held) for mark in _MARKS)), "")
    beside = [
        str(other)
        for folder in folders
        for other in sorted(folder.resolve().parent.iterdir())
        if any((other / mark).is_file() for mark in _MARKS)
    ]
    also = f" Beside it there is {some(dict.fromkeys(beside))}." if beside else ""
    return f"A model or run is known by its {', '.join(_MARKS)}{near}.{also}"


def tasks_of(folder: Path) -> dict[str, str]:
    """Return the tasks that a folder of logs or prediction files holds, by name.

    Raises:
        UsageError: Two files are of one task.

    """
    reader = reader_of(folder)
    if reader is not None:
        return {task: f"{folder}#{task}" for task in reader.tasks(folder)}
    found: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not _holds_answers(path):
            continue
        name = path.name.partition(".")[0]
        if name in found:
            raise UsageError(f"{path} and {found[name]} are both of task {name!r}")
        found[name] = str(path)
    return found


def _holds_answers(path: Path) -> bool:
    if path.is_file():
        return any(suffix in DATA for suffix in path.suffixes)
    return (path / "comparison.json").is_file() or reader_of(path) is not None
