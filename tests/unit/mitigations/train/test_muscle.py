"""MUSCLE and focal distillation of language models, through `mitigate`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import compat_eval
from compat_eval.core.errors import UsageError
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options
from tests.unit.models.causal_toys import save_causal

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

SUITE = """\
name: words
version: "1"
task: {kind: language_modeling, options: {per: token, epsilon: 0.01}}
data: {test: {file: test.jsonl}, train: {file: train.jsonl}}
fields: {id: id, input: input}
"""
TEXTS = ["a b c", "b c d e", "a a", "e d c b a b c d e"]


@pytest.fixture(scope="session")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    pytest.importorskip("transformers")

    def make(seed: int = 0, **options: Any) -> Path:
        return save_causal(tmp_path_factory.mktemp("causal"), seed, **options)

    return make


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for split, more in (("test", ""), ("train", " a")):
        rows = [
            json.dumps({"id": f"{split}{at}", "input": text + more})
            for at, text in enumerate(TEXTS)
        ]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(rows))
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path / "suite.yaml"


@pytest.mark.parametrize(
    ("method", "objective"),
    [
        ("muscle:learning_rate=0.01,mask=nowhere", "muscle"),
        ("token-focal:epochs=2,beta=1,top=4", "token-focal"),
    ],
)
def test_a_language_model_is_trained_on_towards_old(
    causal: Callable[..., Path],
    suite: Path,
    tmp_path: Path,
    method: str,
    objective: str,
) -> None:
    old, new = f"hf:{causal(1)}", f"hf:{causal(2)}"

    made = mitigate(method, old, new, Options(suite=str(suite)), out=tmp_path / "m")

    assert made.reference == f"compat:{tmp_path / 'm'}"
    record = json.loads((tmp_path / "m/training.json").read_text("utf-8"))
    assert record["config"]["objective"] == objective
    assert record["config"]["start"] == str(Path(new.removeprefix("hf:")).resolve())


def test_it_is_a_role_of_a_comparison(
    causal: Callable[..., Path], suite: Path, tmp_path: Path
) -> None:
    found = compat_eval.compare(
        f"hf:{causal(1)}",
        f"hf:{causal(2)}",
        suite=str(suite),
        mitigate=["muscle"],
        out=tmp_path / "run",
        cache=tmp_path / "cache",
    )

    written = json.loads((tmp_path / "run/comparison.json").read_text("utf-8"))
    roles = [update["new"] for update in written["tasks"][0]["updates"]]
    assert any(role.startswith("new+muscle") for role in roles)
    assert found.judged.levels["document"].counts["same"] is not None


def test_answers_to_questions_are_learned_and_compared(
    causal: Callable[..., Path], tmp_path: Path
) -> None:
    for split, times in (("test", 1), ("train", 9)):
        rows = [
            json.dumps({"id": f"{split}{at}", "q": f"{word} ?", "a": word})
            for at, word in enumerate("abc" * times)
        ]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(rows))
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        SUITE.replace(
            "{kind: language_modeling, options: {per: token, epsilon: 0.01}}",
            "generation",
        ).replace("input: input", "input: q, gold: a")
    )
    old, new = f"hf:{causal(1)}", f"hf:{causal(2)}"
    settings = "share=0,epochs=2,learning_rate=0.02,batch=3,overlap=allow"

    found = compat_eval.compare(
        old,
        new,
        suite=str(suite),
        mitigate=[f"token-focal:{settings}"],
        out=tmp_path / "run",
        cache=tmp_path / "cache",
    )

    written = json.loads((tmp_path / "run/comparison.json").read_text("utf-8"))
    assert {one["new"] for one in written["tasks"][0]["updates"]} > {"new"}
    assert found.judged.levels["sample"].statistics["accuracy_new"].n == 3
    record = json.loads(next((tmp_path / "cache").rglob("training.json")).read_text())
    first, last = record["history"]
    assert last["loss"] < first["loss"]


def test_what_is_no_language_model_is_refused(
    causal: Callable[..., Path],
    suite: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = causal(words=("[end]", "x", "y", "z", "d", "e", "?", "[unk]"))
    asked = Options(suite=str(suite))
    with pytest.raises(UsageError, match="another vocabulary"):
        mitigate("muscle", f"hf:{other}", f"hf:{causal(2)}", asked, out=tmp_path / "m")
    (tmp_path / "a_bot.py").write_text("def load():\n    return list\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="trains causal language models"):
        mitigate(
            "muscle", f"hf:{other}", "python:a_bot:load", asked, out=tmp_path / "n"
        )


def test_dev_none_stops_early_by_nothing(
    causal: Callable[..., Path], suite: Path, tmp_path: Path
) -> None:
    old, new = f"hf:{causal(1)}", f"hf:{causal(2)}"
    asked = Options(suite=str(suite))

    mitigate("muscle:dev=none", old, new, asked, out=tmp_path / "m")

    record = json.loads((tmp_path / "m/training.json").read_text("utf-8"))
    assert record["history"][0]["dev_accuracy"] is None
