"""A task kind without gold answers, graded on a scale, of another package."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks import task
from compat_eval.testing import check_task
from tests.extension.conftest import Call, Install

COMPARE = ("compare", "old.jsonl", "new.jsonl", "--task", "nats", "--out", "run")


@pytest.fixture
def sides(tmp_path: Path) -> None:
    """Write documents of 10 tokens: 12 of 60 get worse by 0.5 a token, 45 better."""
    for side in ("old", "new"):
        rows = []
        for at in range(60):
            moved = 5 if at % 5 == 0 else 0 if at % 20 == 1 else -2
            nll = 30.0 + (moved if side == "new" else 0)
            text = f"document {at}"
            rows.append({"id": f"d{at}", "input": text, "nll": nll, "n_tokens": 10})
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{side}.jsonl").write_text(lines, encoding="utf-8")


def test_it_keeps_the_contract_of_tasks(install: Install) -> None:
    install("nats")
    examples = Examples(pa.table({"id": ["a", "b"], "input": ["x", "y"]}))
    answers = pa.table({"id": ["a", "b"], "nll": [3.0, 4.0], "n_tokens": [2, 2]})

    check_task(task("nats"), examples, Predictions(answers))


@pytest.mark.usefixtures("sides")
def test_documents_get_worse_and_better(install: Install, call: Call) -> None:
    install("nats")

    code, said = call(*COMPARE)

    assert code == 0, said
    said = " ".join(said.split())
    assert "12 of 60 documents got worse, 45 got better" in said
    # 12 × 0.5 − 45 × 0.2 nats over 60 documents: −0.05.
    assert "−0.050" in said
    assert call("verify", "run")[0] == 0
    assert call("report", "run")[0] == 0
    assert call("diff", "run", "--show", "broken")[0] == 0


@pytest.mark.usefixtures("sides")
@pytest.mark.parametrize(("most", "wanted"), [(0.05, 1), (0.5, 0), (0.25, 3)])
def test_gates_limit_what_gets_worse(
    most: float, wanted: int, install: Install, call: Call
) -> None:
    install("nats")
    Path("gates.yaml").write_text(
        f"gates:\n- {{quantity: worse_rate, at_most: {most}, semantics: certify}}\n",
        encoding="utf-8",
    )

    code, said = call(*COMPARE, "--gates", "gates.yaml", "-q")

    assert code == wanted, said
