import csv
import os
from pathlib import Path

import pytest

from compat_eval.tasks.generation.sql import normalised_query, query_of

_MIRROR = os.environ.get("COMPAT_EVAL_DATA", "")


@pytest.mark.parametrize(
    "other",
    [
        "select name from t where a = 'x'",
        'SELECT Name\nFROM t -- all of them\nWHERE a="x" ;',
        "SELECT `name` FROM t WHERE a = 'X'".replace("`", ""),
        "```sql\nSELECT name FROM t WHERE a = 'x'\n```\nThis lists names.",
    ],
)
def test_spellings_of_one_query_are_the_same(other: str) -> None:
    assert normalised_query(other) == normalised_query("SELECT name FROM t WHERE a='x'")


@pytest.mark.parametrize(
    "other", ["SELECT name FROM t WHERE a = 'y'", "SELECT name FROM tt", "", " ; "]
)
def test_other_queries_are_not(other: str) -> None:
    assert normalised_query(other) != normalised_query("SELECT name FROM t WHERE a='x'")


def test_a_code_block_is_the_query() -> None:
    assert query_of("Sure:\n```sql\nSELECT 1\n```") == "SELECT 1\n"


@pytest.mark.skipif(
    not Path(_MIRROR, "spider_nl2sql_preds").is_dir(), reason="no mirror of Spider"
)
def test_published_predictions_have_their_published_counts() -> None:
    right = []
    for name in ("CodeX_few-shot", "DIN-SQL"):
        path = Path(_MIRROR, "spider_nl2sql_preds", "CodeX", f"{name}.csv")
        with path.open(encoding="utf-8") as file:
            right.append(
                [
                    normalised_query(row["PREDICTED SQL"])
                    == normalised_query(row["GOLD SQL"])
                    for row in csv.DictReader(file)
                ]
            )
    pairs = list(zip(*right, strict=True))
    assert [sum(one) for one in right] == [431, 463]
    assert (pairs.count((True, False)), pairs.count((False, True))) == (84, 116)
