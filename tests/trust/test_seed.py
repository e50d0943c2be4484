"""`--seed` decides everything random: the same seed the same bytes, another others."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.trust.conftest import Command

MODELS = """
import numpy as np, pyarrow as pa

class Model:
    def predict(self, items):
        return pa.table({"prediction": pa.array(["a"] * len(items), pa.string())})

    def propose(self, items, *, k, rng):
        return [[str(one) for one in rng.choice(list("abcdef"), k)] for _ in items]

    def log_probability(self, items, answers):
        return [np.array([-float(ord(a)) for a in of_one]) for of_one in answers]

def make(): return Model()
"""


@pytest.fixture(autouse=True)
def asked(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", [str(here), *sys.path])
    Path("seeded_models.py").write_text(MODELS)
    rows = [f"e{at},t {at},{'ab'[at % 2]}" for at in range(60)]
    Path("gold.csv").write_text("\n".join(["id,input,gold", *rows]))
    yield
    sys.modules.pop("seeded_models", None)


def test_the_seed_of_a_run_reaches_its_mitigations(compare: Command) -> None:
    def run(seed: int, mitigation: str = "bcr:k=2") -> tuple[bytes, list[str]]:
        further = ("--mitigate", mitigation, "--seed", str(seed), "--no-cache")
        asked = ("--gold", "gold.csv", "--task", "classification", *further)
        compare("python:seeded_models:make", "python:seeded_models:make", *asked)
        (table,) = set(Path("r/predictions").glob("*bcr*.parquet"))
        answers = pq.read_table(table)["prediction"].to_pylist()
        return Path("r/comparison.json").read_bytes(), answers

    once, again, other = run(1), run(1), run(2)

    assert once == again
    assert once[1] != other[1]
    assert run(2, "bcr:k=2,seed=1")[1] == once[1]
