"""Encoders that are trained beside OLD's vectors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache, stores
from compat_eval.runner.questions import Embed
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options

pytestmark = pytest.mark.torch

SMALL = {
    "n_buckets": 200,
    "width": 8,
    "channels": 8,
    "projection": 6,
    "epochs": 2,
    "batch_size": 20,
}
METHODS = {
    "bct": "bct",
    "bct:rows=synthesised": "bct",
    "bct:rows=old-only": "bct",
    "l2": "l2",
    "l2:margin=0.2": "l2",
    "contrastive": "contrastive",
    "ract": "contrastive",
    "lce": "lce",
    "unibct": "unibct",
    "mixbct": "mixbct",
    "prototype-perturbation": "prototype-perturbation",
}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a text encoder of a split of library-desk, made once."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("encoders")

    def made(name: str, split: str, kind: str = "text-cnn", **config: Any) -> str:
        train_model(
            kind,
            load_examples(load_suite("library-desk"), split).with_gold(),
            None,
            seed=1,
            out=folder / name,
            config={**(SMALL if kind == "text-cnn" else {}), **config},
            progress=Silence(),
            data=f"library-desk 1 {split}, dev none",
        )
        return f"compat:{folder / name}"

    return made


def made(text: str, old: str, new: str, tmp_path: Path) -> Path:
    options = Options(suite="library-desk", cache=tmp_path / "cache")
    out = tmp_path / text.replace(":", "-")
    mitigate(text, old, new, options, out=out)
    return out


def vectors_of(reference: str) -> np.ndarray[Any, Any]:
    examples = load_examples(load_suite("library-desk"), "test")
    source = open_source(reference.removeprefix("compat:"), ModelOptions())
    column = ask(source, examples, Embed()).column("vector")
    return np.array(column.to_pylist(), np.float64)


def nearness(one: str, other: str) -> float:
    """Return the mean cosine of two models' vectors of the same inputs."""
    a, b = vectors_of(one), vectors_of(other)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / lengths).mean())


def test_every_method_trains_new_s_kind_with_its_own_loss(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old, new = encoders("old", "train-small"), encoders("new", "train")

    outs = {text: made(text, old, new, tmp_path) for text in METHODS}

    for text, objective in METHODS.items():
        record = json.loads((outs[text] / "training.json").read_text("utf-8"))
        assert record["config"]["objective"] == objective
        assert record["model"] == "text-cnn"
        assert vectors_of(str(outs[text])).shape[1] == 6
    weights = {(o / "model.safetensors").read_bytes() for o in outs.values()}
    assert len(weights) == len(METHODS)


def test_old_is_asked_for_its_vectors_once(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old, new = encoders("old", "train-small"), encoders("new", "train")

    made("bct", old, new, tmp_path)
    made("l2", old, new, tmp_path)

    kept = [one.question for one in stores(Cache(tmp_path / "cache"))]
    assert kept == ["embed"]


def test_a_trained_encoder_stands_in_old_s_space(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old, new = encoders("old", "train-small"), encoders("new", "train")

    drawn = made("l2:share=100,start=old", old, new, tmp_path)

    assert nearness(str(drawn), old) > nearness(new, old)


def test_vectors_get_old_s_dimension(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old = encoders("old", "train-small")
    new = encoders("wide", "train", projection=9)

    trained = made("bct", old, new, tmp_path)

    assert vectors_of(str(trained)).shape[1] == vectors_of(old).shape[1] == 6


def test_old_may_be_of_another_kind_and_keep_its_rows(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old = encoders("bag", "train-small", "embedding-bag", width=5, n_buckets=50)
    new = encoders("new", "train")

    trained = made("bct:rows=synthesised", old, new, tmp_path)

    assert vectors_of(str(trained)).shape[1] == 5


def test_what_makes_no_vectors_is_told_before_anything_runs(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old, new = encoders("old", "train-small"), encoders("new", "train")
    flat = encoders("flat", "train", "tfidf")

    with pytest.raises(UsageError, match=r"bct trains NEW anew .* tfidf takes none"):
        made("bct", old, flat, tmp_path)
    with pytest.raises(UsageError, match="start=old begins from the weights of a"):
        made("bct:start=old", flat, new, tmp_path)


def test_an_old_without_vectors_is_told(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    flat, new = encoders("flat-old", "train-small", "tfidf"), encoders("new", "train")

    with pytest.raises(Exception, match="needs the capability Embeds"):
        made("bct", flat, new, tmp_path)


def test_a_forward_transformation_brings_old_s_index_to_new(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old = encoders("old", "train-small")
    new = encoders("far", "train", n_buckets=150, projection=9)

    index = made("fct:epochs=30,hidden=32", old, new, tmp_path)

    assert vectors_of(str(index)).shape[1] == 9
    assert nearness(str(index), new) > 0.5
    source = open_source(str(index), ModelOptions())
    model: Any = source.load()
    spread = model.uncertainty(model.encode(["open the door", "close it"]))
    assert spread.shape == (2,)
    assert (spread > 0).all()


def test_side_information_stands_beside_old_s_vectors(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old, new = encoders("old", "train-small"), encoders("new", "train")
    side = encoders("bag", "train-small", "embedding-bag", width=5, n_buckets=50)

    index = made(f"fct:epochs=1,hidden=8,side={side}", old, new, tmp_path / "a")

    config = json.loads((index / "config.json").read_text("utf-8"))
    assert config["sizes"] == {"width": 6, "side": 5, "to": 6, "hidden": 8}
    assert len(config["members"]) == 2


def test_a_strict_map_leaves_new_s_own_rankings(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old = encoders("old", "train-small")
    new = encoders("other-seed", "train", n_buckets=150)

    turned = made("lambda-orthogonal:strict=true,epochs=9", old, new, tmp_path)

    def cosines(reference: str) -> np.ndarray[Any, Any]:
        rows = vectors_of(reference)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found: np.ndarray[Any, Any] = rows @ rows.T
        return found

    assert np.allclose(cosines(str(turned)), cosines(new), atol=1e-4)
    assert nearness(str(turned), old) > nearness(new, old)


def test_the_forward_map_is_kept_for_the_index(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old, new = encoders("old", "train-small"), encoders("new", "train")

    index = made("lambda-orthogonal:keep=forward,lam=1,epochs=2", old, new, tmp_path)

    config = json.loads((index / "config.json").read_text("utf-8"))
    assert config["map"] == "affine"


def test_a_map_whose_model_changed_is_refused(
    encoders: Callable[..., str], tmp_path: Path
) -> None:
    old, new = encoders("old", "train-small"), encoders("new", "train")
    turned = made("lambda-orthogonal:lam=1,epochs=1", old, new, tmp_path)
    members = turned / "members.json"
    members.write_text(json.dumps([old]), "utf-8")

    with pytest.raises(ModelError, match="is not the one that it was trained on"):
        open_source(str(turned), ModelOptions())


@pytest.mark.parametrize(
    "member",
    ["python:kept_code:make", "vectors:a.npy#model=m,check=%2570ython:kept_code:make"],
)
def test_code_that_a_map_names_is_not_run_without_leave(
    member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "kept_code.py").write_text("raise SystemExit('run')\n", "utf-8")
    (tmp_path / "members.json").write_text(json.dumps([member]), "utf-8")
    config = {"compat_eval": {"kind": "mapped", "schema_version": 1}, "members": [""]}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")

    with pytest.raises(ModelError, match="--trust-remote-code"):
        open_source(str(tmp_path), ModelOptions())


def test_a_map_below_itself_is_told(tmp_path: Path) -> None:
    place = f"compat:{tmp_path}"
    (tmp_path / "members.json").write_text(json.dumps([place]), "utf-8")
    config = {"compat_eval": {"kind": "mapped", "schema_version": 1}, "members": [""]}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")

    with pytest.raises(ModelError, match="is made of itself"):
        open_source(str(tmp_path), ModelOptions())
