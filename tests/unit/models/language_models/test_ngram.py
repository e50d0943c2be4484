"""The n-gram baseline: trained, saved, asked like any language model."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.adapters import ModelOptions
from compat_eval.adapters.compat import open_source
from compat_eval.core.errors import CapabilityError, DataError, ModelError
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json
from compat_eval.core.progress import Silence
from compat_eval.core.protocols import Encodes, GivesTokenScores
from compat_eval.models.training.train import train_model

TEXTS = [
    f"{who} {what} the {thing}."
    for who in ("ann", "bob")
    for what in ("reads", "sells")
    for thing in ("book", "map", "letter", "stamp")
]


def documents(texts: list[Any]) -> Examples:
    ids = [f"d{at}" for at in range(len(texts))]
    return Examples(pa.table({"id": ids, "input": pa.array(texts)}))


def trained(out: Path, texts: list[str] = TEXTS, **config: object) -> Path:
    train_model(
        "n-gram",
        documents(texts),
        documents(TEXTS[::3]),
        seed=1,
        out=out,
        config={"tokens": "char", "min_count": 1, **config},
        progress=Silence(),
    )
    return out


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("ngram") / "model")


def opened(directory: Path) -> Any:
    return open_source(str(directory), ModelOptions()).load()


def test_tokens_are_scored_by_their_probabilities(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(directory)
    items = model.encode(["ann", "", None, "z"])
    monkeypatch.setattr("compat_eval.models.language_models.ngram._NUMBERS", 1)

    found = model.token_scores(items)

    assert all(isinstance(model, one) for one in (GivesTokenScores, Encodes))
    assert found.n_tokens.tolist() == [3, 0, 0, 1]
    assert found.is_text.tolist() == [True, True, False, True]
    ids = np.array(items[0].ids)
    p = model.smoothed.probabilities(model.smoothed.histories(ids))[:3]
    own = p[[0, 1, 2], ids[1:]]
    np.testing.assert_allclose(found.log_p[:3], np.log(own))
    assert found.top[:3].tolist() == p.argmax(1).tolist()
    assert found.ranks[:3].tolist() == [
        1 + (row > x).sum() for row, x in zip(p, own, strict=True)
    ]


def test_longer_ngrams_predict_better(directory: Path, tmp_path: Path) -> None:
    single = opened(trained(tmp_path / "single", order=1))
    model = opened(directory)

    costs = [
        -one.token_scores(one.encode(["bob reads the map."])).totals()[0]
        for one in (single, model)
    ]

    assert costs[1] < 0.6 * costs[0]


def test_a_training_is_the_same_again_and_says_how_well_dev_went(
    directory: Path, tmp_path: Path
) -> None:
    again = trained(tmp_path / "again")

    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (again / name).read_bytes() == (directory / name).read_bytes()
    (entry,) = read_json(directory / "training.json")["history"]
    assert 0.2 < entry["dev_accuracy"] < 1


def test_it_has_no_answers(directory: Path) -> None:
    with pytest.raises(CapabilityError, match="how probable documents are"):
        opened(directory).predict([])


def test_texts_without_tokens_teach_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="hold no token"):
        trained(tmp_path / "m", texts=["", ""], tokens="byte")


def test_counts_of_another_tokenizer_are_refused(
    directory: Path, tmp_path: Path
) -> None:
    other = trained(tmp_path / "other", texts=["xyz"])
    (other / "model.safetensors").write_bytes(
        (directory / "model.safetensors").read_bytes()
    )

    with pytest.raises(ModelError, match="the tokenizer knows"):
        opened(other)
