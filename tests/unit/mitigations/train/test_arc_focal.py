"""Focal distillation of parsers, through `--mitigate`."""

import json
from pathlib import Path

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.compare import compare_sides
from compat_eval.workflows.options import Options
from tests.unit.models.parser_toys import TINY

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

SUITE = "library-desk-trees"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("parsers")
    suite = load_suite(SUITE)
    for name, split in (("old", "train-small"), ("new", "train")):
        train_model(
            "biaffine",
            load_examples(suite, split),
            None,
            seed=1,
            out=folder / name,
            config={**TINY, "epochs": 2},
            progress=Silence(),
            data=f"{suite.name} {suite.version} {split}, dev none",
        )
    return f"compat:{folder / 'old'}", f"compat:{folder / 'new'}"


def test_new_is_trained_towards_old_word_by_word(
    models: tuple[str, str], tmp_path: Path
) -> None:
    options = Options(
        suite=SUITE, mitigate=("arc-focal:beta=2,start=old",), cache=tmp_path
    )

    found = compare_sides(*models, options)

    assert [one.facts["name"] for one in found.answered.mitigated] == [
        "arc-focal:beta=2,start=old"
    ]
    [record] = tmp_path.glob("trained/*/*/training.json")
    config = json.loads(record.read_text())["config"]
    assert config["teacher"] == config["start"] == models[0].removeprefix("compat:")
    assert config["teacher_beta"] == 2
    assert config["epochs"] == 2


def test_what_is_no_biaffine_parser_is_refused(
    models: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "preds").mkdir()
    options = Options(suite=SUITE, mitigate=("arc-focal",), cache=tmp_path)
    other = tmp_path / "other"
    train_model(
        "stack-pointer",
        load_examples(load_suite(SUITE), "train-small"),
        None,
        seed=1,
        out=other,
        config={**TINY, "epochs": 1},
        progress=Silence(),
    )

    with pytest.raises(UsageError, match="needs OLD to be a biaffine parser"):
        compare_sides(f"compat:{other}", models[1], options)
