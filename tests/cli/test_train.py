import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compat_eval.cli.train import app
from compat_eval.core.errors import CompatEvalError, UsageError

pytestmark = pytest.mark.torch

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _packages() -> None:
    pytest.importorskip("skops.io")


def train(*arguments: str) -> str:
    result = RUN.invoke(app, ["library-desk", "--quiet", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_model_is_trained_and_named(tmp_path: Path) -> None:
    out = tmp_path / "model"

    said = train("--model", "tfidf", "--split", "train-small", "--out", str(out))

    record = json.loads((out / "training.json").read_text())
    assert f"compat:{out}" in said.splitlines()
    assert "dev accuracy" in said
    assert record["data"]["name"] == "library-desk 1 train-small, dev held out"
    assert record["data"]["n_dev"] > 0


def test_dev_may_be_refused_or_named(tmp_path: Path) -> None:
    without, named = tmp_path / "a", tmp_path / "b"

    train("--model", "tfidf", "--out", str(without), "--dev", "none")
    train("--model", "tfidf", "--out", str(named), "--dev", "train-small")

    records = [json.loads((d / "training.json").read_text()) for d in (without, named)]
    assert [record["data"]["n_dev"] > 0 for record in records] == [False, True]


def test_settings_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(
        "strengths: [1.0, 5.0]\nlongest_phrase: 1\n"
    )
    out = tmp_path / "model"

    train(
        *("--model", "tfidf", "--out", str(out)),
        *("--config", str(tmp_path / "settings.yaml")),
    )

    record = json.loads((out / "training.json").read_text())
    assert [done["strength"] for done in record["history"]] == [1.0, 5.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [("- a", "it is a list"), ("", "it is empty"), ("a: [", "no YAML")],
)
def test_a_settings_file_of_another_form_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)

    with pytest.raises(UsageError, match=message):
        train("--model", "tfidf", "--out", str(tmp_path / "m"), "--config", str(path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "tfidf", "--seed", "-1"], "--seed must be a whole number from 0"),
        (["--model", "gpt"], "known: .*embedding-bag"),
        (["--model", "tfidf", "--split", "spring"], "no split 'spring'"),
        (["--model", "tfidf", "--dev", "spring"], "library-desk has test"),
        (["--model", "tfidf", "--dev", "train"], "is what is trained on"),
        (["--model", "tfidf", "--config", "nothing.yaml"], "cannot be read"),
        (["--model", "tfidf", "--encoder", "somewhere"], "encoder: Extra inputs"),
        (["--model", "encoder"], "encoder: Field required"),
    ],
)
def test_mistakes_are_explained(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(CompatEvalError, match=message):
        train(*arguments, "--out", str(tmp_path / "model"))
    assert not (tmp_path / "model" / "config.json").exists()


@pytest.mark.parametrize("below", [(), ("models", "new")])
def test_a_file_is_no_place_for_a_model(tmp_path: Path, below: tuple[str, ...]) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text("epochs: 1\n")

    with pytest.raises(UsageError) as told:
        train("--model", "tfidf", "--out", str(path.joinpath(*below)))

    assert str(told.value) == f"{path} is a file; give --out a directory"
    assert path.read_text() == "epochs: 1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_an_encoder_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"encoder": "a"}')

    with pytest.raises(UsageError, match="give one"):
        train(
            *("--model", "encoder", "--out", str(tmp_path / "m"), "--encoder", "b"),
            *("--config", str(path)),
        )


def test_help_shows_models_and_examples() -> None:
    said = RUN.invoke(app, ["--help"]).output

    assert "embedding-bag" in said
    assert "compat-eval train library-desk" in said


def test_one_model_learns_several_suites(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text("{steps: 2, n_buckets: 64, width: 4}\n")
    out = tmp_path / "model"

    said = train(
        *("--model", "multitask", "--out", str(out), "--split", "train-small"),
        *("--config", str(tmp_path / "tiny.yaml")),
    )

    record = json.loads((out / "training.json").read_text())
    assert f"compat:{out}#library-desk" in said.splitlines()
    assert record["data"]["name"] == "library-desk 1 train-small, dev held out"


def test_other_models_learn_one_suite(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--model multitask learns several"):
        train("library-desk", "--model", "tfidf", "--out", str(tmp_path / "model"))
