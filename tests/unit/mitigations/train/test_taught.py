"""OLD's answers beside the training examples."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import ModelError, UsageError
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.mitigations.train.taught import (
    old_right,
    with_taught,
    with_teacher_logits,
)
from compat_eval.runner.ask import ask
from compat_eval.runner.questions import Logits, Predict
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options
from tests import fakes
from tests.unit.mitigations.toy_classifiers import ToyClassifier, ToySource
from tests.unit.mitigations.train.conftest import train_on

EXAMPLES = fakes.examples(
    id=["1", "2", "3"], input=["one", "two", "bad"], gold=["c", "x", "a"]
)
OLD = ToySource(
    ToyClassifier({"one": [0.0, 1.0, 2.0], "two": [3.0, 1.0, 2.0]}, fails="bad")
)


@pytest.mark.parametrize("question", [Logits(), Predict()])
def test_old_is_right_where_its_answer_is_gold(question: Logits | Predict) -> None:
    right = old_right(EXAMPLES, ask(OLD, EXAMPLES, question))

    found = with_taught(EXAMPLES, right)

    assert found.column("taught").to_pylist() == [1.0, 0.0, 0.0]


def test_a_teacher_has_a_logit_for_each_label_of_training() -> None:
    found = with_teacher_logits(EXAMPLES, ask(OLD, EXAMPLES, Logits()))

    # Of a, c and x: OLD does not know x, and nobody learns b.
    assert found.column("teacher_logits").to_pylist() == [
        [0.0, 2.0, -1e4],
        [3.0, 2.0, -1e4],
        [-1e4, -1e4, -1e4],
    ]


def test_several_teachers_teach_by_their_mean_where_all_know() -> None:
    other = ToySource(
        ToyClassifier(
            {"one": [2.0, 4.0], "two": [1.0, 1.0], "bad": [5.0, 5.0]},
            labels=("a", "x"),
        )
    )
    teachers = [ask(one, EXAMPLES, Logits()) for one in (OLD, other)]

    found = with_teacher_logits(EXAMPLES, *teachers)

    assert found.column("teacher_logits").to_pylist() == [
        [1.0, -1e4, -1e4],
        [2.0, -1e4, -1e4],
        [-1e4, -1e4, -1e4],
    ]


RECIPES = {
    "naive": "naive",
    "focal:distance=lm,reduce=mean": "focal",
    "soft-distill:where=better": "distillation",
    "soft-distill": "distillation",
    "ldi:top=2,one_sided=true": "ldi",
    "new-error": "new-error",
    "strict-imitation:over=examples": "strict-imitation",
    "warm-start": "cross-entropy",
}


def made(text: str, old: str, new: str, tmp_path: Path, progress: Any = None) -> Path:
    options = Options(suite="library-desk", cache=tmp_path / "cache")
    out = tmp_path / text.replace(":", "-")
    mitigate(text, old, new, options, out=out, progress=progress)
    return out


def weights(directory: Path) -> bytes:
    return (directory / "model.safetensors").read_bytes()


@pytest.mark.torch
def test_every_recipe_trains_new_s_kind_with_its_own_loss(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    old, new = desk("old"), desk("new")

    outs = {text: made(text, old, new, tmp_path) for text in RECIPES}

    for text, objective in RECIPES.items():
        record = json.loads((outs[text] / "training.json").read_text("utf-8"))
        assert record["config"]["objective"] == objective
        assert record["model"] == "embedding-bag"
    assert len({weights(out) for out in outs.values()}) == len(RECIPES)


@pytest.mark.torch
def test_no_share_of_the_teacher_is_new_itself(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    old, new = desk("old"), desk("new")

    for text in ("naive:share=0", "focal:share=0", "warm-start:start=fresh"):
        out = made(text, old, new, tmp_path)
        assert weights(out) == weights(Path(new.removeprefix("compat:")))


@pytest.mark.torch
def test_a_recipe_that_reads_no_answers_asks_for_none(
    desk: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compat_eval.workflows.recipes.ask", None)

    out = made("warm-start", desk("old"), desk("new"), tmp_path)

    assert (out / "model.safetensors").is_file()


@pytest.mark.torch
def test_a_recipe_may_begin_from_old_or_new(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    old, new = desk("old"), desk("new")

    outs = [
        made(f"naive:start={start}", old, new, tmp_path)
        for start in ("fresh", "old", "new")
    ]

    assert len({weights(out) for out in outs}) == 3


@pytest.mark.torch
def test_a_warm_start_may_begin_from_averaged_weights(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    old, new = desk("old"), desk("new")
    warm = made("warm-start", old, new, tmp_path)
    between = made("bcwi:weight=0.5", old, f"compat:{warm}", tmp_path)

    again = made("warm-start:train_seed=5", f"compat:{between}", new, tmp_path)

    record = json.loads((again / "training.json").read_text("utf-8"))
    assert record["config"]["start"] == str(between.resolve())


@pytest.mark.torch
def test_what_cannot_be_trained_is_told_before_anything_runs(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    old, new = desk("old"), desk("new")
    done = made("naive", old, new, tmp_path)
    wide = train_on("train", tmp_path / "wide", width=9)
    told = tmp_path / "untold"
    shutil.copytree(new.removeprefix("compat:"), told)
    (told / "training.json").unlink()
    both = made("mix:weight=0.5", old, new, tmp_path)
    cases = {
        ("focal", old, f"compat:{done}"): "has the objective naive already",
        ("focal", old, f"compat:{told}"): "does not say how it was trained",
        ("ldi:start=old", f"compat:{both}", new): "is composite; start=fresh begins",
        ("warm-start", wide, new): r"embeddings.weight has the shape \(200, 9\) in",
    }

    for (method, first, second), text in cases.items():
        with pytest.raises(UsageError, match=text):
            made(method, first, second, tmp_path / "out")


@pytest.mark.torch
def test_a_teacher_without_bounds_ends_as_an_error(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"epoch 1, step 1: the loss is inf.*weight"):
        made("focal:distance=lm,share=1e38", desk("old"), desk("new"), tmp_path)


@pytest.mark.parametrize(
    "text", ["focal:beta=auto,share=auto", "soft-distill:alpha=auto", "ldi:share=auto"]
)
def test_dev_can_choose_how_much_old_teaches(text: str) -> None:
    assert len(MitigationSpec.parse(text).candidates()) >= 5
