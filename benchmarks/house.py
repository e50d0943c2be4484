"""The house in figures: what the second edition of the design asked for, and is.

    python benchmarks/house.py            # the table
    python benchmarks/house.py --times    # with seconds and memory, some minutes
    python benchmarks/house.py --check    # only what must hold; exit code 1 otherwise

Everything is measured on this checkout: files by reading them, imports and loads by
running `compare` in a process of its own.
"""

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from house_programs import COUNTED_KIND, COUNTED_MODELS, ENTERED

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "compat_eval"
EXTENSIONS = ROOT / "tests/extension/packages"
LATER_KINDS = ("language_modeling", "language_models", "causal_lm", "retrieval")
"""Folders and files of the task kinds that came with the second edition."""
LONG = 30
LONG_SHARE = 0.015
MOST_FILES, MOST_LINES = 270, 34_000
MOST_LINES_ADDED: Mapping[str, int] = {"nats": 60, "echo": 80}
"""Lines that a package of tests/extension may take, where that is bounded."""
HOW_OFTEN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, what it is, what was asked."""

    what: str
    value: str
    bar: str
    kept: bool

    def __str__(self) -> str:
        mark = " " if self.kept else "✗"
        return f"{mark} {self.what:<66} {self.value:>22}   {self.bar}"


def main() -> int:
    """Print the table; with `--check`, say what does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--times", action="store_true")
    options = parser.parse_args()
    if options.check:
        return check()
    rows = [
        *import_rows(),
        *mitigation_rows(),
        *graph_rows(),
        *name_rows(),
        *size_rows(),
        *test_rows(),
        *extension_rows(),
        *(time_rows() if options.times else ()),
    ]
    print(f"  {'':<66} {'now':>22}   bar")
    for row in rows:
        print(row)
    return 0


def check() -> int:
    """Refuse circles of modules and class names that are used twice."""
    said = [f"circle of modules: {' ↔ '.join(one)}" for one in circles(import_graph())]
    said += [
        f"class name used {len(where)} times: {name} ({', '.join(where)})"
        for name, where in repeated_classes().items()
    ]
    for line in said:
        print(line, file=sys.stderr)
    return 1 if said else 0


# What a comparison of two files imports and enters


def import_rows() -> Iterator[Row]:
    """Compare two small prediction files; count modules and files entered."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side in ("old", "new"):
            rows = [
                {"id": f"e{i}", "gold": "ab"[i % 2], "prediction": "ab"[i % 2]}
                for i in range(20)
            ]
            lines = "\n".join(json.dumps(row) for row in rows)
            (folder / f"{side}.jsonl").write_text(lines + "\n", encoding="utf-8")
        found = json.loads(_run(folder, ENTERED).splitlines()[-1])
    yield _at_most(
        "files of the package entered by a file-only `compare`", found["entered"], 70
    )
    yield _at_most("modules of compat_eval imported by it", len(found["imported"]), 120)


# Loads and gradings under two mitigations


def mitigation_rows() -> Iterator[Row]:
    """Compare counted models under two mitigations, with a counted task kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "counted_models.py").write_text(COUNTED_MODELS, encoding="utf-8")
        (folder / "counted_kind.py").write_text(COUNTED_KIND, encoding="utf-8")
        info = folder / "counted-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Name: counted\nVersion: 1\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(
            "[compat_eval.tasks]\ncounted = counted_kind:counted\n", encoding="utf-8"
        )
        _write_suite(folder)
        refs = [f"python:counted_models:{side}" for side in ("old", "new")]
        words = ["compare", *refs, "--suite", "suite.yaml", "-q", "--no-cache"]
        words += ["--mitigate", "joint:weight=0.5", "--mitigate", "bcr:k=2"]
        _run(folder, f"from compat_eval.cli import main; main({words!r})")
        log = Counter((folder / "counted.log").read_text("utf-8").split())
    loads = max(log["load-old"], log["load-new"])
    yield _at_most(
        "loads of a model in `compare --mitigate joint --mitigate bcr`", loads, 1
    )
    yield _at_most("gradings in it (4 roles, 1 level)", log["grade"], 4)


def _write_suite(folder: Path) -> None:
    rows = [{"id": f"e{i}", "text": str(i), "gold": "ab"[i % 2]} for i in range(40)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "test.jsonl").write_text(lines, encoding="utf-8")
    (folder / "suite.yaml").write_text(
        "name: counted\nversion: '1'\nlicence: CC0-1.0\ndescription: Counted.\n"
        "task: counted\nfields: {id: id, input: text, gold: gold}\n"
        "data: {test: {file: test.jsonl}}\n",
        encoding="utf-8",
    )


def _run(folder: Path, program: str) -> str:
    path = os.pathsep.join([str(folder), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


# The import graph


def import_graph() -> dict[str, set[str]]:
    """Return every module with the modules of the package that it imports.

    Imports inside functions count, those for type checkers only do not.
    """
    names = {_dotted(path): path for path in _sources()}
    return {name: set(_imported(path, names)) - {name} for name, path in names.items()}


def _imported(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    for node in _nodes(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            both = [(f"{node.module}.{one.name}", node.module) for one in node.names]
            targets = [inner if inner in known else outer for inner, outer in both]
        else:
            continue
        yield from (target for target in targets if target in known)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without the branches that only type checkers take."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _nodes(node)


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or not."""
    found = []
    left = set(graph)
    while left:
        start = min(left)
        group = _reached(graph, start) & _reached(_turned(graph), start)
        left -= group
        if len(group) > 1:
            found.append(sorted(group))
    return found


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen, to_see = {start}, [start]
    while to_see:
        new = graph[to_see.pop()] - seen
        seen |= new
        to_see += new
    return seen


def _turned(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    turned: dict[str, set[str]] = {name: set() for name in graph}
    for name, targets in graph.items():
        for target in targets:
            turned[target].add(name)
    return turned


def arrows_up(graph: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Return imports from a layer into one above it or beside it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = contracts["tool"]["importlinter"]["contracts"][0]["layers"]
    rank = {
        name: height
        for height, layer in enumerate(reversed(layers))
        for name in re.findall(r"\w+", layer)
    }

    def up(name: str, target: str) -> bool:
        here, there = (part.split(".")[1:2] for part in (name, target))
        if here == there or not (here and there) or {*here, *there} - set(rank):
            return False
        return rank[there[0]] >= rank[here[0]]

    return [(a, b) for a, targets in graph.items() for b in targets if up(a, b)]


def graph_rows() -> Iterator[Row]:
    """Count imports that point upwards, and circles."""
    graph = import_graph()
    yield _at_most("imports that point up or sideways", len(arrows_up(graph)), 0)
    yield _at_most("circles of modules, at any layer", len(circles(graph)), 0)


# Names


def name_rows() -> Iterator[Row]:
    """Count public names and names of classes that are used twice."""
    names = sum(len(_public(_tree(path))) for path in _sources(today=True))
    yield _at_most("public top-level names", names, 700)
    yield _at_most("class names used twice or more", len(repeated_classes()), 0)


def _public(tree: ast.Module) -> list[str]:
    """Return the functions and classes of a module that others may use."""
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    ]


def repeated_classes() -> dict[str, list[str]]:
    """Return the public names that several classes have, with their modules."""
    where: dict[str, list[str]] = {}
    for path in _sources():
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(_dotted(path))
    return {name: places for name, places in where.items() if len(places) > 1}


# Sizes


def size_rows() -> Iterator[Row]:
    """Count files, lines and long functions."""
    everything, today = list(_sources()), list(_sources(today=True))
    yield Row(
        "files / lines in all",
        f"{len(everything)} / {_lines(everything):,}",
        "–",
        kept=True,
    )
    yield Row(
        "files / lines without the task kinds that came later",
        f"{len(today)} / {_lines(today):,}",
        f"≤ {MOST_FILES} / ≤ {MOST_LINES:,}",
        kept=len(today) <= MOST_FILES and _lines(today) <= MOST_LINES,
    )
    bodies = [n for path in everything for n in _bodies(_tree(path))]
    long = sum(n > LONG for n in bodies)
    yield Row(
        f"functions with more than {LONG} lines of body",
        f"{long} of {len(bodies):,} ({long / len(bodies):.1%})",
        f"≤ {LONG_SHARE:.1%}",
        kept=long <= LONG_SHARE * len(bodies),
    )


def _lines(paths: Sequence[Path]) -> int:
    return sum(len(path.read_text("utf-8").splitlines()) for path in paths)


def _bodies(tree: ast.Module) -> Iterator[int]:
    """Return lines of each function's body, its docstring apart."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            rest = node.body[1:] if ast.get_docstring(node) is not None else node.body
            start = rest[0].lineno if rest else first.lineno
            yield (node.end_lineno or start) - start + 1


# Tests


def test_rows() -> Iterator[Row]:
    """Count test modules that stand at the path of what they test."""
    tests = sorted((ROOT / "tests/unit").rglob("test_*.py"))
    tests = [path for path in tests if _is_of_the_package(path)]
    mirrored = sum(_tested(path).is_file() for path in tests)
    yield Row(
        "test modules named after their module, at the mirrored path",
        f"{mirrored} of {len(tests)} ({mirrored / len(tests):.0%})",
        "≥ 80%",
        kept=mirrored >= 0.8 * len(tests),
    )


def _is_of_the_package(path: Path) -> bool:
    return path.relative_to(ROOT / "tests/unit").parts[0] not in (
        "benchmarks",
        "experiments",
    )


def _tested(path: Path) -> Path:
    inside = path.relative_to(ROOT / "tests/unit")
    return PACKAGE / inside.with_name(inside.name.removeprefix("test_"))


def extension_rows() -> Iterator[Row]:
    """Say what each package of tests/extension is made of."""
    if not EXTENSIONS.is_dir():
        return
    for project in sorted(EXTENSIONS.glob("*/pyproject.toml")):
        about = tomllib.loads(project.read_text("utf-8"))["project"]
        files = list(project.parent.glob("*.py"))
        points = sum(map(len, about["entry-points"].values()))
        lines, most = _lines(files), MOST_LINES_ADDED.get(about["name"], 400)
        yield Row(
            f"added from outside: {about['description']}",
            f"{len(files)} file, {lines} lines",
            f"1 file, 1 entry point, ≤ {most} lines",
            kept=len(files) == points == 1 and lines <= most,
        )


# Seconds


def time_rows() -> Iterator[Row]:
    """Time `--help` and `compare` of 10 k and 1 M rows, each a fresh process."""
    from file_compare import LARGE, SMALL, compare
    from prediction_files import make_pair
    from processes import in_turns, ours

    bars = {"--help": (0.07, 0.0), "10 k": (0.9, 0.0), "1 M": (4.5, 0.8e9)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = make_pair(folder, SMALL), make_pair(folder, LARGE)
        costs = in_turns(
            {
                "--help": [ours(), "--help"],
                "10 k": [ours(), *compare(small, "small")],
                "1 M": [ours(), *compare(large, "large")],
            },
            runs=HOW_OFTEN,
            folder=folder,
        )
    for name, found in costs.items():
        seconds = median(cost.seconds for cost in found)
        peak = median(cost.peak_bytes for cost in found)
        bar, most = bars[name]
        memory = f", {peak / 1e9:.2f} GB" if most else ""
        yield Row(
            f"{name if name.startswith('-') else f'compare of {name} rows'}, "
            f"median of {HOW_OFTEN}",
            f"{seconds:.2f} s{memory}",
            f"≤ {bar} s" + (f", ≤ {most / 1e9} GB" if most else ""),
            kept=seconds <= bar and (not most or peak <= most),
        )


def _at_most(what: str, value: int, bar: int) -> Row:
    return Row(what, f"{value:,}", f"≤ {bar}" if bar else "0", kept=value <= bar)


def _sources(*, today: bool = False) -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if not (today and set(parts) & set(LATER_KINDS)):
            yield path


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


if __name__ == "__main__":
    sys.exit(main())
