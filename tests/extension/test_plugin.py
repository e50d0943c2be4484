"""A package from elsewhere adds schemes, readers, formats, tasks and trainers."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

import compat_eval
from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.recorded import Recorded, Request
from compat_eval.core.registry import Registry
from compat_eval.core.verdict import Verdict
from compat_eval.models import OBJECTIVES
from compat_eval.readers import READERS
from compat_eval.suite.data.formats import FORMATS
from compat_eval.tasks import TASKS
from compat_eval.tasks import task as task_of
from compat_eval.testing import (
    check_model,
    check_predictions,
    check_refuses,
    check_source,
    check_task,
)
from compat_eval.workflows.sides import resolve
from tests.fakes import judged

ADDED = [
    (ADAPTERS, "rules"),
    (READERS, "pairs"),
    (FORMATS, "notes"),
    (TASKS, "caseless"),
    (OBJECTIVES, "focal-distillation"),
]


@pytest.mark.parametrize(("registry", "name"), ADDED, ids=[n for _, n in ADDED])
@pytest.mark.usefixtures("package")
def test_an_installed_package_adds_a_name(registry: Registry, name: str) -> None:
    assert name in registry.names()
    assert registry.load(name).__module__.startswith("house_rules")


@pytest.mark.parametrize(("registry", "name"), ADDED, ids=[n for _, n in ADDED])
def test_without_the_package_the_name_is_unknown(registry: Registry, name: str) -> None:
    with pytest.raises(UsageError, match=f"unknown {registry.noun} '{name}'; known:"):
        registry.load(name)


@pytest.mark.usefixtures("package")
def test_a_new_scheme_is_a_reference() -> None:
    found = resolve("rules:some/file.rules")

    assert (found.scheme, found.location) == ("rules", "some/file.rules")
    assert not found.recorded
    assert resolve("pairs:answers.txt").recorded


def test_a_new_scheme_is_not_guessed_from_a_path(package: Path) -> None:
    with pytest.raises(ModelError, match="fits no kind of model"):
        resolve(str(package / "old.rules"))


def test_a_model_of_the_package_passes_the_kit(package: Path) -> None:
    opener = ADAPTERS.load("rules")
    source = opener(str(package / "new.rules"), ModelOptions())

    check_source(source)
    check_model(source.load(), ["i was charged twice", "where is it"])
    check_refuses(lambda: opener("absent.rules", ModelOptions()), naming="absent.rules")


@pytest.mark.usefixtures("package")
def test_a_task_of_the_package_passes_the_kit() -> None:
    from compat_eval.core.predictions import Predictions

    examples = Examples(pa.table({"id": ["a", "b", "c"], "gold": ["x", "y", "z"]}))
    answers = pa.table({"id": ["a", "b", "c"], "prediction": ["X", "x", None]})

    check_task(task_of("caseless"), examples, Predictions(answers))


def test_a_reader_of_the_package_passes_the_kit(package: Path) -> None:
    path = package / "answers.txt"
    path.write_text("a\tdelivery\nb\t\n", encoding="utf-8")

    found = READERS.load("pairs")(str(path), Request(name="pairs:answers.txt"))

    assert isinstance(found, Recorded)
    check_predictions(found.predictions)
    assert found.predictions.column("prediction").to_pylist() == ["delivery", None]


def test_scheme_format_and_task_work_together(
    package: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(package)

    found = compat_eval.compare(
        "rules:old.rules", "rules:new.rules", suite="suite.yaml", out=tmp_path / "run"
    )

    # old answers Delivery to all three; new knows that "charged" is an Invoice.
    level = found.judged.levels["example"]
    assert dict(level.counts) == {"kept": 2, "broken": 0, "fixed": 1, "missed": 0}
    assert found.tasks[0].kind == "caseless"
    answered = found.judged.statistics["answered"].new
    assert answered is not None
    assert answered.value == 1.0
    written = json.loads((tmp_path / "run/comparison.json").read_text("utf-8"))
    assert judged(written)["levels"]["example"]["counts"]["fixed"] == 1


def test_a_reader_compares_with_a_model(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(package)
    Path("gold.csv").write_text(
        "id,input,gold\na,i was charged,invoice\nb,where is it,delivery\n", "utf-8"
    )
    Path("answers.txt").write_text("b\tdelivery\na\tinvoice\n", "utf-8")
    Path("gates.yaml").write_text("gates:\n- {quantity: nfr, at_most: 0.9}\n", "utf-8")

    found = compat_eval.compare(
        "pairs:answers.txt",
        "rules:old.rules",
        task="caseless",
        gold="gold.csv",
        gates="gates.yaml",
    )

    # The file has both right, the old rules only the second.
    counts = found.judged.levels["example"].counts
    assert dict(counts) == {"kept": 1, "broken": 1, "fixed": 0, "missed": 0}
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.torch
@pytest.mark.usefixtures("package")
def test_a_trained_model_of_the_package_is_read_again(tmp_path: Path) -> None:
    from compat_eval.cli.progress import progress_bar
    from compat_eval.models.training.train import train_model

    examples = Examples(
        pa.table(
            {
                "id": ["a", "b", "c"],
                "input": ["one", "two", "three"],
                "gold": ["x", "y", "y"],
            }
        )
    )
    out = tmp_path / "model"
    train_model(
        "majority",
        examples,
        None,
        seed=0,
        out=out,
        config={},
        progress=progress_bar(quiet=True),
    )

    source = ADAPTERS.load("compat")(str(out), ModelOptions())
    check_source(source)
    model = source.load()
    check_model(model, ["one", "four"])
    assert model.predict(["anything"])["prediction"].to_pylist() == ["y"]
