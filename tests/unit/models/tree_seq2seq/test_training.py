from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.models.training.train import train_model
from compat_eval.models.tree_seq2seq import training as tree_seq2seq_training
from compat_eval.models.tree_seq2seq.parser import TreeSeq2Seq, load
from compat_eval.models.tree_seq2seq.training import ParsedUtterances
from compat_eval.tasks.semantic.task import Semantic
from tests import fakes
from tests.unit.models.conftest import Notes
from tests.unit.models.seq2seq_toys import TINY, toy_examples

TRAIN, DEV = toy_examples(60, seed=0), toy_examples(20, seed=1)


def train(
    out: Path, examples: Examples = TRAIN, notes: Notes | None = None, **config: Any
) -> list[dict[str, Any]]:
    out.mkdir(exist_ok=True)
    return tree_seq2seq_training.train(
        examples,
        DEV,
        seed=config.pop("seed", 1),
        out=out,
        config={**TINY, "epochs": 2, **config},
        progress=notes or Notes(),
    )


def test_a_trained_model_writes_what_the_words_tell(tmp_path: Path) -> None:
    train_model(
        "seq2seq",
        TRAIN,
        DEV,
        seed=1,
        out=tmp_path / "model",
        config={**TINY, "epochs": 30, "learning_rate": 0.03, "patience": 30},
        progress=Notes(),
    )

    source = ADAPTERS.load("compat")(str(tmp_path / "model"), ModelOptions())
    model = source.load()
    assert isinstance(model, TreeSeq2Seq)
    table = model.predict(model.encode(DEV.column("input").to_pylist()))
    answered = fakes.predictions(
        id=DEV.ids.to_pylist(), prediction=table["prediction"].to_pylist()
    )
    assert Semantic().grade(DEV, answered)["exact_match"].right.mean() > 0.9


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(tmp_path / name, seed=seed)

    a, b, c = (load_file(tmp_path / n / "model.safetensors") for n in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(
    tmp_path: Path, interrupted: Callable[[int], Notes]
) -> None:
    train(tmp_path / "whole", epochs=3)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", notes=interrupted(2 * len(TRAIN)), epochs=3)
    train(tmp_path / "killed", epochs=3)

    whole, killed = (
        load_file(tmp_path / name / "model.safetensors") for name in ("whole", "killed")
    )
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


def test_a_tree_of_other_words_is_left_out_and_told(tmp_path: Path) -> None:
    odd = ["[IN:CALL phone home ]", "[IN:A [IN:B call home ] ]", "[IN:A call home ]"]
    examples = fakes.examples(id=["a", "b", "c"], input=["call home"] * 3, gold=odd)
    notes = Notes()

    train(tmp_path, examples, notes)

    assert notes.notes[0].startswith("2 of 3 training examples left out")


def test_blanks_alone_may_part_the_words(tmp_path: Path) -> None:
    utterance, gold = "wake me 8:30am", "[IN:ALARM wake me [SL:TIME 8:30am ] ]"
    examples = fakes.examples(id=["a"], input=[utterance], gold=[gold])
    with pytest.raises(DataError, match="set `words: blanks`"):
        train(tmp_path / "rules", examples)

    notes = Notes()
    train(tmp_path / "blanks", examples, notes, words="blanks", epochs=1)

    assert not any("left out" in note for note in notes.notes)
    labels = ("IN:ALARM", "SL:TIME")
    model = load(tmp_path / "blanks", labels=labels, device="cpu")
    [item] = model.encode([utterance])
    assert item.sentence.words == ("wake", "me", "8:30am")
    train(tmp_path / "toys", TRAIN, epochs=1)
    other = load(
        tmp_path / "toys",
        labels=tuple(sorted(ParsedUtterances.of(TRAIN).labels)),
        device="cpu",
    )
    with pytest.raises(UsageError, match="one parts words by rules"):
        other.mixture(0.5, [(0.5, model)])


@pytest.mark.parametrize(
    ("gold", "message"),
    [("[IN:CALL call", "no bracketed tree"), ("[IN:CALL hi ]", "nothing to train on")],
)
def test_gold_must_be_trees_over_the_words(
    tmp_path: Path, gold: str, message: str
) -> None:
    odd = fakes.examples(id=["s0"], input=["call"], gold=[gold])

    with pytest.raises(DataError, match=message):
        train(tmp_path, odd)


def test_unknown_settings_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"colour.*Known: .*decoder"):
        train(tmp_path, colour="red")
