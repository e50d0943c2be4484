"""The one way to train a model of ours: safe to kill, and to start again.

A trainer works in `DIR/.training`. Only when it is done are its files moved to
`DIR`, config.json last, so that a directory with a config.json is whole.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol, TypeVar

import filelock
from pydantic import BaseModel, ConfigDict, ValidationError

from compat_eval import __version__
from compat_eval.core.code import code_of
from compat_eval.core.errors import (
    CompatEvalError,
    DataError,
    OutputError,
    UsageError,
)
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import (
    canonical_json,
    digest,
    file_digest,
    files_digest,
)
from compat_eval.models import TRAINERS, WORKPLACE

CHECKPOINT = "checkpoint.pt"
"""Where a trainer may keep its state; it is not moved to the finished model."""

SETTINGS = "settings.json"
"""What an unfinished training was asked for, beside its state."""

_UNWRITABLE = {
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EIO")
    if hasattr(errno, name)
}

_READ = ("id", "input", "gold")
_VERSIONED = ("numpy", "scikit-learn", "skops", "torch", "transformers")


class Progress(Protocol):
    """Follows one stretch of work after the other (as the runner's does)."""

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        """Begin a stretch of `total` examples, `done` of which are there already."""

    def advance(self, count: int) -> None:
        """Tell that so many more examples are done."""

    def note(self, message: str) -> None:
        """Say something that the user should know, and go on."""

    def stop(self) -> None:
        """End the stretch."""


class Trainer(Protocol):
    """Fits one kind of model; what a name in `TRAINERS` stands for."""

    def __call__(
        self,
        examples: Examples,
        dev: Examples | None,
        *,
        seed: int,
        out: Path,
        config: Mapping[str, Any],
        progress: Progress,
    ) -> list[dict[str, Any]]:
        """Train, and write the model's files into `out`.

        Args:
            examples: With columns `input` and `gold`.
            dev: The same, to stop early by; `None` where there are none.
            seed: Decides everything random.
            out: A directory of its own. What an interrupted call left in
                `out / CHECKPOINT` is there when the same call is made again.
            config: Settings of this kind of model.
            progress: Follows the work.

        Returns:
            What happened, JSON-ready, an entry for each epoch or attempt, with
            `dev_accuracy`.

        Raises:
            UsageError: A setting is unknown or makes no sense.

        """


class Settings(BaseModel):
    """Settings of one kind of model: a frozen class that knows its own names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Settings)


def settings_from(kind: type[S], config: Mapping[str, Any]) -> S:
    """Check settings and fill in the defaults.

    Raises:
        UsageError: Some are unknown or out of range; the message lists them all.

    """
    try:
        return kind.model_validate(dict(config))
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors()
        ]
        known = ", ".join(sorted(kind.model_fields))
        raise UsageError(f"settings: {'; '.join(wrong)}. Known: {known}") from error


def train_model(
    name: str,
    examples: Examples,
    dev: Examples | None,
    *,
    seed: int,
    out: Path,
    config: Mapping[str, Any],
    progress: Progress,
    data: str = "",
) -> dict[str, Any]:
    """Train a model into a directory; go on where an earlier call was stopped.

    Args:
        name: A name in `TRAINERS`.
        examples: What to train on.
        dev: What to stop early by; `None` for nothing.
        seed: Decides everything random.
        out: Directory of the finished model.
        config: Settings of this kind of model.
        progress: Follows the work.
        data: What the examples are called, for the record.

    Returns:
        What training.json holds: settings, seed, data, threads and history. A model
        that is there already, of the same settings, data and files, is not trained
        again.

    Raises:
        UsageError: The name or a setting is unknown, or `out` is a file, stands
            below one, or holds another model.
        DataError: There is nothing to learn from, or what an earlier call left
            behind is damaged.
        OutputError: `out` cannot be written.

    """
    trainer: Trainer = TRAINERS.load(name)
    examples, dev = _readable(examples), None if dev is None else _readable(dev)
    wanted = {
        "model": name,
        "seed": seed,
        "config": dict(config),
        "data": {"name": data, **_contents("train", examples), **_contents("dev", dev)},
        **_beside(name, trainer, config),
    }
    with _only_here(out) as work:
        done = _finished(out, wanted)
        if done is not None:
            progress.note(f"{out}: trained before with the same settings")
            if "files" in wanted and "files" not in done:
                progress.note(f"{out}: by a version that did not look at its encoder")
            return done
        _same_as_before(work, out, wanted)
        history = trainer(
            examples, dev, seed=seed, out=work, config=config, progress=progress
        )
        record: dict[str, Any] = {
            "schema_version": 1,
            **wanted,
            "history": history,
            "threads": _threads(),
            "versions": _versions(),
        }
        if (record["threads"] or 1) > 1:
            progress.note(
                f"{out}: computed with {record['threads']} threads of torch; another "
                "number gives other weights (--threads 1 is the same everywhere but "
                "on another kind of processor)"
            )
        _publish(work, out, record)
        return record


def texts_and_labels(examples: Examples) -> tuple[list[str], list[str]]:
    """Return inputs and gold labels.

    Raises:
        DataError: An input is no text, or an example has no gold label.

    """
    texts = examples.column("input").to_pylist()
    labels = examples.column("gold").to_pylist()
    for name, values in (("input", texts), ("gold", labels)):
        wrong = [i for i, value in enumerate(values) if not isinstance(value, str)]
        if wrong:
            first = examples.ids[wrong[0]].as_py()
            raise DataError(
                f"cannot train on {len(wrong)} examples whose {name} is no text; the "
                f"first is {first!r}"
            )
    return texts, labels


def label_names(gold: list[str]) -> tuple[str, ...]:
    """Return the distinct labels, sorted.

    Raises:
        DataError: There are fewer than two, so there is nothing to learn.

    """
    labels = tuple(sorted(set(gold)))
    if len(labels) < 2:  # noqa: PLR2004
        raise DataError(
            f"training needs examples of at least two labels; got {len(gold)} examples "
            f"of {', '.join(labels) or 'none'}"
        )
    return labels


def _readable(examples: Examples) -> Examples:
    """Return the columns that a trainer may read, all of which count.

    Clusters and slices are for those who compare.
    """
    names = [
        name
        for name in examples.table.column_names
        if name != "cluster" and not name.startswith(SLICE_PREFIX)
    ]
    return Examples(examples.table.select(names))


def _beside(
    name: str, trainer: Trainer, config: Mapping[str, Any]
) -> dict[str, dict[str, str]]:
    """Return what else decides: files that settings name, and a plug-in's code."""
    places = {
        key: Path(value).expanduser()
        for key, value in config.items()
        if isinstance(value, str)
    }
    files = {key: _digest_of(path) for key, path in places.items() if path.exists()}
    found = {"files": files} if files else {}
    if name not in TRAINERS.builtin:
        found["code"] = code_of(trainer.__module__).files
    return found


def _digest_of(path: Path) -> str:
    if path.is_file():
        return file_digest(path)
    return files_digest(path, sorted(one for one in path.rglob("*") if one.is_file()))


def _threads() -> int | None:
    """Return with how many threads torch computed; `None` where it was not used."""
    torch = sys.modules.get("torch")
    return None if torch is None else int(torch.get_num_threads())


def _contents(name: str, examples: Examples | None) -> dict[str, Any]:
    if examples is None:
        return {f"n_{name}": 0}
    content = hashlib.sha256()
    for column in _READ:
        content.update(digest(examples.column(column).to_pylist()).encode())
    for column in sorted({*examples.table.column_names}.difference(_READ)):
        values = examples.column(column).to_pylist()
        content.update(digest([column, values]).encode())
    return {f"n_{name}": len(examples), f"{name}_sha256": content.hexdigest()}


@contextmanager
def _only_here(out: Path) -> Iterator[Path]:
    _refuse_files(out)
    work = out / WORKPLACE
    lock = filelock.FileLock(out / f"{WORKPLACE}.lock", timeout=0)
    try:
        work.mkdir(parents=True, exist_ok=True)
        with lock:
            yield work
    except filelock.Timeout as error:
        raise UsageError(
            f"{out}: another training runs in this directory; choose another --out"
        ) from error
    except Exception as error:
        reason = _unwritable(error)
        if reason is None:
            raise
        raise OutputError(
            f"{out}: cannot be written: {reason}. Make room, or choose another --out; "
            "the same command goes on where it was"
        ) from error
    if work.is_dir() and not any(work.iterdir()):
        work.rmdir()
    Path(lock.lock_file).unlink(missing_ok=True)


def _unwritable(error: Exception) -> str | None:
    """Return why nothing could be written; `None` where that is not what happened.

    Libraries that write weights in native code have exceptions of their own.
    """
    if isinstance(error, OutputError) and isinstance(error.__cause__, OSError):
        error = error.__cause__
    if isinstance(error, OSError):
        return error.strerror if error.errno in _UNWRITABLE else None
    if isinstance(error, CompatEvalError):
        return None
    native = re.search(r"\(os error (\d+)\)|inline_container", str(error))
    if native is None:
        return None
    return os.strerror(int(native[1])) if native[1] else "the disk is full"


def _refuse_files(out: Path) -> None:
    for place in (out, *out.parents):
        if place.exists() and not place.is_dir():
            raise UsageError(f"{place} is a file; give --out a directory")


def _finished(out: Path, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    path = out / "training.json"
    if not path.is_file():
        return None
    done = _read(path, out)
    # Earlier versions wrote down no files.
    told = {
        key: value for key, value in wanted.items() if key in done or key != "files"
    }
    _refuse_other(out, done, told, "a model")
    return dict(done)


def _read(path: Path, out: Path) -> Mapping[str, Any]:
    try:
        found = read_json(path)
    except ValueError as error:
        found = error
    if not isinstance(found, Mapping):
        raise DataError(
            f"{path}: damaged: expected a JSON object; delete {out}, and the same "
            "command trains anew, or choose another --out"
        )
    return found


def _same_as_before(work: Path, out: Path, wanted: Mapping[str, Any]) -> None:
    path = work / SETTINGS
    if path.is_file():
        _refuse_other(out, _read(path, out), wanted, "an unfinished training")
        return
    write_whole(path, canonical_json(wanted).encode())


def _refuse_other(
    out: Path, before: Mapping[str, Any], wanted: Mapping[str, Any], what: str
) -> None:
    differing = [
        key for key in wanted if digest(before.get(key)) != digest(wanted[key])
    ]
    if differing:
        raise UsageError(
            f"{out}: holds {what} with other settings ({', '.join(differing)}); choose "
            "another --out, or delete it"
        )


def _versions() -> dict[str, str]:
    found = {"compat-eval": __version__}
    for name in _VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _publish(work: Path, out: Path, record: Mapping[str, Any]) -> None:
    text = json.dumps(record, indent=1, sort_keys=True)
    write_whole(work / "training.json", f"{text}\n".encode())
    last = ["config.json", "training.json"]
    # What begins with a dot was left by a process that was killed while it wrote.
    names = [path.name for path in work.iterdir() if path.name[0] != "."]
    made = [n for n in names if n not in {CHECKPOINT, SETTINGS, *last}]
    for name in [*sorted(made), *last]:
        (work / name).replace(out / name)
    shutil.rmtree(work)
