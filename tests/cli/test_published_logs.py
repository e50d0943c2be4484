"""Pairs of published outputs: what `compare` counts, and what a few lines count."""

import csv
import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from compat_eval.cli import main
from tests.fakes import judged

DATA = Path(os.environ.get("COMPAT_EVAL_DATA", "missing"))
BUNDLES = DATA.parent / "cases" / "nel"
GPT_4 = ("openaichat/gpt-4-0314", "openaichat/gpt-4-0613")
GPT_3 = ("openaichat/gpt-3.5-turbo-0301", "openaichat/gpt-3.5-turbo-0613")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="COMPAT_EVAL_DATA is not set"),
]
Right = Mapping[str, bool]


def compared(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    """Return the levels that a comparison counted."""
    run = tmp_path / "run"
    with pytest.raises(SystemExit) as end:
        main(["compare", *map(str, arguments), "--out", str(run)])
    assert end.value.code == 0
    levels: dict[str, Any] = judged(json.loads((run / "comparison.json").read_bytes()))
    return dict(levels["levels"])


def cells(counts: Mapping[str, int]) -> list[int]:
    return [counts[name] for name in ("kept", "broken", "fixed", "missed")]


def counted(old: Right, new: Right) -> list[int]:
    assert old.keys() == new.keys()
    found = Counter((old[key], new[key]) for key in old)
    return [found[o, n] for o in (True, False) for n in (True, False)]


def mmlu_pro(path: Path) -> Right:
    with zipfile.ZipFile(path) as archive:
        rows = json.loads(archive.read(archive.namelist()[0]))
    return {str(row["question_id"]): row["pred"] == row["answer"] for row in rows}


@pytest.mark.slow
def test_mmlu_pro(tmp_path: Path) -> None:
    folder = DATA / "mmlu_pro_preds"
    old, new = (
        folder / f"model_outputs_Meta-Llama-{one}-8B_5shots.zip" for one in ("3", "3_1")
    )

    (level,) = compared(tmp_path, old, new, "--on-mismatch", "own").values()

    assert cells(level["counts"]) == counted(mmlu_pro(old), mmlu_pro(new))
    assert cells(level["counts"])[1:3] == [1022, 1301]


def spider(path: Path) -> Right:
    def plain(query: str) -> str:
        return re.sub(r"\s", "", query.lower()).rstrip(";").replace('"', "'")

    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        row["NLQ"]: plain(row["PREDICTED SQL"]) == plain(row["GOLD SQL"])
        for row in rows
    }


def test_spider(tmp_path: Path) -> None:
    folder = DATA / "spider_nl2sql_preds" / "CodeX"
    old, new = folder / "CodeX_few-shot.csv", folder / "DIN-SQL.csv"

    (level,) = compared(tmp_path, old, new, "--task", "generation:match=sql").values()

    assert cells(level["counts"]) == counted(spider(old), spider(new))
    assert cells(level["counts"])[1:3] == [84, 116]


def drift(path: Path, model: str, column: str) -> Right:
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == model]
    if column:
        return {row["id"]: row[column] == "1" for row in rows}
    found = {}
    for row in rows:
        text = row["answer"].lower()
        said = re.findall(r"\[(yes|no)\]", text) or re.findall(r"\b(yes|no)\b", text)
        found[row["id"]] = said[-1:] == [row["ref_answer"].lower()]
    return found


@pytest.mark.parametrize("models", [GPT_4, GPT_3])
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("PRIME_FULL_EVAL.csv", ""),
        ("SENSITIVEQ_EVAL.csv", "Response Rate"),
        ("LEETCODE_EASY_EVAL.csv", "Directly Usable"),
    ],
)
def test_llm_drift(
    tmp_path: Path, name: str, column: str, models: tuple[str, str]
) -> None:
    path = DATA / "llmdrift" / name
    keep = [
        f"--{side}-keep=model={m}"
        for side, m in zip(("old", "new"), models, strict=True)
    ]

    (level,) = compared(tmp_path, path, path, *keep).values()

    wanted = counted(*(drift(path, model, column) for model in models))
    assert cells(level["counts"]) == wanted


def test_the_first_error_of_llm_drift_says_all_that_it_takes(
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = str(DATA / "llmdrift" / "PRIME_FULL_EVAL.csv")

    with pytest.raises(SystemExit):
        main(["compare", path, path])

    told = " ".join(capfd.readouterr().err.split())
    assert f"--old-keep model={GPT_3[0]} --new-keep model={GPT_3[1]}" in told


def bundle(side: str, name: str) -> Right:
    lines = (BUNDLES / side / name / "results.jsonl").read_text("utf-8").splitlines()
    rows = map(json.loads, lines)
    return {f"{r['problem_idx']} {r['repeat']}": r["reward"] == 1 for r in rows}


@pytest.mark.skipif(not BUNDLES.is_dir(), reason="there are no bundles beside the data")
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sums", [230, 9, 5, 56]),
        ("proofs", [242, 20, 17, 201]),
        ("trivia", [42, 0, 0, 18]),
    ],
)
def test_bundles_of_nemo_evaluator(tmp_path: Path, name: str, found: list[int]) -> None:
    sides = [BUNDLES / side / name for side in ("baseline", "candidate")]

    level = compared(tmp_path, *sides)["sample"]

    assert cells(level["counts"]) == found
    assert counted(*(bundle(side, name) for side in ("baseline", "candidate"))) == found
