"""Damaged files, thousands of them, and how commands end on each.

A sound file is damaged in one to three places (bytes, lines, words, structure) and
handed to a command. What must hold of every end: an exit code of the contract, no
traceback, no signal, and a PASS only where the judged counts are those of the sound
damaged file as Python's own parsers read it.

More than the test runs: `python tests/trust/fuzz.py --n 20000 --seed 7`.
"""

import argparse
import contextlib
import csv
import gzip
import importlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fakes import judged
from tests.trust.log_files import log_files

CODES = {0, 1, 2, 3, 4}
LOGS = Path(__file__).parents[1] / "unit" / "readers" / "logs" / "fixtures"
BATCH = 50
"""Cases that one child process runs."""

N_ROWS = 40
GATES = "gates:\n- {quantity: nfr, at_most: 0.2}\n"
SUITE = """name: tiny
version: "1"
task: classification
data: {test: {file: gold.csv}}
fields: {id: id, input: input, gold: gold}
slices: {bucket: {of: bucket}}
gates:
- {quantity: nfr, at_most: 0.2}
"""
TOY = """def model():
    return lambda texts: ["yes" if len(text) % 2 else "no" for text in texts]
"""
CONLLU = """# sent_id = s%d
# text = Dogs bark .
1\tDogs\tdog\tNOUN\tNNS\tNumber=Plur\t2\tnsubj\t_\t_
2\tbark\tbark\tVERB\tVBP\t_\t0\troot\t_\t_
3\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_

"""


def rows_of(side: str) -> list[dict[str, object]]:
    """Return 40 examples; NEW breaks one and fixes two of them."""
    wrong = {"old": {3, 4, 5}, "new": {5, 6}}[side]
    return [
        {
            "id": f"e{i}",
            "prediction": "no" if (i in wrong) ^ (i % 2 == 1) else "yes",
            "gold": "no" if i % 2 else "yes",
            "input": f'text, of "{i}"' if i % 5 == 0 else f"text {i}",
            "score": 0.5 + i / 100,
            "bucket": "lo" if i < 20 else "hi",
        }
        for i in range(N_ROWS)
    ]


def encoded(kind: str, side: str) -> bytes:
    """Return one side as a file of a kind."""
    rows = rows_of(side)
    if kind == "json":
        return json.dumps(rows).encode()
    if kind == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if kind == "parquet":
        sink = io.BytesIO()
        table = pa.Table.from_pylist(rows)
        pq.write_table(
            table.set_column(5, "bucket", table["bucket"].dictionary_encode()), sink
        )
        return sink.getvalue()
    if kind in {"csv", "tsv"}:
        text = io.StringIO()
        writer = csv.DictWriter(
            text, list(rows[0]), delimiter="," if kind == "csv" else "\t"
        )
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()
    if kind == "csv.gz":
        return gzip.compress(encoded("csv", side), mtime=0)
    assert kind == "zip"
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("p.jsonl"), encoded("jsonl", side))
    return sink.getvalue()


Mutation = Callable[[bytearray, random.Random], None]


def flip(data: bytearray, rng: random.Random) -> None:
    """Flip a bit."""
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def splice(data: bytearray, rng: random.Random) -> None:
    """Put in what parsers stumble over."""
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.choice(STUMBLING)


STUMBLING = [
    *(bytes([mark]) for mark in b"\0\"',\n\r\t;{}[]:\\#&*!-"),
    *(
        b"\\u0000",
        b"\\ud800",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\xbc",
        b"\x1f\x8b",
    ),
    *(
        b"NaN",
        b"Infinity",
        b"-1",
        b"1e999",
        b"18446744073709551616",
        b"1.0",
        b"9" * 5000,
    ),
    *(b"null", b"true", b"None", b"\xe2\x80\xa8", b"[" * 5000, b'{"a":' * 3000),
    *(b"!!python/name:os.system", b"<<: *a", b"- "),
]


def cut(data: bytearray, rng: random.Random) -> None:
    """Cut the file off."""
    del data[rng.randrange(len(data) + 1) :]


def remove(data: bytearray, rng: random.Random) -> None:
    """Remove a stretch."""
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.randrange(1, 40)]


def copy(data: bytearray, rng: random.Random) -> None:
    """Copy a stretch to another place."""
    at = rng.randrange(len(data) + 1)
    to = rng.randrange(len(data) + 1)
    data[to:to] = data[at : at + rng.randrange(1, 60)]


def zero(data: bytearray, rng: random.Random) -> None:
    """Overwrite a stretch with zeros, as lost blocks of a disk do."""
    at = rng.randrange(len(data) + 1)
    n = min(len(data) - at, rng.randrange(1, 40))
    data[at : at + n] = bytes(n)


def lines(data: bytearray, rng: random.Random) -> None:
    """Swap, double or drop a line."""
    parts = bytes(data).split(b"\n")
    i, j = rng.randrange(len(parts)), rng.randrange(len(parts))
    how = rng.randrange(3)
    if how == 0:
        parts[i], parts[j] = parts[j], parts[i]
    elif how == 1:
        parts.insert(i, parts[j])
    else:
        del parts[i]
    data[:] = b"\n".join(parts)


def word(data: bytearray, rng: random.Random) -> None:
    """Replace a word or number by another kind of value."""
    found = list(re.finditer(rb"[A-Za-z0-9_.]+", bytes(data)))
    if found:
        match = rng.choice(found)
        data[match.start() : match.end()] = rng.choice(STUMBLING)


MUTATIONS: tuple[Mutation, ...] = (flip, splice, cut, remove, copy, zero, lines, word)


@dataclass(frozen=True)
class Target:
    """What is damaged, and the command that meets it.

    Attributes:
        name: Of the target.
        file: The damaged file.
        content: What it holds when sound.
        command: The command line.
        judged: Whether the damaged file is the judged side of a gate.
        further: Other files, by name.

    """

    name: str
    file: str
    content: bytes
    command: Sequence[str]
    judged: bool = False
    further: dict[str, bytes] = field(default_factory=dict)


def targets(sound: Path) -> Iterator[Target]:
    """Yield every kind of file that commands read.

    Args:
        sound: A folder with a finished run in `r` and stored answers in `cache`.

    """
    out = ("--out", "r")
    gates = {"gates.yaml": GATES.encode()}
    sides = {f"{side}.jsonl": encoded("jsonl", side) for side in ("old", "new")}
    for kind in ("csv", "tsv", "json", "jsonl", "parquet", "csv.gz", "zip"):
        yield Target(
            kind,
            f"new.{kind}",
            encoded(kind, "new"),
            (
                "compare",
                "old.jsonl",
                f"preds:new.{kind}",
                "--gates",
                "gates.yaml",
                *out,
            ),
            judged=True,
            further={"old.jsonl": sides["old.jsonl"], **gates},
        )
    pair = ("compare", "old.jsonl", "new.jsonl")
    of_gates = (*pair, "--gates", "gates.yaml", *out)
    yield Target("gates", "gates.yaml", GATES.encode(), of_gates, further=sides)
    gold, suite = encoded("csv", "old"), SUITE.encode()
    of_suite = (*pair, "--suite", "suite.yaml", *out)
    further = {**sides, "gold.csv": gold, "suite.yaml": suite}
    yield Target("suite", "suite.yaml", suite, of_suite, further=further)
    validate = ("suites", "validate", "suite.yaml")
    yield Target("suite alone", "suite.yaml", suite, validate, further=further)
    yield Target("gold", "gold.csv", gold, of_suite, further=further)
    content = "".join(CONLLU % i for i in range(20)).encode()
    trees = {f"{name}.conllu": content for name in ("old", "new", "g")}
    command = ("compare", "old.conllu", "new.conllu", "--task", "dependency")
    for name in ("new", "g"):
        file = f"{name}.conllu"
        of_trees = (*command, "--gold", "g.conllu", *out)
        yield Target(file, file, trees[file], of_trees, further=trees)
    for name, content in log_files().items():
        yield Target(name, name, content, ("compare", name, name, *out))
    yield from _of_logs()
    yield from _of_a_run(sound / "r")
    yield from _of_a_store(sound, {"gold.csv": gold, "suite.yaml": suite})


def _of_logs() -> Iterator[Target]:
    """Yield a log of each tool, beside a sound one."""
    chosen = {
        "inspect/once_new.eval": ("--keep", "scorer=match"),
        "inspect/json_new.json": (),
        "lighteval/old/details/models/old/*/details_sums_mc*.parquet": (),
        "lm_eval/old/models__old/samples_sums_gen*.jsonl": (
            "--keep",
            "filter=strict-match",
        ),
        "lm_eval/old/models__old/samples_sums_mc*.jsonl": (),
        **{
            f"promptfoo/sums.{form}": (
                *("--keep", "prompt={{q}}", "--old-keep", "provider=old"),
                *("--new-keep", "provider=new"),
            )
            for form in ("csv", "json", "jsonl")
        },
    }
    for pattern, options in chosen.items():
        (path,) = LOGS.glob(pattern)
        content = path.read_bytes()
        yield Target(
            f"log {pattern.partition('/')[0]} {path.suffix}",
            f"new/{path.name}",
            content,
            ("compare", path.name, f"new/{path.name}", *options, "--out", "r"),
            further={path.name: content},
        )


def _of_a_run(run: Path) -> Iterator[Target]:
    whole = files_below(run, "run")
    for name in ("comparison.json", "manifest.json", "examples.parquet"):
        for command in (
            ("verify", "run"),
            ("report", "run", "--out", "again.html"),
            ("diff", "run"),
            ("compare", "run:run#old", "run:run#new", "--out", "r"),
        ):
            label, file = f"{command[0]} {name}", f"run/{name}"
            yield Target(label, file, whole[file], command, further=whole)


def _of_a_store(sound: Path, suite: dict[str, bytes]) -> Iterator[Target]:
    whole = {**files_below(sound / "cache", "cache"), **suite, "toy.py": TOY.encode()}
    toy = ("compare", "python:toy:model", "python:toy:model", "--suite", "suite.yaml")
    for name, command in (
        ("answers.frames", ("cache", "verify")),
        ("about.json", ("cache", "ls")),
        ("answers.frames", (*toy, "--out", "r")),
    ):
        (file,) = (path for path in whole if path.endswith(name))
        yield Target(f"{command[0]} {name}", file, whole[file], command, further=whole)


def files_below(folder: Path, name: str) -> dict[str, bytes]:
    """Return the files of a folder, by their paths below another name."""
    return {
        f"{name}/{path.relative_to(folder)}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@dataclass(frozen=True)
class Case:
    """One damaged file."""

    number: int
    target: Target
    content: bytes


def cases(sound: Path, n: int, seed: int) -> Iterator[Case]:
    """Yield damaged files, target after target; the same for the same seed."""
    kinds = list(targets(sound))
    for number in range(n):
        rng = random.Random(f"{seed} {number}")  # noqa: S311
        target = kinds[number % len(kinds)]
        data = bytearray(target.content)
        for _ in range(rng.randrange(1, 4)):
            rng.choice(MUTATIONS)(data, rng)
        yield Case(number, target, bytes(data))


def trouble(case: Case, folder: Path) -> str | None:
    """Run a case in a folder; return what is wrong with how it ended."""
    from compat_eval.cli import main

    shutil.rmtree(folder, ignore_errors=True)
    lay(folder, {**case.target.further, case.target.file: case.content})
    os.chdir(folder)
    os.environ["COMPAT_EVAL_CACHE"] = str(folder / "cache")
    said = io.StringIO()
    code: object = "none"
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main(list(case.target.command))
        except SystemExit as end:
            code = end.code
    if code not in CODES or "Traceback" in said.getvalue():
        return f"exit {code}: {said.getvalue()[-1500:]}"
    return _wrong_pass(case, folder) if code == 0 and case.target.judged else None


def lay(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _wrong_pass(case: Case, folder: Path) -> str | None:
    """Say where a PASS counts other answers than Python's own parsers find."""
    told = json.loads((folder / "r" / "comparison.json").read_bytes())
    (level,) = judged(told)["levels"].values()
    counts = [level["counts"][cell] for cell in ("kept", "broken", "fixed", "missed")]
    answers = answers_in(case.target.name, case.content)
    if told["verdict"] != "pass" or answers is None:
        return None
    cells = [
        (row["prediction"] == row["gold"], answers.get(str(row["id"])) == row["gold"])
        for row in rows_of("old")
    ]
    wanted = [(True, True), (True, False), (False, True), (False, False)]
    found = [cells.count(cell) for cell in wanted]
    return None if counts == found else f"PASS with {counts}, but there are {found}"


def answers_in(kind: str, content: bytes) -> dict[str, object] | None:
    """Return id to answer as Python's own parsers read it; `None` where they do not."""
    try:
        if kind == "csv.gz":
            kind, content = "csv", gzip.decompress(content)
        text = content.decode("utf-8-sig")
        if kind == "json":
            rows = json.loads(text)
        elif kind == "jsonl":
            rows = [json.loads(line) for line in text.split("\n") if line.strip()]
        elif kind in {"csv", "tsv"}:
            delimiter = "," if kind == "csv" else "\t"
            rows = list(
                csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
            )
        else:
            return None
        return {str(row["id"]): row.get("prediction") for row in rows}
    except (
        ValueError,
        KeyError,
        csv.Error,
        OSError,
        EOFError,
        AttributeError,
        TypeError,
    ):
        return None


def run_all(n: int, seed: int, folder: Path) -> tuple[list[str], Counter[str]]:
    """Run cases in children, so that a signal ends one batch and is told.

    Returns:
        What went wrong, in sentences; and how many cases each target had.

    """
    sound = folder / "sound"
    _lay_sound(sound)
    _import_all()
    found: list[str] = []
    seen: Counter[str] = Counter()
    batch: list[Case] = []
    for case in cases(sound, n, seed):
        seen[case.target.name] += 1
        batch.append(case)
        if len(batch) == BATCH:
            found += _in_child(batch, folder)
            batch = []
    return found + _in_child(batch, folder), seen


def _lay_sound(folder: Path) -> None:
    """Make a run and a store from sound files, in a process of its own."""
    lay(folder, {"gold.csv": encoded("csv", "old"), "suite.yaml": SUITE.encode()})
    lay(folder, {"toy.py": TOY.encode()})
    lay(folder, {f"{s}.jsonl": encoded("jsonl", s) for s in ("old", "new")})
    lay(folder, {"gates.yaml": GATES.encode()})
    toy = "python:toy:model"
    for command in (
        ("compare", "old.jsonl", "new.jsonl", "--gates", "gates.yaml", "--out", "r"),
        ("compare", toy, toy, "--suite", "suite.yaml", "--out", "toy"),
    ):
        subprocess.run(
            [sys.executable, "-m", "compat_eval", *command],
            cwd=folder,
            env={**os.environ, "COMPAT_EVAL_CACHE": str(folder / "cache")},
            check=True,
            capture_output=True,
        )


def _import_all() -> None:
    """Import here what every child would import anew."""
    for name in ("workflows.run", "workflows.verify", "report.render", "suite.check"):
        importlib.import_module(f"compat_eval.{name}")
    for name in ("cache", "compare", "diff", "report", "suites", "terminal", "verify"):
        importlib.import_module(f"compat_eval.cli.{name}")


def _in_child(batch: Sequence[Case], folder: Path) -> list[str]:
    if not batch:
        return []
    log = folder / "log"
    log.write_text("", "utf-8")
    child = os.fork()
    if child == 0:
        quick()
        with log.open("a", encoding="utf-8", buffering=1) as file:
            for case in batch:
                file.write(json.dumps([case.number, None]) + "\n")
                try:
                    wrong = trouble(case, folder / "case")
                except BaseException as error:  # noqa: BLE001 - told to the parent
                    wrong = f"escaped: {error!r}"
                file.write(json.dumps([case.number, wrong]) + "\n")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    ends = dict(map(json.loads, log.read_text("utf-8").splitlines()))
    named = {case.number: case.target.name for case in batch}
    if status != 0:
        last = list(ends)[-1]
        ends[last] = f"the process ended with status {status}"
    return [f"case {n} ({named[n]}): {wrong}" for n, wrong in ends.items() if wrong]


def quick() -> None:
    """Spare each command what has nothing to do with reading: disk and versions."""
    from functools import cache

    from compat_eval.cli.process import start_lean
    from compat_eval.runs import environment

    start_lean()
    os.fsync = lambda _: None  # type: ignore[assignment]
    environment.installed = cache(environment.installed)


def main_of(arguments: Sequence[str] | None = None) -> int:
    """Run as many cases as asked; return how many ended wrong."""
    parser = argparse.ArgumentParser(description="Damaged files, thousands of them.")
    parser.add_argument("--n", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        found, seen = run_all(asked.n, asked.seed, folder)
    print(*found, sep="\n")  # noqa: T201
    print(f"{len(found)} of {sum(seen.values())} ended wrong; {len(seen)} targets")  # noqa: T201
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main_of())
