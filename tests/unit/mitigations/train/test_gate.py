"""What OLD gets right on examples that it has not seen."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.train.gate import folds_of
from compat_eval.models.training.train import train_model
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options
from tests import fakes
from tests.unit.mitigations.train.conftest import train_on

pytestmark = pytest.mark.torch


class Notes:
    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, label: str, *, total: int, done: int = 0) -> None: ...

    def advance(self, count: int) -> None: ...

    def note(self, message: str) -> None:
        self.said.append(message)

    def stop(self) -> None: ...


def made(method: str, old: str, new: str, tmp_path: Path, name: str = "out") -> Notes:
    notes = Notes()
    options = Options(suite="library-desk", cache=tmp_path / "cache")
    mitigate(method, old, new, options, out=tmp_path / name, progress=notes)
    return notes


def test_a_fold_follows_from_the_input_alone() -> None:
    some = fakes.examples(id=["1", "2", "3", "4"], input=list("abca"), gold=["x"] * 4)
    other = fakes.examples(id=["9", "8"], input=["b", "a"], gold=["y", "y"])

    first, second = folds_of(some, 3), folds_of(other, 3)

    assert first[0] == first[3] == second[1]
    assert first[1] == second[0]


def test_folds_are_about_equally_large() -> None:
    texts = [f"text {number}" for number in range(600)]
    fold = folds_of(fakes.examples(id=texts, input=texts, gold=texts), 4)

    assert np.bincount(fold, minlength=4).min() > 120


def test_out_of_fold_is_judged_by_models_that_have_not_seen_the_example(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    made("naive", desk("new"), desk("new"), tmp_path, "train")
    notes = made("naive:gate=out-of-fold,folds=2", desk("new"), desk("new"), tmp_path)

    folds = sorted((tmp_path / "cache/trained/aside").glob("*/fold-*/training.json"))
    data = [json.loads(one.read_text("utf-8"))["data"] for one in folds]
    n_train = len(load_examples(load_suite("library-desk"), "train"))
    assert sum(n_train - one["n_train"] for one in data) == n_train
    assert any(f"OLD was trained on {n_train} of {n_train}" in s for s in notes.said)
    assert weights(tmp_path / "out") != weights(tmp_path / "train")


def test_folds_are_trained_once_for_all_recipes(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    gate = "gate=out-of-fold,folds=2"
    made(f"naive:{gate}", desk("old"), desk("new"), tmp_path, "first")
    notes = made(f"focal:{gate}", desk("old"), desk("new"), tmp_path, "second")

    again = [one for one in notes.said if "trained before" in one]
    assert len(again) == 2


def test_held_out_takes_old_s_answers_where_it_was_not_trained(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    notes = made("focal:gate=held-out", desk("old"), desk("new"), tmp_path)

    suite = load_suite("library-desk")
    small, whole = (
        load_examples(suite, name).column("input").to_pylist()
        for name in ("train-small", "train")
    )
    n_seen = sum(one in set(small) for one in whole)
    assert any(f"on {n_seen} of {len(whole)} examples" in one for one in notes.said)


def test_a_gate_that_cannot_be_is_told_with_one_that_can(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    config: dict[str, Any] = {"objective": "distillation"}
    taught = train_on("train", tmp_path / "plain")
    record = Path(taught.removeprefix("compat:")) / "training.json"
    told = json.loads(record.read_text("utf-8"))
    cases = {
        "was trained on; gate=train": {
            **told,
            "data": {**told["data"], "train_sha256": "x"},
        },
        "does not say how it was trained; gate=train": {},
        "has the objective distillation": {**told, "config": config},
    }

    for number, (text, content) in enumerate(cases.items()):
        record.write_text(json.dumps(content), "utf-8")
        with pytest.raises(UsageError, match=text):
            made(
                *("naive:gate=out-of-fold", taught, desk("new")),
                tmp_path,
                str(number),
            )
    with pytest.raises(UsageError, match="gate=out-of-fold trains OLD anew"):
        made("naive:gate=held-out", desk("other"), desk("new"), tmp_path, "all")


def weights(directory: Path) -> bytes:
    return (directory / "model.safetensors").read_bytes()


def test_an_interrupted_fold_goes_on_to_the_same_weights(
    desk: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = "naive:gate=out-of-fold,folds=2"
    old, new = desk("old"), desk("new")
    made(method, old, new, tmp_path / "whole")
    n_trainings = 0

    def stopped(*args: Any, **options: Any) -> Any:
        nonlocal n_trainings
        n_trainings += 1
        if n_trainings == 2:
            raise KeyboardInterrupt
        return train_model(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr("compat_eval.mitigations.train.gate.train_model", stopped)
        with pytest.raises(KeyboardInterrupt):
            made(method, old, new, tmp_path / "cut")
    made(method, old, new, tmp_path / "cut")

    assert weights(tmp_path / "cut/out") == weights(tmp_path / "whole/out")
