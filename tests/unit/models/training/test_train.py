import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import filelock
import numpy as np
import pyarrow as pa
import pytest

from compat_eval.adapters import ModelOptions, compat
from compat_eval.adapters.compat import open_source, recognises
from compat_eval.adapters.huggingface import source as huggingface
from compat_eval.core.errors import DataError, ModelError, OutputError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.models import TASK_OF, TRAINERS, WORKPLACE
from compat_eval.models.training.train import (
    Settings,
    Trainer,
    contents_of,
    require_suited,
    train_model,
)
from compat_eval.models.training.workplace import CHECKPOINT, SETTINGS
from compat_eval.tasks import TASKS
from compat_eval.workflows.sides import resolve

pytestmark = pytest.mark.torch

SMALL: dict[str, dict[str, Any]] = {
    "embedding-bag": {
        "n_buckets": 500,
        "width": 8,
        "epochs": 6,
        "batch_size": 10,
        "learning_rate": 0.05,
    },
    "tfidf": {"strengths": [1.0, 10.0]},
    "encoder": {"epochs": 6, "batch_size": 10, "learning_rate": 5e-3, "patience": 6},
    "head": {"epochs": 20, "batch_size": 10, "learning_rate": 0.05, "patience": 20},
}


@pytest.fixture(params=sorted(SMALL))
def name(request: pytest.FixtureRequest) -> str:
    pytest.importorskip("torch")
    pytest.importorskip("skops.io")
    return str(request.param)


@pytest.fixture
def settings(name: str, pretrained: Path) -> dict[str, Any]:
    extra = {"encoder": str(pretrained)} if name in ("encoder", "head") else {}
    return {**SMALL[name], **extra}


def weights(directory: Path) -> bytes:
    return (directory / "model.safetensors").read_bytes()


def test_every_model_learns_and_is_read_again(  # noqa: PLR0917 - fixtures
    name: str,
    settings: dict[str, Any],
    examples: Examples,
    dev: Examples,
    tmp_path: Path,
    progress: Any,
) -> None:
    record = train_model(
        name, examples, dev, seed=3, out=tmp_path, config=settings, progress=progress
    )
    source = open_source(str(tmp_path), ModelOptions())
    model = source.load()
    texts = dev.column("input").to_pylist()
    items = model.encode(texts) if hasattr(model, "encode") else texts

    answers = model.predict(items)["prediction"].to_pylist()

    gold = dev.column("gold").to_pylist()
    assert np.mean([a == g for a, g in zip(answers, gold, strict=True)]) >= 0.9
    assert source.describe()["labels"] == ["book", "play"]
    assert record["seed"] == 3
    assert record["data"]["n_train"] == 60
    assert json.loads((tmp_path / "training.json").read_text()) == record
    assert recognises(tmp_path)
    assert not list(tmp_path.glob(".*"))
    assert (
        source.fingerprint() == open_source(str(tmp_path), ModelOptions()).fingerprint()
    )


def test_an_encoder_is_also_a_model_of_transformers(
    examples: Examples, pretrained: Path, tmp_path: Path, progress: Any
) -> None:
    config = {"encoder": str(pretrained), "epochs": 1}
    train_model(
        "encoder",
        examples,
        None,
        seed=0,
        out=tmp_path,
        config=config,
        progress=progress,
    )

    ours = open_source(str(tmp_path), ModelOptions())
    theirs = huggingface.open_source(str(tmp_path), ModelOptions())

    assert ours.fingerprint() == theirs.fingerprint()
    assert ours.reference.startswith("compat:")
    assert str(pretrained) not in (tmp_path / "config.json").read_text()
    assert not huggingface.recognises(tmp_path)


@pytest.mark.parametrize("name", ["embedding-bag", "encoder", "head"])
def test_a_training_that_was_stopped_ends_like_one_that_was_not(  # noqa: PLR0917
    settings: dict[str, Any],
    name: str,
    examples: Examples,
    dev: Examples,
    tmp_path: Path,
    progress: Any,
    interrupted: Callable[[int], Any],
) -> None:
    def train(out: Path, follow: Any) -> None:
        config = {**settings, "epochs": 4, "patience": 4}
        train_model(
            name, examples, dev, seed=1, out=out, config=config, progress=follow
        )

    train(tmp_path / "whole", progress)
    halves = interrupted(120)  # two epochs of 60 examples
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "halves", halves)
    assert not (tmp_path / "halves" / "config.json").exists()
    rest = interrupted(10**9)
    train(tmp_path / "halves", rest)

    assert weights(tmp_path / "halves") == weights(tmp_path / "whole")
    assert rest.done == 180  # the second epoch was lost, the first was not


DAMAGED = r"damaged \(\w+\); delete this file, and the same command"
NO_JSON = r"damaged: expected a JSON object; delete .* the same command"


def damage_state(out: Path, how: str) -> Path:
    """Do something to what an unfinished training left; return the file."""
    work = out / WORKPLACE
    path = work / (SETTINGS if how.startswith("settings") else CHECKPOINT)
    content = path.read_bytes()
    if how == "another":
        torch = pytest.importorskip("torch")
        state = torch.load(path, weights_only=True)
        torch.save({**state, "training": "0" * 64}, path)
    elif how == "other shapes":
        torch = pytest.importorskip("torch")
        state = torch.load(path, weights_only=True)
        state["network"] = {name: t[:1] for name, t in state["network"].items()}
        torch.save(state, path)
    else:
        made = {
            "empty": b"",
            "cut": content[: len(content) // 2],
            "text": b"epoch 1",
            "settings empty": b"",
            "settings cut": content[:40],
            "settings list": b"[]",
            "settings bytes": b"\xff\xfe",
        }
        path.write_bytes(made[how])
    return path


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("empty", DAMAGED),
        ("cut", DAMAGED),
        ("text", DAMAGED),
        ("other shapes", DAMAGED),
        ("another", "belongs to another training; delete this file"),
        ("settings empty", NO_JSON),
        ("settings cut", NO_JSON),
        ("settings list", NO_JSON),
        ("settings bytes", NO_JSON),
    ],
)
def test_a_damaged_state_is_told_with_its_cure(  # noqa: PLR0917 - fixtures
    how: str,
    message: str,
    examples: Examples,
    tmp_path: Path,
    progress: Any,
    interrupted: Callable[[int], Any],
) -> None:
    def train(follow: Any) -> None:
        train_model(
            *("embedding-bag", examples, None),
            seed=0,
            out=tmp_path,
            config=SMALL["embedding-bag"],
            progress=follow,
        )

    with pytest.raises(KeyboardInterrupt):
        train(interrupted(90))
    path = damage_state(tmp_path, how)

    with pytest.raises(DataError, match=f"{re.escape(str(path))}: {message}"):
        train(progress)

    path.unlink()
    if how.startswith("settings"):
        (tmp_path / WORKPLACE / CHECKPOINT).unlink()
    train(progress)
    assert weights(tmp_path)


def test_a_damaged_record_of_a_finished_training_is_told(
    examples: Examples, tmp_path: Path, progress: Any
) -> None:
    (tmp_path / "training.json").write_text('{"model": ')

    with pytest.raises(DataError, match=r"training\.json: damaged.*choose another"):
        train_model(
            *("tfidf", examples, None),
            seed=0,
            out=tmp_path,
            config=SMALL["tfidf"],
            progress=progress,
        )


def test_a_disk_without_room_is_one_error_and_the_training_goes_on_later(
    name: str,
    settings: dict[str, Any],
    examples: Examples,
    tmp_path: Path,
    progress: Any,
) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def train() -> None:
        train_model(
            name,
            examples,
            None,
            seed=0,
            out=tmp_path,
            config=settings,
            progress=progress,
        )

    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(OutputError, match=r"cannot be written: .*Make room"):
            train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    train()
    assert (tmp_path / "config.json").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_place_that_cannot_be_written_is_named(
    number: int,
    examples: Examples,
    tmp_path: Path,
    progress: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", refuse)

    with pytest.raises(OutputError, match=f"{tmp_path}: cannot be written: "):
        train_model(
            *("tfidf", examples, None),
            seed=0,
            out=tmp_path,
            config=SMALL["tfidf"],
            progress=progress,
        )


@pytest.mark.parametrize("module", [compat, huggingface])
def test_an_unfinished_training_is_no_model_yet(
    module: ModuleType,
    examples: Examples,
    tmp_path: Path,
    interrupted: Callable[[int], Any],
) -> None:
    config = SMALL["embedding-bag"]
    with pytest.raises(KeyboardInterrupt):
        train_model(
            *("embedding-bag", examples, None),
            seed=0,
            out=tmp_path,
            config=config,
            progress=interrupted(60),
        )

    with pytest.raises(ModelError) as told:
        module.open_source(str(tmp_path), ModelOptions())

    assert str(told.value) == (
        f"{tmp_path}: the training there is unfinished. Wait until it ends or, if it "
        "was stopped, give the same compat-eval train command again, which goes on "
        "where it was."
    )
    assert resolve(str(tmp_path)).scheme == "compat"


def test_the_seed_decides(examples: Examples, tmp_path: Path, progress: Any) -> None:
    def train(out: str, seed: int) -> bytes:
        train_model(
            "embedding-bag",
            examples,
            None,
            seed=seed,
            out=tmp_path / out,
            config={**SMALL["embedding-bag"], "epochs": 1},
            progress=progress,
        )
        return weights(tmp_path / out)

    assert train("a", 1) == train("b", 1)
    assert train("c", 2) != train("d", 1)


def test_it_stops_when_dev_gets_no_better(
    examples: Examples, dev: Examples, tmp_path: Path, progress: Any
) -> None:
    config = {**SMALL["embedding-bag"], "epochs": 50, "patience": 2}
    record = train_model(
        "embedding-bag",
        examples,
        dev,
        seed=0,
        out=tmp_path,
        config=config,
        progress=progress,
    )

    accuracies = [done["dev_accuracy"] for done in record["history"]]
    assert len(accuracies) < 50
    assert max(accuracies[-2:]) <= max(accuracies[:-2])


def test_a_finished_model_is_not_trained_again_nor_overwritten(
    examples: Examples, tmp_path: Path, progress: Any
) -> None:
    def train(seed: int) -> dict[str, Any]:
        return train_model(
            "tfidf",
            examples,
            None,
            seed=seed,
            out=tmp_path,
            config={},
            progress=progress,
        )

    first = train(0)
    done = progress.done

    assert train(0) == first
    assert progress.done == done
    with pytest.raises(UsageError, match=r"other settings \(seed\); choose another"):
        train(1)


class Weighted(Settings):
    @property
    def columns(self) -> tuple[str, ...]:
        return ("input", "gold", "weight", "cluster", "teacher_logits")


def seen_columns(examples: Examples, *_: Any, out: Path, **__: Any) -> list[Any]:
    (out / "config.json").write_text(json.dumps(examples.table.column_names))
    return []


weighted = Trainer(settings=Weighted, run=seen_columns)


def with_columns(examples: Examples, columns: dict[str, Any]) -> Examples:
    for column, value in columns.items():
        examples = examples.with_column(column, pa.array([value] * len(examples)))
    return examples


def test_every_column_that_a_trainer_reads_and_no_other_is_part_of_what_was_trained(
    examples: Examples, tmp_path: Path, progress: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(columns: dict[str, Any], dev: Examples | None = None) -> None:
        train_model(
            *("weighted", with_columns(examples, columns), dev),
            seed=0,
            out=tmp_path,
            config={},
            progress=progress,
        )

    known = {**TRAINERS.builtin, "weighted": f"{__name__}:weighted"}
    monkeypatch.setattr(
        "compat_eval.models.training.train.TRAINERS", replace(TRAINERS, builtin=known)
    )
    read = {"weight": 1.0, "cluster": "d1", "teacher_logits": [0.5, 1.5]}

    train(read)
    train({**read, "slice.length": "0-6", "tags": "a"})  # which it does not read

    names = json.loads((tmp_path / "config.json").read_text())
    assert names == ["id", "input", "gold", "weight", "cluster", "teacher_logits"]
    for other in (
        {"weight": 2.0},
        {"cluster": "d2"},
        {"teacher_logits": [0.5, 1.0]},
        {"gold": "x"},
    ):
        with pytest.raises(UsageError, match=r"other settings \(data\)"):
            train({**read, **other})
    with pytest.raises(UsageError, match=r"other settings \(data\)"):
        train({name: read[name] for name in ("weight", "cluster")})
    with pytest.raises(UsageError, match=r"other settings \(data\)"):
        train(read, dev=examples)


def _told(values: Any, column: str) -> str:
    table = pa.table({"id": ["1", "2"], column: values})
    return str(contents_of("train", Examples(table))["train_sha256"])


NUMBERS: dict[str, list[Any]] = {
    "weight": [[1.0, 2.0], [1.0, 2.5]],
    "teacher_logits": [[[1.0, 2.0], [3.0, 4.0]], [[1.0], [2.0, 3.0, 4.0]]],
    "vector": [[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 5.0]]],
    "logits": [
        [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}],
        [{"a": 1.0, "c": 2.0}, {"a": 3.0, "c": 4.0}],
        [{"a": 1.0, "b": 2.0}, None],
    ],
}


@pytest.mark.parametrize("column", NUMBERS)
def test_columns_of_numbers_are_told_apart_by_what_they_hold(column: str) -> None:
    def whole(values: list[Any]) -> str:
        return _told(pa.array(values), column)

    def told(values: list[Any]) -> str:
        # In two pieces, as files are read.
        array = pa.array(values)
        return _told(pa.chunked_array([array[:1], array[1:]]), column)

    assert told(NUMBERS[column][0]) == whole(NUMBERS[column][0])
    assert len({told(values) for values in NUMBERS[column]}) == len(NUMBERS[column])


def test_an_encoder_that_changed_is_another_training(
    examples: Examples, tmp_path: Path, pretrained: Path, progress: Any
) -> None:
    pytest.importorskip("torch")
    encoder = Path(shutil.copytree(pretrained, tmp_path / "encoder"))
    settings = {**SMALL["encoder"], "epochs": 1, "encoder": str(encoder)}

    def train() -> dict[str, Any]:
        return train_model(
            "encoder",
            examples,
            None,
            seed=0,
            out=tmp_path / "out",
            config=settings,
            progress=progress,
        )

    assert train() == train()
    assert train()["threads"] >= 1
    config = encoder / "config.json"
    config.write_text(config.read_text().replace("{", '{"note": 1, ', 1))
    with pytest.raises(UsageError, match=r"other settings \(files\)"):
        train()


class Nested(Settings):
    teachers: dict[str, list[str]]


nested = Trainer(settings=Nested, run=seen_columns)


def test_files_are_found_wherever_settings_name_them(
    examples: Examples, tmp_path: Path, progress: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {**TRAINERS.builtin, "nested": f"{__name__}:nested"}
    registry = "compat_eval.models.training.train.TRAINERS"
    monkeypatch.setattr(registry, replace(TRAINERS, builtin=known))
    teacher = tmp_path / "teacher.txt"
    teacher.write_text("1")

    def train() -> dict[str, Any]:
        return train_model(
            *("nested", examples, None),
            seed=0,
            out=tmp_path / "out",
            config={"teachers": {"old": ["nowhere", str(teacher)]}},
            progress=progress,
        )

    assert list(train()["files"]) == ["teachers.old.1"]
    teacher.write_text("2")
    with pytest.raises(UsageError, match=r"other settings \(files\)"):
        train()


def test_an_unfinished_training_of_other_settings_is_kept(
    examples: Examples,
    tmp_path: Path,
    progress: Any,
    interrupted: Callable[[int], Any],
) -> None:
    def train(follow: Any, **config: Any) -> None:
        train_model(
            "embedding-bag",
            examples,
            None,
            seed=0,
            out=tmp_path,
            config={**SMALL["embedding-bag"], **config},
            progress=follow,
        )

    with pytest.raises(KeyboardInterrupt):
        train(interrupted(60))

    with pytest.raises(UsageError, match=r"unfinished training with other settings"):
        train(progress, width=9)


def test_two_trainings_in_one_directory_are_refused(
    examples: Examples, tmp_path: Path, progress: Any
) -> None:
    with (
        filelock.FileLock(tmp_path / ".training.lock"),
        pytest.raises(UsageError, match="another training runs"),
    ):
        train_model(
            "tfidf",
            examples,
            None,
            seed=0,
            out=tmp_path,
            config={},
            progress=progress,
        )


@pytest.mark.parametrize("name", sorted(SMALL))
def test_unknown_settings_are_listed_with_the_known(
    name: str, examples: Examples, tmp_path: Path, progress: Any
) -> None:
    with pytest.raises(UsageError, match=r"colour: .*Known: "):
        train_model(
            name,
            examples,
            None,
            seed=0,
            out=tmp_path,
            config={"colour": "red"},
            progress=progress,
        )


def test_an_unknown_model_is_refused(
    examples: Examples, tmp_path: Path, progress: Any
) -> None:
    with pytest.raises(UsageError, match=r"known: .*embedding-bag, encoder.*tfidf"):
        train_model(
            "gpt",
            examples,
            None,
            seed=0,
            out=tmp_path,
            config={},
            progress=progress,
        )


def test_what_is_no_trainer_is_told(
    examples: Examples, tmp_path: Path, progress: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {**TRAINERS.builtin, "odd": f"{__name__}:weights"}
    registry = "compat_eval.models.training.train.TRAINERS"
    monkeypatch.setattr(registry, replace(TRAINERS, builtin=known))

    with pytest.raises(UsageError, match=r"--model odd: expected a Trainer.*function"):
        train_model(
            *("odd", examples, None),
            seed=0,
            out=tmp_path,
            config={},
            progress=progress,
        )


@pytest.mark.parametrize(
    ("gold", "message"),
    [(["a", "a"], "at least two labels"), (["a", None], "1 examples whose gold")],
)
def test_nothing_to_learn_is_an_error(
    gold: list[str | None], message: str, tmp_path: Path, progress: Any
) -> None:
    table = pa.table({"id": ["1", "2"], "input": ["x", "y"], "gold": gold})

    with pytest.raises(DataError, match=message):
        train_model(
            "tfidf",
            Examples(table),
            None,
            seed=0,
            out=tmp_path,
            config={},
            progress=progress,
        )


def test_an_encoder_that_is_not_there_is_named(
    examples: Examples, tmp_path: Path, progress: Any
) -> None:
    with pytest.raises(ModelError, match=r"nowhere: no config\.json"):
        train_model(
            "encoder",
            examples,
            None,
            seed=0,
            out=tmp_path,
            config={"encoder": "nowhere"},
            progress=progress,
        )


def test_a_model_that_learns_another_task_is_refused_with_those_that_suit() -> None:
    with pytest.raises(UsageError, match="biaffine or stack-pointer"):
        require_suited("tfidf", "dependency", suite="trees")
    with pytest.raises(UsageError, match="learns dependency, and suite texts"):
        require_suited("biaffine", "classification", suite="texts")


def test_a_task_that_none_learns_is_told() -> None:
    with pytest.raises(UsageError, match="no model of ours"):
        require_suited("tfidf", "summaries", suite="news")


def test_what_suits_and_what_is_not_ours_passes() -> None:
    require_suited("stack-pointer", "dependency", suite="trees")
    require_suited("from-a-plugin", "dependency", suite="trees")


def test_the_list_names_trainers_and_task_kinds_that_there_are() -> None:
    assert set(TASK_OF) == {*TRAINERS.builtin} - {"causal-lm"}  # it learns of several
    assert set(TASK_OF.values()) <= set(TASKS.names())
