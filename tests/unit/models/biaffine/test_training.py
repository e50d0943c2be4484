from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.models.biaffine import training as biaffine_training
from compat_eval.models.biaffine.parser import load
from compat_eval.models.parsing.training import ParserLearner
from compat_eval.models.training import loop as torch_fit
from compat_eval.models.training.train import train_model
from compat_eval.models.training.workplace import CHECKPOINT
from compat_eval.tasks.dependency.task import dependency
from tests import fakes
from tests.unit.models.conftest import Notes
from tests.unit.models.parser_toys import TINY, sentence, toy_examples, tree

TRAIN, DEV = toy_examples(40, seed=0), toy_examples(20, seed=1)


class KilledError(Exception):
    pass


class KilledAfter(Notes):
    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.left = epochs

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        if not self.left:
            raise KilledError
        self.left -= 1


def train(
    out: Path,
    *,
    seed: int = 1,
    dev: Examples | None = DEV,
    progress: Notes | None = None,
    **config: Any,
) -> list[dict[str, Any]]:
    out.mkdir(exist_ok=True)
    return biaffine_training.train(
        TRAIN,
        dev,
        seed=seed,
        out=out,
        config={**TINY, "epochs": 3, **config},
        progress=progress or Notes(),
    )


def weights(out: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(out / "model.safetensors"))


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_trained_parser_knows_what_the_tags_tell(tmp_path: Path) -> None:
    history = train(tmp_path, epochs=25, learning_rate=0.02, patience=25)

    labels = ("advmod", "amod", "nsubj", "root")
    parser = load(tmp_path, labels=labels, device="cpu")
    table = parser.predict(parser.encode(DEV.column("input").to_pylist()))
    answered = fakes.predictions(
        id=DEV.ids.to_pylist(), prediction=table["prediction"].to_pylist()
    )
    right = dependency().grade(DEV, answered)["las"].right
    assert right.mean() > 0.95
    assert history[-1]["loss"] < history[0]["loss"] / 4
    assert max(entry["dev_accuracy"] for entry in history) > 0.95


def test_the_same_seed_gives_the_same_weights_and_another_others(
    tmp_path: Path,
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(tmp_path / name, seed=seed)

    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert same(a, b)
    assert not same(a, c)


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole")
    with pytest.raises(KilledError):
        train(tmp_path / "cut", progress=KilledAfter(2))
    assert (tmp_path / "cut" / CHECKPOINT).is_file()

    resumed = train(tmp_path / "cut", progress=KilledAfter(1))

    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))
    assert [e["loss"] for e in resumed] == [e["loss"] for e in whole]


def test_training_touches_no_global_random_numbers(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()

    train(tmp_path, epochs=1)

    assert torch.equal(torch.random.get_rng_state(), before)


def test_training_stops_when_dev_no_longer_improves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.5, 0.7, 0.6, 0.7, 0.9])
    monkeypatch.setattr(ParserLearner, "dev_accuracy", lambda _: next(scores))

    history = train(tmp_path, epochs=5, patience=2)

    assert [entry["dev_accuracy"] for entry in history] == [0.5, 0.7, 0.6, 0.7]


def test_without_dev_the_last_epoch_counts(tmp_path: Path) -> None:
    history = train(tmp_path, dev=None, epochs=2)

    assert [entry["dev_accuracy"] for entry in history] == [None, None]


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"width: Extra.*Known: .*arc_width"):
        train(tmp_path, width=3)


def test_examples_of_another_task_are_refused(tmp_path: Path) -> None:
    texts = fakes.examples(id=["t1"], input=["Dogs bark"], gold=["animals"])

    with pytest.raises(DataError, match="example t1: expected lists 'words'"):
        biaffine_training.train(
            texts, None, seed=1, out=tmp_path, config=TINY, progress=Notes()
        )


def test_sentences_without_words_are_left_out(tmp_path: Path) -> None:
    empty = fakes.examples(id=["e1"], input=[sentence()], gold=[tree([])])

    with pytest.raises(DataError, match="at least one sentence with words"):
        biaffine_training.train(
            empty, None, seed=1, out=tmp_path, config=TINY, progress=Notes()
        )


def test_it_is_known_to_the_one_way_to_train(tmp_path: Path) -> None:
    record = train_model(
        "biaffine",
        TRAIN,
        DEV,
        seed=1,
        out=tmp_path / "model",
        config={**TINY, "epochs": 1},
        progress=Notes(),
    )

    assert record["history"][0]["epoch"] == 1
    assert (tmp_path / "model" / "config.json").is_file()


def test_the_learning_rate_never_falls_below_nothing() -> None:
    settings = torch_fit.FitSettings(warmup=0.0, learning_rate=0.1)

    assert settings.learning_rate_at(0.0) == 0.1
    assert settings.learning_rate_at(1.0) == 0.0
