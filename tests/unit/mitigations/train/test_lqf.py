"""Linear-quadratic fine-tuning in NEW's place."""

import json
from pathlib import Path

import pyarrow.compute as pc
import pytest

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import UsageError
from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model
from compat_eval.runner.ask import ask
from compat_eval.runner.questions import Predict
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options
from tests.small_encoder import write_small_encoder

pytestmark = pytest.mark.torch
OPTIONS = Options(suite="library-desk", cache=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random encoder, and two heads on it: `old` of a part, `new` of all."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    where = tmp_path_factory.mktemp("lqf")
    suite = load_suite("library-desk")
    texts = load_examples(suite, "train").column("input").to_pylist()
    write_small_encoder(where / "encoder", texts)
    for name, split in (("old", "train-small"), ("new", "train")):
        train_model(
            "head",
            load_examples(suite, split).with_gold(),
            None,
            seed=1,
            out=where / name,
            config={"encoder": str(where / "encoder"), "epochs": 2},
            progress=Silence(),
            data=f"library-desk 1 {split}, dev none",
        )
    return where


def run(text: str, folder: Path, name: str, *, old: str = "old") -> Path:
    out = folder / name
    before, new = f"compat:{folder / old}", f"compat:{folder / 'new'}"
    assert mitigate(text, before, new, OPTIONS, out=out).reference == f"compat:{out}"
    return out


def test_another_seed_breaks_nothing(folder: Path) -> None:
    one = run("lqf:hidden=8,ridge=1,train_seed=1", folder, "one")
    two = run("lqf:hidden=8,ridge=1,train_seed=2", folder, "two")

    weights = "model.safetensors"
    assert (one / weights).read_bytes() == (two / weights).read_bytes()


def test_what_old_gets_right_in_training_stays_right(folder: Path) -> None:
    out = run("lqf:hidden=8,ridge=1e4,protect=train", folder, "kept")
    train = load_examples(load_suite("library-desk"), "train").with_gold()
    told = json.loads((out / "training.json").read_text())["history"][-1]

    def right(name: str) -> set[str]:
        source = open_source(str(folder / name), ModelOptions())
        said = ask(source, train, Predict()).column("prediction")
        return set(train.ids.filter(pc.equal(said, train.column("gold"))).to_pylist())

    assert told["protected"] == len(right("old"))
    assert told["broken_without"] > 0
    assert right("old") - right("kept") == set(told["given_up"])


def test_a_strong_ridge_at_old_is_old(folder: Path) -> None:
    run("lqf:hidden=8,ridge=1,split=train-small", folder, "old-lqf")
    out = run("lqf:hidden=8,ridge=1e9,centre=old", folder, "near", old="old-lqf")

    test = load_examples(load_suite("library-desk"), "test")
    said = [
        ask(open_source(str(one), ModelOptions()), test, Predict())
        .column("prediction")
        .to_pylist()
        for one in (folder / "old-lqf", out)
    ]
    assert said[0] == said[1]


def test_only_an_lqf_model_can_be_pulled_to(folder: Path) -> None:
    with pytest.raises(UsageError, match="pulls to the weights of an lqf model"):
        run("lqf:centre=old", folder, "wrong")


def test_an_encoder_is_needed(folder: Path) -> None:
    train_model(
        "embedding-bag",
        load_examples(load_suite("library-desk"), "train").with_gold(),
        None,
        seed=1,
        out=folder / "bag",
        config={"n_buckets": 50, "width": 4, "epochs": 1},
        progress=Silence(),
        data="library-desk 1 train, dev none",
    )
    bag = f"compat:{folder / 'bag'}"

    with pytest.raises(UsageError, match=r"name its directory with encoder=DIR"):
        mitigate("lqf", bag, bag, OPTIONS, out=folder / "none")
