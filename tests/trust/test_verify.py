"""`verify`: no sound run is accused, and no change of a run goes unseen."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.core.errors import CompatEvalError
from compat_eval.core.fingerprint import digest
from compat_eval.report.render import possible
from compat_eval.runs.directory import read_run
from compat_eval.runs.encoding import json_bytes
from compat_eval.runs.seal import is_sealed
from compat_eval.workflows import verify as verifying
from tests.fakes import judged
from tests.trust.conftest import CASES, Command

ROOT = Path(__file__).parents[2]
N = 240

MODELS = """
import numpy as np, pyarrow as pa

class Model:
    labels = ("a", "b", "c")

    def __init__(self, seed, skill):
        self.seed, self.skill = seed, skill

    def logits(self, items):
        rows = []
        for text in items:
            rng = np.random.default_rng([self.seed, int(text)])
            row = rng.normal(size=3)
            row[int(text) % 3] += self.skill
            rows.append(row)
        return np.array(rows)

    def predict(self, items):
        logits = self.logits(items)
        exp = np.exp(logits)
        shares = exp / exp.sum(1, keepdims=True)
        top = np.sort(shares, axis=1)
        return pa.table({
            "prediction": [self.labels[i] for i in logits.argmax(1)],
            "score": shares.max(1),
            "margin": top[:, 2] - top[:, 1],
        })

def old(): return Model(1, 1.5)
def new(): return Model(2, 2.0)
"""
SUITE = """
name: s
version: "1"
task: classification
data: {test: {file: gold.csv}}
fields: {id: id, input: input, gold: gold, cluster: document, weight: weight}
slices: {half: half}
gates:
- {quantity: nfr, at_most: 0.02}
- {quantity: accuracy_change, at_least: -0.1, semantics: detect}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with clusters, weights, slices, metrics, gates and a mitigation."""
    folder = tmp_path_factory.mktemp("verify")
    rng = np.random.default_rng(0)
    rows = [
        f"e{at},{at},{'abc'[at % 3]},d{rng.integers(40)},{rng.uniform(0.5, 2):.3f},"
        f"{'xy'[at % 2]}"
        for at in range(N)
    ]
    head = "id,input,gold,document,weight,half"
    (folder / "gold.csv").write_text("\n".join([head, *rows]))
    (folder / "s.yaml").write_text(SUITE)
    (folder / "scored.py").write_text(MODELS)
    asked = "compare python:scored:old python:scored:new --suite s.yaml --no-cache"
    further = "--mitigate mix:weight=0.3 --out r"
    done = in_fresh_process([*asked.split(), *further.split()], folder)
    assert done.returncode == 1, done.stderr
    return folder / "r"


def in_fresh_process(
    arguments: list[str], folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "compat_eval", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def kernels() -> list[str]:
    """Return OpenBLAS's kernels that this processor can run."""
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return []
    needs = {"Nehalem": "sse4_2", "Haswell": "avx2", "SkylakeX": "avx512f"}
    return [kernel for kernel, flag in needs.items() if flag in flags]


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("kernel", ["", *kernels()])
def test_a_sound_run_is_never_accused(made: Path, kernel: str, threads: str) -> None:
    setting = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    if kernel:
        setting["OPENBLAS_CORETYPE"] = kernel

    done = in_fresh_process(["verify", str(made)], made.parent, **setting)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_no_run_that_the_cases_give_is_accused(command: Command) -> None:
    verified = 0
    for old in sorted(CASES.glob("*/**/*old*.*")):
        new = old.with_name(old.name.replace("old", "new"))
        if not new.is_file():
            continue
        command("compare", old, new, "--out", "r")
        if Path("r/manifest.json").is_file():
            assert command("verify", "r").code == 0, old
            verified += 1
            shutil.rmtree("r")

    assert verified >= 15


def test_reports_that_are_rendered_again_are_no_change(
    made: Path, here: Path, command: Command
) -> None:
    shutil.copytree(made, here / "r")

    for asked in ("warn", "pass", "fail"):
        command("report", "r", "--inconclusive", asked)
        assert command("verify", "r").code == 0


Leaf = tuple[str | int, ...]


def leaves(value: Any, path: Leaf = ()) -> Iterator[Leaf]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))
    else:
        yield path


def other(value: Any) -> Any:
    """Return another value of the same type, the least other for a number."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value * (1 + 1e-6) if value else 1e-6
    if isinstance(value, int):
        return value + 1
    return f"{value}x" if isinstance(value, str) else "x"


def edited(content: Any, path: Leaf, change: Callable[[Any, Any], None]) -> Any:
    copy = json.loads(json.dumps(content))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return copy


def mutate(inner: Any, key: Any) -> None:
    inner[key] = other(inner[key])


def delete(inner: Any, key: Any) -> None:
    del inner[key]


def add(inner: Any, key: Any) -> None:
    if isinstance(inner, dict):
        inner[f"{key}2"] = 1
    else:
        inner.append(1)


@pytest.mark.parametrize("change", [mutate, delete, add], ids=lambda one: one.__name__)
def test_every_changed_field_of_comparison_json_is_named(
    made: Path, change: Callable[[Any, Any], None]
) -> None:
    run = read_run(made)
    again = verifying.recomputed(run).to_dict()
    paths = list(leaves(run.comparison))
    assert len(paths) > 500
    assert not list(verifying.differences(run.comparison, again))

    missed = [
        path
        for path in paths
        if not list(verifying.differences(edited(run.comparison, path, change), again))
    ]

    assert missed == []


def test_every_changed_field_of_the_manifest_is_seen(made: Path) -> None:
    manifest = read_run(made).manifest
    paths = list(leaves(manifest))
    assert len(paths) > 50

    assert not [
        path
        for path in paths
        if is_sealed(edited(manifest, path, mutate))
        or is_sealed(edited(manifest, path, add))
    ]


FILES = [
    "comparison.json",
    "examples.parquet",
    "predictions/old.parquet",
    "predictions/new.parquet",
    "manifest.json",
    "report.html",
    "summary.md",
    "junit.xml",
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["edited", "cut", "gone", "grown"])
def test_every_changed_file_is_found(
    name: str, how: str, made: Path, here: Path, command: Command
) -> None:
    shutil.copytree(made, here / "r")
    path = here / "r" / name
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        middle = bytes([data[len(data) // 2] ^ 1])
        half = len(data) // 2
        changed = {
            "edited": data[:half] + middle + data[half + 1 :],
            "cut": data[: half + 1],
            "grown": data + b"\n",
        }
        path.write_bytes(changed[how])

    ended = command("verify", "r")

    assert ended.code in {1, 2}
    assert name in ended.said


def rewrite_json(folder: Path, name: str, edit: Callable[[Any], None]) -> None:
    content = json.loads((folder / name).read_bytes())
    edit(content)
    (folder / name).write_bytes(json_bytes(content))


def rewrite_table(folder: Path, name: str, column: str, value: Any) -> None:
    table = pq.read_table(folder / name)
    at = table.column_names.index(column)
    values = table[column].to_pylist()
    wrong = values.index(next(v for v in values if v != value))
    values[wrong] = value
    changed = table.set_column(at, column, pa.array(values, table.schema[at].type))
    pq.write_table(changed, folder / name)


def seal_again(folder: Path) -> None:
    """Do what a careful forger does: make every SHA-256 fit again."""
    import hashlib

    def edit(manifest: Any) -> None:
        manifest.pop("sha256")
        for name in manifest["files"]:
            content = (folder / name).read_bytes()
            manifest["files"][name] = hashlib.sha256(content).hexdigest()
        manifest["sha256"] = digest(manifest)

    rewrite_json(folder, "manifest.json", edit)


def pass_all(run: Path) -> None:
    def edit(content: Any) -> None:
        content["verdict"] = "pass"
        for gate in content["gates"]:
            gate["verdict"] = "pass"

    rewrite_json(run, "comparison.json", edit)


def drop_a_gate(run: Path) -> None:
    rewrite_json(run, "comparison.json", lambda content: content["gates"].pop())


def loosen_a_gate(run: Path) -> None:
    def edit(content: Any) -> None:
        content["demands"]["gates"][0]["at_most"] = 0.9

    rewrite_json(run, "manifest.json", edit)


def change_a_note(run: Path) -> None:
    rewrite_json(
        run, "comparison.json", lambda content: content["notes"].append("All is well.")
    )


def invent_a_doubt(run: Path) -> None:
    rewrite_json(
        run, "comparison.json", lambda content: content["doubts"].append("a doubt")
    )


def change_labels(run: Path) -> None:
    def edit(content: Any) -> None:
        judged(content)["analyses"]["labels"] = {"only_old": ["z"]}

    rewrite_json(run, "comparison.json", edit)


def correct_a_prediction(run: Path) -> None:
    rewrite_table(run, "predictions/new.parquet", "prediction", "a")


def correct_a_grade(run: Path) -> None:
    rewrite_table(run, "predictions/new.parquet", "correct.example", value=True)


def raise_a_score(run: Path) -> None:
    rewrite_table(run, "predictions/new.parquet", "score", 0.9999)


def change_the_gold(run: Path) -> None:
    rewrite_table(run, "examples.parquet", "gold", "a")


def change_a_weight(run: Path) -> None:
    rewrite_table(run, "examples.parquet", "weight", 9.0)


def change_a_cluster(run: Path) -> None:
    rewrite_table(run, "examples.parquet", "cluster", "d0")


def change_a_slice(run: Path) -> None:
    rewrite_table(run, "examples.parquet", "slice.half", "x")


def change_the_seed(run: Path) -> None:
    rewrite_json(
        run, "manifest.json", lambda content: content["options"].update(seed=7)
    )


def test_a_changed_run_is_no_side_of_a_comparison(
    made: Path, here: Path, command: Command
) -> None:
    shutil.copytree(made, here / "r")
    assert command("compare", "run:r#old", "run:r#new", "--out", "again").code == 0
    correct_a_prediction(here / "r")

    ended = command("compare", "run:r#old", "run:r#new", "--out", "once")

    assert ended.code == 2
    assert "predictions/new.parquet was changed after it" in ended.said


def report_another_number(run: Path) -> None:
    page = run / "report.html"
    page.write_text(page.read_text().replace("broken", "br0ken", 1))


def summarise_another_verdict(run: Path) -> None:
    page = run / "summary.md"
    page.write_text(page.read_text() + "PASS")


FORGERIES = [
    pass_all,
    drop_a_gate,
    loosen_a_gate,
    change_a_note,
    invent_a_doubt,
    change_labels,
    correct_a_prediction,
    correct_a_grade,
    raise_a_score,
    change_the_gold,
    change_a_weight,
    change_a_cluster,
    change_a_slice,
    change_the_seed,
    report_another_number,
    summarise_another_verdict,
]


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda one: one.__name__)
def test_a_forger_who_makes_every_sum_fit_again_is_found_all_the_same(
    forgery: Callable[[Path], None], made: Path, here: Path
) -> None:
    run = shutil.copytree(made, here / "r")
    forgery(run)
    seal_again(run)

    try:
        found = verifying.verify(read_run(run), possible)
    except CompatEvalError:
        return

    assert found
