"""How a model of our own was trained, as its training.json tells."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compat_eval.core.examples import LABEL, Examples
from compat_eval.core.files import read_json
from compat_eval.core.protocols import ModelSource
from compat_eval.models import TRAINERS
from compat_eval.models.training.train import (
    Settings,
    Trainer,
    contents_of,
    read_by,
    settings_from,
)

_NAMED = re.compile(r"(?P<split>\S+), dev (?P<dev>held out|\S+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierTraining:
    """How a model was trained.

    Attributes:
        model: Its kind, a name in `TRAINERS`.
        config: Settings of that kind.
        seed: Random seed.
        data: What it was trained on, as its record calls that.
        split: Of that the split; `None` where that is not told.
        dev: What it was stopped early by, likewise; `held out` or `none` for no split.
        train_sha256: Of what it read of the examples; `None` where that is not told.

    """

    model: str
    config: Mapping[str, Any]
    seed: int
    data: str
    split: str | None
    dev: str | None
    train_sha256: str | None

    def knew(self, examples: Examples) -> bool:
        """Whether it tells that it was trained on these examples and no others."""
        trainer: Trainer[Settings] = TRAINERS.load(self.model)
        settings = settings_from(trainer.settings, self.config)
        now = contents_of("train", read_by(settings, examples))
        return bool(self.train_sha256 == now["train_sha256"])


def earlier_training(source: ModelSource) -> EarlierTraining | None:
    """Return how a model was trained; `None` where it does not tell.

    Of a model of several tasks the splits are those of the task that is named.
    """
    directory, task = directory_and_task(source)
    try:
        record = read_json(directory / "training.json")
        data = record["data"]
        name = str(data.get("name", ""))
        named = _NAMED.search(_of_task(directory, name, task) if task else name)
        return EarlierTraining(
            model=str(record["model"]),
            config=dict(record["config"]),
            seed=int(record["seed"]),
            data=name,
            split=named["split"] if named else None,
            dev=named["dev"] if named else None,
            # Of several tasks it is that of all their examples.
            train_sha256=None if task else data.get("train_sha256"),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def trained_on(source: ModelSource) -> dict[str, str]:
    """Return what a model and its members were trained on, as far as they tell.

    Returns:
        What each record calls its examples to the SHA-256 of what was read of these,
        empty where that is not told.

    """
    found: dict[str, str] = {}
    source = getattr(source, "source", source)  # of one that several use
    for member in getattr(source, "members", ()):
        found |= trained_on(member)
    told = earlier_training(source)
    if told is not None and told.data:
        found[told.data] = told.train_sha256 or ""
    for kept in ("mitigation.json", "config.json"):
        try:
            told_there = read_json(directory_and_task(source)[0] / kept)["trained_on"]
            found |= {str(name): str(sha) for name, sha in told_there.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            pass
    return found


def directory_of(source: ModelSource) -> Path:
    """Return where a model of ours is, for a setting that names it."""
    return directory_and_task(source)[0].resolve()


def content_of(examples: Examples) -> str:
    """Return a SHA-256 of examples, as the record of a training has it.

    Queries that are judged by label count with their labels, as classifiers learn them.
    """
    if LABEL in examples:
        examples = examples.with_column("gold", examples.column(LABEL))
    read = Examples(examples.table.select(["id", "input", "gold"]))
    return str(contents_of("train", read)["train_sha256"])


def directory_and_task(source: ModelSource) -> tuple[Path, str]:
    """Return where a model of ours is, and its task; empty where it has one."""
    # What we train is a directory that transformers opens, too.
    place = source.reference.removeprefix("compat:").removeprefix("hf:")
    whole = Path(place).expanduser()
    if whole.is_dir() or "#" not in place:
        return whole, ""
    directory, _, task = place.rpartition("#")
    return Path(directory).expanduser(), task


def _of_task(directory: Path, name: str, task: str) -> str:
    """Return what a record says of one of several tasks; they stand in one order."""
    tasks = read_json(directory / "config.json")["tasks"]
    return name.split("; ")[[one["name"] for one in tasks].index(task)]
