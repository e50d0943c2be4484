"""Small language models: how probable documents are, and how they are trained."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from compat_eval.adapters import ModelOptions
from compat_eval.adapters.compat import open_source
from compat_eval.core.errors import CapabilityError, DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Silence
from compat_eval.core.protocols import Encodes, GivesLikelihood
from compat_eval.models.language_models.training import (
    LanguageModelSettings,
    pieces,
    token_nats,
)
from compat_eval.models.training.train import train_model

TEXTS = [
    f"{who} {what} the {thing}."
    for who in ("ann", "bob")
    for what in ("reads", "sells")
    for thing in ("book", "map", "letter", "stamp")
]
SMALL = {"tokens": "char", "min_count": 1, "width": 16, "longest": 12, "layers": 1}


def documents(texts: list[Any]) -> Examples:
    ids = [f"d{at}" for at in range(len(texts))]
    return Examples(pa.table({"id": ids, "input": pa.array(texts)}))


def trained(out: Path, **settings: object) -> Any:
    train_model(
        "language-model",
        documents(TEXTS),
        documents(TEXTS[::3]),
        seed=1,
        out=out,
        config={**SMALL, "epochs": 2, "batch_size": 4, **settings},
        progress=Silence(),
    )
    return open_source(str(out), ModelOptions()).load()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return trained(tmp_path_factory.mktemp("lm") / "model")


def test_it_is_asked_as_any_language_model(model: object) -> None:
    assert isinstance(model, GivesLikelihood)
    assert isinstance(model, Encodes)


def test_likelihood_is_the_sum_over_tokens(model: Any) -> None:
    items = model.encode(["ann sells", "a"])
    found, counts = model.log_likelihood(items)
    for item, nats, count in zip(items, found, counts, strict=True):
        ids = torch.tensor([item.ids])
        log_p = model.network(ids)[0].log_softmax(-1)
        each = log_p[torch.arange(len(item.ids) - 1), ids[0, 1:]]
        assert nats == pytest.approx(each.sum().item(), abs=1e-4)
        assert count == len(item.ids) - 1


def test_a_long_document_counts_every_token_once(model: Any) -> None:
    text = "ann reads the book. bob sells the map."
    found, counts = model.log_likelihood(model.encode([text]))
    assert counts.tolist() == [len(text)]
    assert -math.inf < found[0] < 0


def test_neighbours_change_nothing_but_digits(model: Any) -> None:
    items = model.encode([*TEXTS, "", None])
    together, counts = model.log_likelihood(items)
    alone = [model.log_likelihood([item])[0][0] for item in items]
    assert together == pytest.approx(alone, abs=1e-4, nan_ok=True)
    assert counts[-2:].tolist() == [0, 0]
    assert together[-2] == 0
    assert np.isnan(together[-1])


def test_it_has_no_answers(model: Any) -> None:
    with pytest.raises(CapabilityError, match="how probable documents are"):
        model.predict(model.encode(["a"]))


@pytest.mark.parametrize("network", ["transformer", "gru"])
def test_training_makes_documents_more_probable(network: str, tmp_path: Path) -> None:
    few = trained(tmp_path / "few", network=network, epochs=1)
    more = trained(tmp_path / "more", network=network, epochs=8, learning_rate=0.01)
    text = ["bob reads the stamp."]
    before, after = (m.log_likelihood(m.encode(text))[0][0] for m in (few, more))
    assert after > before + 5


def test_a_training_is_the_same_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        trained(tmp_path / name)
    first, second = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")
    )
    assert first == second


def test_pieces_of_a_long_text_join_and_every_token_is_learnt_once(model: Any) -> None:
    ids = list(model.encode([TEXTS[0]])[0].ids)
    cut = pieces(model, [TEXTS[0]])
    assert max(map(len, cut)) <= model.longest
    assert [one for piece in cut for one in piece[1:]] == ids[1:]
    assert all(a[-1] == b[0] for a, b in pairwise(cut))
    assert pieces(model, [""]) == []


def test_nats_of_a_batch_are_those_of_each_row(model: Any) -> None:
    rows = [[0, 2, 3, 4], [0, 5]]
    found = token_nats(model.network, rows)
    assert found.shape == (2, 3)
    assert found[1, 1:].tolist() == [0, 0]
    alone = token_nats(model.network, rows[1:])
    assert torch.allclose(found[1, :1], alone[0], atol=1e-5)


def test_examples_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 examples whose input is no text"):
        train_model(
            "language-model",
            documents(["a", None]),
            None,
            seed=0,
            out=tmp_path / "m",
            config=SMALL,
            progress=Silence(),
        )


def test_heads_must_divide_the_width(tmp_path: Path) -> None:
    assert LanguageModelSettings(network="gru", width=7, heads=2).width == 7
    with pytest.raises(UsageError, match="width must be a multiple of heads"):
        train_model(
            "language-model",
            documents(TEXTS),
            None,
            seed=0,
            out=tmp_path / "m",
            config={"width": 7, "heads": 2},
            progress=Silence(),
        )
