from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.models.stack_pointer import training as stack_pointer_training
from compat_eval.models.stack_pointer.parser import load
from compat_eval.tasks.dependency.task import dependency
from tests import fakes
from tests.unit.models.conftest import Notes
from tests.unit.models.parser_toys import TINY, sentence, toy_examples, tree

TRAIN, DEV = toy_examples(40, seed=0), toy_examples(20, seed=1)


def train(out: Path, examples: Examples = TRAIN, **config: Any) -> list[dict[str, Any]]:
    out.mkdir(exist_ok=True)
    return stack_pointer_training.train(
        examples,
        DEV,
        seed=config.pop("seed", 1),
        out=out,
        config={**TINY, "input_width": 16, "decoder": 24, "epochs": 2, **config},
        progress=Notes(),
    )


def test_a_trained_parser_knows_what_the_tags_tell(tmp_path: Path) -> None:
    history = train(tmp_path, epochs=30, learning_rate=0.02, patience=30)

    parser = load(tmp_path, labels=("advmod", "amod", "nsubj", "root"), device="cpu")
    table = parser.predict(parser.encode(DEV.column("input").to_pylist()))
    answered = fakes.predictions(
        id=DEV.ids.to_pylist(), prediction=table["prediction"].to_pylist()
    )
    assert dependency().grade(DEV, answered)["las"].right.mean() > 0.95
    assert history[-1]["loss"] < history[0]["loss"] / 4


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(tmp_path / name, seed=seed)

    a, b, c = (load_file(tmp_path / n / "model.safetensors") for n in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


@pytest.mark.parametrize(
    ("heads", "message"),
    [([2, 1], "are no tree"), ([0, 0], "without exactly one root")],
)
def test_gold_must_be_trees_with_one_root(
    tmp_path: Path, heads: list[int], message: str
) -> None:
    odd = fakes.examples(
        id=["s0"],
        input=[sentence("n1/NOUN", "v1/VERB")],
        gold=[tree(heads, "nsubj", "root")],
    )

    with pytest.raises(DataError, match=message):
        train(tmp_path, odd)
