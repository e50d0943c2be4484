"""Small encoders of queries whose sizes are searched for a large encoder's index."""

import json
from pathlib import Path

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options

pytestmark = pytest.mark.torch

SMALL = {
    "n_buckets": 200,
    "width": 16,
    "depth": 1,
    "heads": 1,
    "projection": 6,
    "epochs": 1,
    "batch_size": 40,
}
SEARCH = "cmp-nas:population=4,generations=2,n_dev=40"


def encoder(out: Path, *, kind: str = "text-transformer", **config: object) -> str:
    pytest.importorskip("torch")
    train_model(
        kind,
        load_examples(load_suite("library-desk"), "train-small").with_gold(),
        None,
        seed=1,
        out=out,
        config={**(SMALL if kind == "text-transformer" else {}), **config},
        progress=Silence(),
        data="library-desk 1 train-small, dev held out",
    )
    return f"compat:{out}"


def test_an_architecture_within_new_s_operations_is_found_and_trained(
    tmp_path: Path,
) -> None:
    large = encoder(tmp_path / "large", width=32, depth=2, projection=9)
    small = encoder(tmp_path / "small")
    options = Options(suite="library-desk", cache=tmp_path / "cache")

    mitigate(SEARCH, large, small, options, out=tmp_path / "found")

    told = json.loads((tmp_path / "found" / "search.json").read_text("utf-8"))
    record = json.loads((tmp_path / "found" / "training.json").read_text("utf-8"))
    best = told["tried"][0]
    assert record["config"].items() >= best["sizes"].items()
    assert record["config"]["projection"] == 9
    products = [one["homogeneous"] * one["heterogeneous"] for one in told["tried"]]
    assert products == sorted(products, reverse=True)
    uniform = max(one["flops"] for one in told["tried"])
    assert best["flops"] <= uniform


def test_rewards_share_one_super_network(tmp_path: Path) -> None:
    large = encoder(tmp_path / "large", width=32)
    small = encoder(tmp_path / "small")
    options = Options(suite="library-desk", cache=tmp_path / "cache")

    mitigate(SEARCH, large, small, options, out=tmp_path / "one")
    mitigate(
        f"{SEARCH},reward=homogeneous", large, small, options, out=tmp_path / "other"
    )

    aside = tmp_path / "cache" / "trained" / "aside"
    assert len([one for one in aside.iterdir() if one.name.startswith("cmp-nas")]) == 1


def test_a_kind_without_sizes_to_search_is_refused(tmp_path: Path) -> None:
    old = encoder(tmp_path / "old", kind="text-cnn", projection=6, epochs=1)
    options = Options(suite="library-desk", cache=tmp_path / "cache")

    with pytest.raises(UsageError, match="text-transformer or cnn"):
        mitigate(SEARCH, old, old, options, out=tmp_path / "found")
    small = encoder(tmp_path / "small")
    with pytest.raises(UsageError, match="leave start out"):
        mitigate(f"{SEARCH},start=new", old, small, options, out=tmp_path / "found")
