"""The one way to train a model of ours: safe to kill, and to start again."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, ValidationError

from compat_eval import __version__
from compat_eval.core.code import code_of
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import digest, file_digest, files_digest
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource
from compat_eval.core.table import Keyed
from compat_eval.models import TASK_OF, TRAINERS
from compat_eval.models.training.workplace import begin, claimed, finished, publish
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Embed

_VERSIONED = ("numpy", "scikit-learn", "skops", "torch", "transformers")


class Settings(BaseModel):
    """Settings of one kind of model: a frozen class that knows its own names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the examples that a training with these settings reads."""
        return ("input", "gold")

    @property
    def plugins(self) -> tuple[str, ...]:
        """Modules of other packages that a training with these settings runs."""
        return ()

    def frozen(self) -> ModelSource | None:
        """Return what stays as it is and whose vectors are learned from, if anything.

        They are then a column `vector` of the examples.
        """
        return None


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer(Generic[S]):
    """How one kind of model is trained; what a name in `TRAINERS` stands for.

    Attributes:
        settings: Class of its settings, which tell the columns that it reads.
        run: `run(examples, dev, settings, *, seed, out, progress) -> history` trains,
            and writes the model's files into `out`, a directory of its own. What an
            interrupted call left in `out / CHECKPOINT` is there when the same call is
            made again. `dev` has examples to stop early by, or is `None`; `seed`
            decides everything random. The history says what happened, JSON-ready, an
            entry for each epoch or attempt, with `dev_accuracy`.
        prepared: `prepared(examples, settings)` returns how its networks are built and
            read examples (a `classifiers.vectors.PreparedEncoder`), so that their sizes
            can be searched; `None` where they cannot.

    """

    settings: type[S]
    run: Callable[..., list[dict[str, Any]]]
    prepared: Callable[[Examples, S], Any] | None = None

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
        """Check the settings, take the columns that are read, and train.

        Raises:
            UsageError: A setting is unknown or makes no sense.

        """
        settings = settings_from(self.settings, config)
        return self.run(
            read_by(settings, examples),
            read_by(settings, dev),
            settings,
            seed=seed,
            out=out,
            progress=progress,
        )


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


def require_suited(model: str, kind: str, *, suite: str) -> None:
    """Refuse to train a model on examples of another kind than it learns.

    Args:
        model: A name in `TRAINERS`.
        kind: The suite's task kind.
        suite: The suite's name, for the message.

    Raises:
        UsageError: The model learns another kind of task; the message names those
            that suit.

    """
    learns = TASK_OF.get(model, kind)
    if learns == kind:
        return
    suited = [name for name, other in TASK_OF.items() if other == kind]
    hint = f"choose {' or '.join(suited)}" if suited else "no model of ours learns it"
    raise UsageError(
        f"--model {model} learns {learns}, and suite {suite} is of the task {kind}; "
        f"{hint}"
    )


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
    cache: Cache | None = None,
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
        cache: Where vectors of frozen models are kept for the next training; `None`
            for nowhere.

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
    trainer = _trainer(name)
    settings = settings_from(trainer.settings, config)
    contents = {
        **contents_of("train", read_by(settings, examples)),
        **contents_of("dev", read_by(settings, dev)),
    }
    wanted = {
        "model": name,
        "seed": seed,
        "config": dict(config),
        "data": {"name": data, **contents},
        **_beside(name, trainer, settings, config),
    }
    with claimed(out) as work:
        done = finished(out, wanted)
        if done is not None:
            progress.note(f"{out}: trained before with the same settings")
            if "files" in wanted and "files" not in done:
                progress.note(f"{out}: by a version that did not look at its encoder")
            return done
        begin(work, out, wanted)
        history = trainer(
            _with_vectors(examples, settings, cache, progress),
            None if dev is None else _with_vectors(dev, settings, cache, progress),
            seed=seed,
            out=work,
            config=config,
            progress=progress,
        )
        record = {"schema_version": 1, **wanted, "history": history, **_computed_by()}
        _tell_threads(record["threads"], out, progress)
        publish(work, out, record)
        return record


def _trainer(name: str) -> Trainer[Settings]:
    found = TRAINERS.load(name)
    if not isinstance(found, Trainer):
        raise UsageError(
            f"--model {name}: expected a Trainer of compat_eval.models.training.train, "
            f"got {type(found).__name__}; tell the package's authors"
        )
    return found


def read_by(settings: Settings, examples: Examples | None) -> Any:  # noqa: ANN401 - None of None
    """Return examples with those of their columns that a training reads."""
    if examples is None:
        return None
    there = examples.table.column_names
    names = [name for name in ("id", *settings.columns) if name in there]
    return Examples(examples.table.select(names))


def _with_vectors(
    examples: Examples, settings: Settings, cache: Cache | None, progress: Progress
) -> Examples:
    """Return examples with the vectors of a frozen model, where there is one.

    Raises:
        DataError: It has no vector of some.

    """
    source = settings.frozen()
    if source is None:
        return examples
    answers = ask(source, examples, Embed(), cache=cache, progress=progress)
    vectors = answers.column(Embed.column)
    if vectors.null_count:
        ids = examples.ids.filter(vectors.is_null()).to_pylist()
        why = next(filter(None, answers.column("error").to_pylist()), "no vector")
        raise DataError(
            f"{source.reference} cannot read {len(ids)} examples ({some(ids)}): {why}"
        )
    return examples.with_column(Embed.column, vectors)


def contents_of(name: str, rows: Keyed | None) -> dict[str, Any]:
    """Return how many rows there are, and a SHA-256 of all their columns."""
    if rows is None:
        return {f"n_{name}": 0}
    content = hashlib.sha256()
    there = rows.table.column_names
    first = [name for name in ("id", "input", "gold") if name in there]
    for column in first:
        content.update(digest(rows.column(column).to_pylist()).encode())
    for column in sorted({*there}.difference(first)):
        values = rows.column(column)
        content.update(
            digest([column, _numbers(values) or values.to_pylist()]).encode()
        )
    return {f"n_{name}": len(rows), f"{name}_sha256": content.hexdigest()}


def _numbers(column: pa.ChunkedArray) -> list[Any] | None:
    """Return what stands for a column of floating-point numbers, lists or records.

    It is a SHA-256 of their bytes: written out, a teacher's logits take longer than a
    small training. `None` for another column, or one that lacks values.
    """
    array = column.combine_chunks()
    kind = array.type
    if array.null_count:
        return None
    if pa.types.is_floating(kind):
        numbers = array.to_numpy(zero_copy_only=False)
        return [str(kind), hashlib.sha256(numbers.tobytes()).hexdigest()]
    if pa.types.is_struct(kind):
        parts = [_numbers(pa.chunked_array([part])) for part in array.flatten()]
        return None if None in parts else [[one.name for one in kind], parts]
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = _numbers(pa.chunked_array([array.flatten()]))
        lengths = pc.list_value_length(array).to_numpy(zero_copy_only=False)
        return inner and [hashlib.sha256(lengths.tobytes()).hexdigest(), inner]
    return None


def _beside(
    name: str,
    trainer: Trainer[Settings],
    settings: Settings,
    config: Mapping[str, Any],
) -> dict[str, dict[str, str]]:
    """Return what else decides: files that settings name, and code of plug-ins."""
    places = {key: Path(text).expanduser() for key, text in _texts(config)}
    files = {key: _digest_of(path) for key, path in places.items() if path.exists()}
    own = () if name in TRAINERS.builtin else (trainer.run.__module__,)
    plugins = (*own, *settings.plugins)
    code = {k: v for module in plugins for k, v in code_of(module).files.items()}
    return {key: found for key, found in (("files", files), ("code", code)) if found}


def _texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text in settings with its place, such as `encoder` or `a.0.b`."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, Sequence):
        for at, inner in enumerate(value):
            yield from _texts(inner, f"{key}.{at}")


def _digest_of(path: Path) -> str:
    if path.is_file():
        return file_digest(path)
    return files_digest(path, sorted(one for one in path.rglob("*") if one.is_file()))


def _computed_by() -> dict[str, Any]:
    """Return torch's threads, `None` where it was not used, and packages' versions."""
    torch = sys.modules.get("torch")
    versions = {"compat-eval": __version__}
    for name in _VERSIONED:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    threads = None if torch is None else int(torch.get_num_threads())
    return {"threads": threads, "versions": versions}


def _tell_threads(threads: int | None, out: Path, progress: Progress) -> None:
    if threads is not None and threads > 1:
        progress.note(
            f"{out}: computed with {threads} threads of torch; another number gives "
            "other weights (--threads 1 is the same everywhere but on another kind of "
            "processor)"
        )
