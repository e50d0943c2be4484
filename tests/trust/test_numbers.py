"""Numbers that must not be surer than the data are, and are the same everywhere."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trust.conftest import Command

NFR = {"quantity": "nfr", "at_most": 0.02}
Cells = list[tuple[str, str, float]]


def write(cells: Cells, *, scored: bool = False) -> None:
    """Write old.csv and new.csv: cell, cluster and weight of each example."""
    sure = np.random.default_rng(0).uniform(0.55, 1, len(cells)).round(3)
    for name, right in (("old", "kb"), ("new", "kf")):
        with Path(f"{name}.csv").open("w") as file:
            rows = csv.writer(file)
            further = ["score"] if scored else []
            rows.writerow(["id", "gold", "prediction", "cluster", "weight", *further])
            for at, (cell, cluster, weight) in enumerate(cells):
                gold, other = "yn" if at % 2 else "ny"
                answer = gold if cell in right else other
                score = [sure[at - (name == "new")]] if scored else []
                rows.writerow([f"x{at}", gold, answer, cluster, weight, *score])


def gates(*asked: dict[str, Any]) -> str:
    Path("gates.yaml").write_text(json.dumps({"gates": list(asked)}))
    return "gates.yaml"


def clustered(sizes: list[int], broken: list[int]) -> Cells:
    return [
        ("b" if at < bad else "k", f"c{name}", 1.0)
        for name, (size, bad) in enumerate(zip(sizes, broken, strict=True))
        for at in range(size)
    ]


WHOLE = [("m", "c0", 1.0), ("f", "c1", 1.0)]
ATTACKS: dict[str, tuple[Cells, list[dict[str, Any]]]] = {
    "a thousand units in ten documents": (clustered([100] * 10, [0] * 10), [NFR]),
    "two single flips look independent": (
        clustered([10] * 100, [1, 1] + [0] * 98),
        [{**NFR, "at_most": 0.007}],
    ),
    "five documents, one flip": (clustered([200] * 5, [1, 0, 0, 0, 0]), [NFR]),
    "one document holds most units": (
        clustered([2000] + [5] * 40, [10] + [0] * 40),
        [NFR],
    ),
    "five documents that all keep, and gates on everything": (
        clustered([100] * 5, [0] * 5),
        [NFR, {"quantity": "churn", "at_most": 0.05}],
    ),
    "a broken example that weighs next to nothing": (
        [("k", f"c{at}", 1.0) for at in range(30)] + [("b", "z", 1e-9)],
        [NFR],
    ),
    "one example that weighs more than all others": (
        [("k", "z", 1e6), *(("k", f"c{at}", 1.0) for at in range(500))],
        [NFR],
    ),
    "no loss shown in eight documents": (
        clustered([50] * 8, [1, 1, 0, 0, 0, 0, 0, 0]),
        [{"loss": {"of": "accuracy", "at_most": 0.01}}],
    ),
    "calibration of sixty examples": (
        clustered([1] * 60, [1] * 6 + [0] * 54),
        [{"loss": {"of": "ece", "at_most": 0.03}}],
    ),
    "a change in calibration, of sixty examples": (
        clustered([1] * 60, [1] * 6 + [0] * 54),
        [{"quantity": "ece_change", "at_most": 0.03}],
    ),
    "a change in macro F1, where few break": (
        clustered([1] * 60, [1] * 6 + [0] * 54),
        [{"quantity": "macro_f1_change", "at_least": -0.01}],
    ),
    "macro F1 of new, in four documents": (
        clustered([50] * 4, [1, 1, 0, 0]),
        [{"quantity": "macro_f1_new", "at_least": 0.9}],
    ),
    "a relative loss of calibration": (
        clustered([1] * 60, [1] * 6 + [0] * 54),
        [{"loss": {"of": "ece", "at_most": 0.5}, "relative": True}],
    ),
}


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_no_limit_is_certified_that_the_data_do_not_prove(
    attack: str, compare: Command
) -> None:
    cells, asked = ATTACKS[attack]
    write([*cells, *WHOLE], scored="ece" in str(asked))

    ended = compare(
        "old.csv",
        "new.csv",
        "--gates",
        gates(*({**one, "semantics": "certify"} for one in asked)),
    )

    assert ended.code in (1, 2, 3), attack
    assert not ended.passed


def test_many_documents_with_few_flips_still_pass(compare: Command) -> None:
    write([*clustered([10] * 1500, [1] * 15 + [0] * 1485), *WHOLE])

    ended = compare("old.csv", "new.csv", "--gates", gates(NFR))

    assert ended.passed


@pytest.mark.slow
def test_comparison_json_is_the_same_under_other_threads_and_kernels(
    here: Path,
) -> None:
    rng = np.random.default_rng(1)
    cells = [
        (str(rng.choice(list("kkkkkbfm"))), f"c{rng.integers(60)}", 1 + at % 7 / 3)
        for at in range(2000)
    ]
    write(cells, scored=True)
    contents = set()
    for threads, kernel in (("1", ""), ("2", "Haswell"), ("2", "Nehalem")):
        setting = {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        if kernel:
            setting["OPENBLAS_CORETYPE"] = kernel
        name = f"r-{threads}-{kernel}"
        base = [sys.executable, "-m", "compat_eval", "compare", "old.csv", "new.csv"]
        subprocess.run(
            [*base, "--out", name],
            env={**os.environ, **setting},
            cwd=here,
            check=True,
            capture_output=True,
        )
        contents.add((here / name / "comparison.json").read_bytes())

    assert len(contents) == 1
