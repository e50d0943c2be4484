"""Published parser outputs: our counts must give the scores published with them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError
from compat_eval.tasks.dependency.conllu import read_conllu
from compat_eval.tasks.dependency.read import read_predictions
from compat_eval.tasks.dependency.task import Dependency
from compat_eval.tasks.dependency.trees import examples_of, official_counts_in

DATA = Path(os.environ.get("COMPAT_EVAL_DATA", "missing"))
FOLDERS = {
    "conll2017_runs_en": "gold.en-ud-test.r2.0-test.conllu",
    "conll2018_outputs_en_ewt": "gold.en_ewt.conllu",
    "conll2018_outputs_af_afribooms": "gold.af_afribooms.conllu",
}

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="COMPAT_EVAL_DATA is not set"),
]


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_every_published_score_is_reproduced(folder: str) -> None:
    here = DATA / folder
    published = json.loads((here / "reference_scores.json").read_text())
    examples = examples_of(read_conllu(here / FOLDERS[folder]))
    malformed, no_trees = [], []
    for file, reference in published.items():
        if "multiple roots" in reference["udeval"].get("error", ""):
            found = read_predictions(here / file, examples)
            assert any(found.column("no_tree").to_pylist())
            no_trees.append(file)
            continue
        if "error" in reference["udeval"]:
            with pytest.raises(DataError):
                read_predictions(here / file, examples)
            malformed.append(file)
            continue
        found = read_predictions(here / file, examples)
        for score, expected in reference["udeval"].items():
            column = found.column("official")
            correct, system, gold, _ = official_counts_in(column, score.lower()).sum(0)
            assert _percent(correct, system) == pytest.approx(expected["p"], abs=0.0051)
            assert _percent(correct, gold) == pytest.approx(expected["r"], abs=0.0051)
            f1 = _percent(2 * correct, system + gold)
            assert f1 == pytest.approx(expected["f1"], abs=0.0051)

    expected = 1 if folder == "conll2017_runs_en" else 0
    assert len(malformed) == len(no_trees) == expected


def test_the_official_test_case_is_reproduced() -> None:
    here = DATA / "ud_eval_reference"
    examples = examples_of(read_conllu(here / "cs_pud-gold.conllu"))
    found = read_predictions(
        here / "cs_pud-udpipe-pdtc-ud-2.17-251125.conllu", examples
    )
    checked = 0
    for line in (here / "eval.txt").read_text().splitlines():
        name, *numbers = (cell.strip() for cell in line.split("|"))
        if name.lower() not in found.column("official").type.names:
            continue
        correct, system, gold, aligned = official_counts_in(
            found.column("official"), name.lower()
        ).sum(0)
        wholes = [system, gold, (system + gold) / 2, aligned]
        for whole, number in zip(wholes, numbers, strict=True):
            if number:
                assert f"{_percent(correct, whole):.2f}" == number, (name, number)
                checked += 1

    assert checked == 13 * 3 + 10


def test_units_are_the_scored_words_of_the_paper() -> None:
    gold = examples_of(
        read_conllu(DATA / "ud_english_ewt/gold-history/en_ewt-ud-test.r2.2.conllu")
    )
    same = read_predictions(
        DATA / "ud_english_ewt/gold-history/en_ewt-ud-test.r2.2.conllu", gold
    )
    paper = Dependency(punctuation_tags=("PUNCT", "SYM"), tree_punctuation="include")

    words = paper.grade(gold, same)["las"]

    assert (len(gold), words.n_units) == (2077, 21898)
    assert words.right.all()
    assert paper.grade(gold, same)["lcm"].right.all()


def _percent(part: Any, whole: Any) -> float:
    return float(100 * part / whole)
