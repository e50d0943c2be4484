"""`compat-eval suites`: what there is, what it holds, whether it is sound."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compat_eval.cli.help import examples
from compat_eval.cli.options import (
    AsJson,
    DataDir,
    Limit,
    Offline,
    SuiteName,
    limit_of,
)
from compat_eval.cli.output import print_json, print_table

if TYPE_CHECKING:
    from rich.console import Console

    from compat_eval.suite.check import Checked
    from compat_eval.suite.suite import Suite

_MAX_LISTED = 20

app = typer.Typer(
    help="List, show, validate and export suites.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def suites() -> None:
    """List, show, validate and export suites."""


@app.command("list", epilog=examples("compat-eval suites list --json"))
def list_suites(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the shipped suites: task, licence, and whether their data are here."""
    from dataclasses import asdict

    from compat_eval.suite.catalogue import listed_suites
    from compat_eval.suite.data.places import DataPlaces, default_cache

    places = DataPlaces(base=None, data_dir=data_dir, cache=default_cache())
    found = listed_suites(places)
    if as_json:
        rows = [{**asdict(one), "availability": one.availability} for one in found]
        print_json(rows)
        return
    heads = ("name", "task", "licence", "data", "description")
    cells = [
        (s.name, s.kind, s.licence, f"{s.source}, {s.availability}", s.description)
        for s in found
    ]
    print_table(heads, cells)


@app.command(epilog=examples("compat-eval suites show clinc150"))
def show(suite: SuiteName, as_json: AsJson = False) -> None:
    """Show what a suite asks, counts and demands; its data are not touched."""
    from compat_eval.suite.load import load_suite

    loaded = load_suite(suite)
    if as_json:
        print_json({**loaded.config, "fingerprint": loaded.fingerprint()})
        return
    console = _console()
    said = loaded.config
    _say(console, f"{loaded.name} v{loaded.version}: {said.get('description', '')}")
    facts = {
        "task": f"{loaded.task.kind} (levels: {', '.join(loaded.levels)})",
        "licence": said.get("licence"),
        "homepage": said.get("homepage"),
        "fingerprint": loaded.fingerprint(),
    }
    for what, fact in facts.items():
        _say(console, f"{what + ':':<13}{fact or '-'}")
    _show_parts(console, loaded)


@app.command(
    epilog=examples(
        "compat-eval suites validate clinc150",
        "compat-eval suites validate my-suite/suite.yaml gates.yaml --no-data",
    )
)
def validate(
    suite: Annotated[
        list[str],
        typer.Argument(
            metavar="SUITE...", help="Names of suites; suite, gates, policy files."
        ),
    ],
    data_dir: DataDir = None,
    offline: Offline = False,
    no_data: Annotated[
        bool, typer.Option("--no-data", help="Check the files only; read no data.")
    ] = False,
) -> None:
    """Check suites, gates and policies; load data and score two mock models.

    Every split is read, labels and slices are counted, what gates name is looked
    up, and a model that answers with gold must be right everywhere. Files of gates
    and policies have no data.
    """
    from compat_eval.core.errors import CompatEvalError, SuiteError

    problems = []
    for one in suite:
        try:
            keys = _keys(one)
            if keys & {"suites", "benchmarks"}:
                _validate_policy(one)
            elif keys & {"gates", "protected"} and not keys & {"task", "data"}:
                _validate_gates(one)
            else:
                _validate_suite(one, data_dir, offline=offline, no_data=no_data)
        except CompatEvalError as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise SuiteError("\n".join(map(str, problems)))


def _keys(path: str) -> set[str]:
    """Return the first words of a file; none of a suite that is given by its name."""
    from pathlib import Path

    from compat_eval.suite.yaml.document import read_yaml

    if not Path(path).is_file():
        return set()
    found = read_yaml(Path(path)).value
    return set(found) if isinstance(found, dict) else set()


def _validate_policy(path: str) -> None:
    from compat_eval.suite.policy import load_policy

    policy = load_policy(path)
    _say(_console(), f"policy {path} is valid: {len(policy.suites)} suites")


def _validate_gates(path: str) -> None:
    from compat_eval.suite.load import load_gates

    demands = load_gates(path)
    count = len(demands.all_gates())
    _say(_console(), f"gates file {path} is valid: {count} to judge")


def _validate_suite(
    suite: str, data_dir: "Path | None", *, offline: bool, no_data: bool
) -> None:
    from compat_eval.suite.check import check
    from compat_eval.suite.examples import places_of
    from compat_eval.suite.load import load_suite

    loaded = load_suite(suite)
    if no_data:
        _say(_console(), f"suite {loaded.name} is valid; its data were not read")
        return
    checked = check(loaded, places_of(loaded, data_dir, offline=offline))
    console = _console()
    _say(console, f"{loaded.name} v{loaded.version}")
    _show_counts(console, loaded, checked)
    has_texts = not isinstance(checked.test.column("gold")[0].as_py(), dict | list)
    other = "always gives the most frequent answer" if has_texts else "never answers"
    for level in checked.perfect:
        _say(
            console,
            f"level {level}: a model that answers with gold scores "
            f"{checked.perfect[level]:.4f}, one that {other} "
            f"{checked.constant[level]:.4f}",
        )
    for note in checked.notes:
        _say(console, f"note: {note}")
    _say(console, f"suite {loaded.name} is valid")


@app.command(
    epilog=examples(
        "compat-eval suites export clinc150 --out clinc150.jsonl",
        "compat-eval suites export clinc150 --without-gold --out questions.csv",
        "compat-eval compare old.jsonl answers.csv --suite clinc150",
    )
)
def export(
    suite: SuiteName,
    out: Annotated[Path, typer.Option(help="File to write: .jsonl, .csv or .parquet.")],
    split: Annotated[str, typer.Option(help="Split of the suite.")] = "test",
    limit: Limit = None,
    without_gold: Annotated[
        bool,
        typer.Option("--without-gold", help="Write what is asked, not what is right."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace --out if it is there.")
    ] = False,
    data_dir: DataDir = None,
    offline: Offline = False,
) -> None:
    """Write a suite's examples: id, input, gold, cluster, weight, slices.

    Whoever answers these rows, in any language, writes a file with the columns id
    and prediction; compare pairs it with the suite by id.
    """
    from compat_eval.runs.answers import check_writable, write_rows
    from compat_eval.suite.examples import load_examples
    from compat_eval.suite.load import load_suite

    check_writable(out, overwrite=overwrite)
    loaded = load_suite(suite)
    found = load_examples(loaded, split, data_dir=data_dir, offline=offline)
    size = limit_of(limit)
    if size is not None:
        from compat_eval.runner.shards import limit as limited

        found = limited(found, size)
    if without_gold:
        found = found.without(["gold"])
    write_rows(out, found.table)
    typer.echo(f"{out}: {len(found):,} examples of suite {loaded.name}, split {split}")


def _show_parts(console: "Console", suite: "Suite") -> None:
    from compat_eval.suite.data.rows import describe

    for split in suite.splits:
        sources = suite.data[split]
        names = list(dict.fromkeys(describe(source) for source in sources))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        _say(console, f"split {split}: {names[0]}{more}")
    if suite.corpus is not None:
        of_split = f"examples of split {suite.corpus.split}"
        if suite.corpus.split == "same":
            of_split = "examples of the queries' own split"
        files = ", ".join(describe(source) for source in suite.corpus.data or ())
        how = "by label" if suite.corpus.match == "label" else "by judgement"
        _say(console, f"documents: {files or of_split}, relevant {how}")
    for name, rule in suite.slices.items():
        kind = next((k for k in rule.kinds if getattr(rule, k) is not None), "values")
        _say(console, f"slice {name}: {kind} of {rule.of}")
    rules = suite.config.get("gates", [])
    for rule in rules:
        _say(console, "gate " + ", ".join(f"{k} {v}" for k, v in rule.items()))
    if not rules:
        _say(console, "no gates: nothing is judged")


def _show_counts(console: "Console", suite: "Suite", checked: "Checked") -> None:
    for split, found in checked.examples.items():
        golds = set(map(str, found.column("gold").drop_null().to_pylist()))
        different = f"{len(golds):,} different gold answers" if golds else "no gold"
        _say(console, f"split {split}: {len(found):,} examples, {different}")
    if checked.n_documents:
        _say(console, f"documents: {checked.n_documents:,}")
    if suite.task.kind == "classification":
        labels = sorted(set(checked.test.column("gold").to_pylist()))
        _say(console, f"labels: {_few(labels)}")
    _say(
        console, f"slices: {_few([f'{k} ({n:,})' for k, n in checked.slices.items()])}"
    )
    first = checked.test.table.slice(0, 1).to_pylist()[0]
    for column, value in first.items():
        text = suite.task.show(value) if column in ("input", "gold") else str(value)
        _say(console, f"first example, {column}: {text}")


def _few(items: list[str]) -> str:
    from compat_eval.core.errors import some

    return some(items, limit=_MAX_LISTED) if items else "none"


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False)


def _say(console: "Console", text: str) -> None:
    from compat_eval.core.text import clipped, printable

    console.print(clipped(printable(text), 2000), markup=False, soft_wrap=True)
