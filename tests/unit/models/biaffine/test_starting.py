"""Parsers that begin from another parser, or learn from one, word by word."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Silence
from compat_eval.models.biaffine.parser import load
from compat_eval.models.biaffine.teacher import ArcTeacher
from compat_eval.models.parsing.training import ParserData
from compat_eval.models.training.train import train_model
from tests import fakes
from tests.unit.models.parser_toys import TINY, sentence, toy_examples, tree

pytestmark = pytest.mark.torch

OTHER = fakes.examples(
    id=["1", "2"],
    input=[sentence("n1/NOUN", "zz/VERB"), sentence("n2/NOUN", "v1/VERB", "n1/NOUN")],
    gold=[tree([2, 0], "nsubj", "root"), tree([2, 0, 2], "nsubj", "root", "obj")],
)


def trained(examples: Examples, out: Path, **config: Any) -> Path:
    settings = {**TINY, "epochs": 2, **config}
    train_model(
        "biaffine",
        examples,
        None,
        seed=1,
        out=out,
        config=settings,
        progress=Silence(),
    )
    return out


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(toy_examples(), tmp_path_factory.mktemp("parser") / "old", epochs=6)


def test_words_and_relations_are_matched_by_name(old: Path, tmp_path: Path) -> None:
    out = trained(
        OTHER, tmp_path / "new", epochs=1, learning_rate=1e-30, start=str(old)
    )

    before, after = (load_file(one / "model.safetensors") for one in (old, out))
    known = json.loads((old / "config.json").read_text())
    now = json.loads((out / "config.json").read_text())
    for word in ("n1", "v1"):
        at = [3 + one["vocabulary"]["words"].index(word) for one in (known, now)]
        rows = [w["encoder.tokens.words.weight"] for w in (before, after)]
        assert torch.equal(rows[0][at[0]], rows[1][at[1]])
    at = [one["labels"].index("nsubj") for one in (known, now)]
    assert torch.equal(before["label"][:, at[0]], after["label"][:, at[1]])
    assert torch.equal(before["arc"], after["arc"])


def test_a_start_of_other_sizes_is_told(old: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"start: .* has other sizes: "):
        trained(OTHER, tmp_path / "new", start=str(old), hidden=8)
    with pytest.raises(UsageError, match=r"teacher: .* cannot be read"):
        trained(OTHER, tmp_path / "other", teacher=str(tmp_path / "nothing"))


def test_a_teacher_says_what_it_finds_probable(old: Path) -> None:
    data = ParserData.of(OTHER, None, min_count=1)
    parser = load(
        old,
        labels=tuple(json.loads((old / "config.json").read_text())["labels"]),
        device="cpu",
    )

    teacher = ArcTeacher.of(old, data)

    arcs, labels = teacher.batch([1, 0], 5)
    assert arcs.shape == (2, 5, 5)
    table = parser.labelled_arcs(
        [parser.vocabulary.encode(data.train.items[0].sentence)]
    )
    # log p of the first word's head and relation: those of its gold arc, from word 2.
    own = list(parser.labels).index("nsubj")
    new = list(data.vocabulary.labels).index("nsubj")
    expected = float(table.scores[0, 0, 2, own])
    assert float(arcs[1, 1, 2] + labels[1, 1, new]) == pytest.approx(expected, abs=1e-4)
    unknown = list(data.vocabulary.labels).index("obj")
    assert float(labels[0, 1, unknown]) == -1e4
    assert float(arcs[1, 1, 4]) == -1e4  # there are two words


def test_a_strong_teacher_is_imitated(old: Path, tmp_path: Path) -> None:
    heads, data = (
        [tree([0, 1], "root", "nsubj")],
        ParserData.of(OTHER, None, min_count=1),
    )
    heads.append(tree([0, 1, 2], "root", "nsubj", "nsubj"))
    otherwise = Examples(OTHER.without(["gold"]).table).with_column(
        "gold", fakes.examples(id=["1", "2"], gold=heads).column("gold")
    )
    config = {"epochs": 20, "learning_rate": 0.01}
    alone = trained(otherwise, tmp_path / "alone", **config)
    strong = {"teacher": str(old), "teacher_share": 100.0}

    taught = trained(otherwise, tmp_path / "taught", **config, **strong)

    teacher, *others = (ArcTeacher.of(one, data) for one in (old, alone, taught))
    apart = [
        sum(
            float((one[1:].exp() - other[1:].exp()).abs().sum())
            for one, other in zip(teacher.arcs, student.arcs, strict=True)
        )
        for student in others
    ]
    assert apart[1] < 0.2 * apart[0]
