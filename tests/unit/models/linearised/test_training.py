from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import DataError, ModelError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.models.training.train import train_model

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

TEXTS = ["please play rock", "book a table", "play a song", "please book seats 3"]
VARIANTS: list[dict[str, Any]] = [
    {},
    {"hidden": 12, "train_hidden": True},
    {"layers": 1, "hidden": 12, "leaky": True, "steps": 5},
]
Made = Callable[..., dict[str, Any]]


@pytest.fixture
def made(examples: Examples, pretrained: Path, tmp_path: Path, progress: Any) -> Made:
    def make(
        name: str = "lqf",
        seed: int = 0,
        examples: Examples = examples,
        dev: Examples | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        return train_model(
            "lqf",
            examples,
            dev,
            seed=seed,
            out=tmp_path / name,
            config={
                "encoder": str(pretrained),
                "hidden": 0,
                "ridges": [1.0],
                **settings,
            },
            progress=progress,
        )

    return make


def opened(directory: Path) -> Any:
    return open_source(str(directory), ModelOptions()).load()


def weights(directory: Path) -> bytes:
    return (directory / "model.safetensors").read_bytes()


@pytest.mark.parametrize("settings", VARIANTS)
def test_another_seed_gives_the_same_bytes(
    made: Made, tmp_path: Path, settings: dict[str, Any]
) -> None:
    made("one", seed=1, **settings)
    made("two", seed=2, **settings)

    assert weights(tmp_path / "one") == weights(tmp_path / "two")


@pytest.mark.parametrize("settings", VARIANTS)
def test_it_learns_and_answers_alike_alone_and_in_company(
    made: Made, tmp_path: Path, examples: Examples, settings: dict[str, Any]
) -> None:
    record = made(**settings)
    model = opened(tmp_path / "lqf")
    items = model.encode(examples.column("input").to_pylist())

    together = model.logits(items)

    alone = [model.logits([item])[0] for item in items[:3]]
    assert together[:3] == pytest.approx(np.array(alone), abs=1e-3)
    answers = model.predict(items)["prediction"].to_pylist()
    right = np.mean(
        [
            a == b
            for a, b in zip(answers, examples.column("gold").to_pylist(), strict=True)
        ]
    )
    assert right == record["history"][0]["train_accuracy"] > 0.9


def test_order_of_examples_hardly_matters(
    made: Made, tmp_path: Path, examples: Examples
) -> None:
    made("one")
    made("two", examples=examples.take(np.arange(len(examples))[::-1]))
    one, two = opened(tmp_path / "one"), opened(tmp_path / "two")

    assert one.logits(one.encode(TEXTS)) == pytest.approx(
        two.logits(two.encode(TEXTS)), abs=1e-4
    )


def test_the_ridge_is_the_best_on_dev(
    made: Made, tmp_path: Path, dev: Examples
) -> None:
    record = made(dev=dev, ridges=[1.0, 1e9])

    accuracies = [one["dev_accuracy"] for one in record["history"]]
    assert accuracies[0] == max(accuracies)
    assert '"ridge": 1.0' in (tmp_path / "lqf" / "config.json").read_text()


def test_without_dev_the_ridge_is_chosen_by_leaving_one_out(made: Made) -> None:
    record = made(ridges=[1.0, 10.0])

    assert all("leave_one_out_accuracy" in one for one in record["history"])


def test_items_in_error_have_no_numbers(made: Made, tmp_path: Path) -> None:
    made(layers=1)
    model = opened(tmp_path / "lqf")

    logits = model.logits(model.encode(["play rock", 7]))

    assert np.isfinite(logits[0]).all()
    assert np.isnan(logits[1]).all()


def test_it_gives_the_features_that_its_head_reads(made: Made, tmp_path: Path) -> None:
    made()
    model = opened(tmp_path / "lqf")
    items = model.encode(TEXTS)
    head = model.top.head

    made_by_hand = model.embed(items) @ head.weight.detach().numpy().T

    assert model.logits(items) == pytest.approx(
        made_by_hand + head.bias.detach().numpy(), abs=1e-3
    )


def relabelled(examples: Examples, protected: Callable[[int], bool]) -> Examples:
    """Return examples whose first two contradict each other and gold."""
    gold = examples.column("gold").to_pylist()
    texts = examples.column("input").to_pylist()
    texts[1] = texts[0]
    marks = [float(protected(row)) for row in range(len(gold))]
    table = examples.with_column("input", pa.array(texts)).with_column(
        "gold", pa.array(gold)
    )
    return table.with_column("protected", pa.array(marks))


@pytest.mark.parametrize("settings", [{}, {"layers": 1}])
def test_protected_examples_stay_right(
    made: Made, tmp_path: Path, examples: Examples, settings: dict[str, Any]
) -> None:
    odd = relabelled(examples, lambda row: row in {1, 2, 3})
    made("free", examples=odd, **settings)
    free = opened(tmp_path / "free")
    text = odd.column("input")[1].as_py()
    assert free.predict(free.encode([text]))["prediction"].to_pylist() != ["book"]

    record = made(examples=odd, protect="train", **settings)

    kept = opened(tmp_path / "lqf")
    assert kept.predict(kept.encode([text]))["prediction"].to_pylist() == ["book"]
    told = record["history"][-1]
    assert told["protected"] == 3
    assert told["given_up"] == []


def test_protected_examples_that_contradict_each_other_are_named(
    made: Made, examples: Examples
) -> None:
    odd = relabelled(examples, lambda row: row in {0, 1, 2, 3})

    told = made(examples=odd, protect="train")["history"][-1]

    assert told["given_up"] in (["s0"], ["s1"])


def test_protecting_dev_needs_dev(made: Made, examples: Examples) -> None:
    odd = relabelled(examples, lambda row: row < 5)

    with pytest.raises(DataError, match="protect: dev needs examples of dev"):
        made(examples=odd, protect="dev")


def test_a_strong_ridge_stays_with_the_model_that_it_pulls_to(
    made: Made, tmp_path: Path, examples: Examples
) -> None:
    for settings in ({}, {"layers": 1}):
        name = str(len(settings))
        made(f"old{name}", examples=examples.take(np.arange(20)), **settings)
        start = str(tmp_path / f"old{name}")
        made(f"near{name}", start=start, **{**settings, "ridges": [1e9]})
        old, near = opened(tmp_path / f"old{name}"), opened(tmp_path / f"near{name}")

        assert near.logits(near.encode(TEXTS)) == pytest.approx(
            old.logits(old.encode(TEXTS)), abs=1e-2
        )


def test_a_start_of_other_sizes_is_refused(made: Made, tmp_path: Path) -> None:
    made("old")

    with pytest.raises(UsageError, match=r"start: .* has the sizes"):
        made(hidden=4, start=str(tmp_path / "old"))


@pytest.mark.parametrize("settings", [{}, {"layers": 1, "steps": 2}])
def test_a_start_whose_weights_are_damaged_is_told(
    made: Made, tmp_path: Path, settings: dict[str, Any]
) -> None:
    from safetensors.numpy import load_file, save_file

    made("old", **settings)
    path = tmp_path / "old" / "model.safetensors"
    saved = load_file(path)
    del saved["step.head.bias" if settings else "head.bias"]
    save_file(saved, path)

    with pytest.raises(ModelError, match=r"the weights lack head\.bias"):
        made(start=str(tmp_path / "old"), **settings)


def test_more_layers_than_there_are_is_told(made: Made) -> None:
    with pytest.raises(ModelError, match="has 2 layers; layers: 3 is too many"):
        made(layers=3)


def test_weights_that_do_not_fit_are_told(made: Made, tmp_path: Path) -> None:
    made()
    path = tmp_path / "lqf" / "config.json"
    path.write_text(path.read_text().replace('"hidden": 0', '"hidden": 3'))

    with pytest.raises(ModelError, match="do not fit"):
        opened(tmp_path / "lqf")


@pytest.mark.parametrize("settings", [{}, {"layers": 1, "steps": 2}])
def test_a_mean_of_weights_has_the_mean_of_the_outputs(
    made: Made, tmp_path: Path, settings: dict[str, Any]
) -> None:
    made("one", **settings)
    one = opened(tmp_path / "one")
    two = one.with_weights({k: -0.5 * v for k, v in one.weights.items()})
    items = one.encode(TEXTS)

    mean = one.with_weights({k: 0.25 * v for k, v in one.weights.items()})
    mean.save(tmp_path)

    apart = (one.logits(items) + two.logits(items)) / 2
    assert mean.logits(items) == pytest.approx(apart, abs=1e-4)
    assert opened(tmp_path).logits(items) == pytest.approx(apart, abs=1e-4)
    assert one.built_as == two.built_as
    assert set(one.label_axes) <= set(one.weights)
