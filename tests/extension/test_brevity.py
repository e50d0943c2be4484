"""A statistic, of another package."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.statistics import STATISTICS
from compat_eval.testing import check_statistic
from tests.extension.conftest import Call, Install


@pytest.fixture
def sides(tmp_path: Path) -> None:
    for side, answer in (("old", "aa"), ("new", "aaaa")):
        rows = [
            {"id": f"e{i}", "gold": "aa", "prediction": answer if i % 2 else "aa"}
            for i in range(60)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{side}.jsonl").write_text(lines, encoding="utf-8")


def test_it_keeps_the_contract_of_statistics(install: Install) -> None:
    install("brevity")
    examples = Examples(pa.table({"id": ["a", "b", "c"]}))
    answers = pa.table({"id": ["a", "b", "c"], "prediction": ["x", "yyy", None]})

    check_statistic(STATISTICS.load("brevity"), examples, Predictions(answers))


@pytest.mark.usefixtures("sides")
def test_it_is_counted_with_an_interval_and_on_the_page(
    install: Install, call: Call
) -> None:
    install("brevity")

    code, said = call("compare", "old.jsonl", "new.jsonl", "--out", "run", "-q")

    # OLD's answers have 2 characters; NEW's have 4 in every second one.
    assert code == 0, said
    text = Path("run/comparison.json").read_text("utf-8")
    assert '"brevity"' in text
    assert "how many characters an answer" in Path("run/report.html").read_text("utf-8")
    assert call("verify", "run")[0] == 0


@pytest.mark.usefixtures("sides")
@pytest.mark.parametrize(("most", "wanted"), [(0.5, 1), (1.9, 0)])
def test_a_gate_limits_its_change(
    most: float, wanted: int, install: Install, call: Call
) -> None:
    install("brevity")
    Path("gates.yaml").write_text(
        f"gates:\n- {{loss: {{of: brevity, at_most: {most}}}, semantics: certify}}\n",
        encoding="utf-8",
    )

    code, said = call(
        *("compare", "old.jsonl", "new.jsonl", "--gates", "gates.yaml"),
        *("--out", "run", "-q"),
    )

    assert code == wanted, said
