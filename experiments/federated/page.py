"""RESULTS.md, results.json and the figures of the experiments on replay selection."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compat_eval.core.files import write_whole
from experiments.federated.analysis import (
    UNIFORM_20,
    Results,
    Row,
    client_ratios,
    forgetting,
    in_short,
    relative_norms,
)
from experiments.federated.claims import bars, published
from experiments.federated.figure import figure
from experiments.federated.methods import (
    BUDGETS,
    FRESH,
    FRESH_SEEDS,
    METHODS,
    PUBLISHED,
    SEEDS,
    all_steps,
)

_HEAD = """# Replay selection on streams of texts

Made by `make experiments-federated`; results.json has nats and tokens of every model on
every period's tests, for each method, budget and random seed, and what each client's
past tests cost at the end.

64 clients, four periods, 100 texts of each client and period (79 to learn from, 20
tested on, one between them left out). In a period 6 rounds, 16 clients in each, 5 steps
of 16 texts at .5: the same for every method, so that who keeps more does not train
more. Methods of a seed share stream, start, sampled clients and the first period, in
which nothing was kept yet. Each client has equally many texts in every period, and then
`period-balanced` is the same as `history-uniform`. Gradients are of all weights,
without sketch, and count by direction unless a name says `raw` or `length`.

*Past perplexity* is that of the last model on the tests of all periods but the last,
pooled over tokens. Changes are in percent, of the geometric mean over seeds, paired by
seed; intervals (95 %) are Student's t over seeds, each comparison by itself.
"""

_STREAMS = {
    "topv2": "TOPv2, one main domain a period",
    "irc": "irc_ubuntu by years (control)",
    "shakespeare-irc": "tinyshakespeare and irc_ubuntu",
}
_TWO = 2
_MANY = 8


def write_page(steps: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write all that is committed."""
    rows = [in_short(step) for step in steps]
    text = json.dumps(rows, separators=(",", ":"), sort_keys=True).replace(
        "},{", "},\n{"
    )
    write_whole(folder / "results.json", f"{text}\n".encode())
    parts = [_HEAD, *_not_run(rows)]
    for stream, title in _STREAMS.items():
        for size in ("small", "medium"):
            results = Results(rows, stream, size)
            if results.rows:
                parts += [f"## {title}, {_size(results)}", *_section(results, folder)]
                parts += _fresh(rows, stream, size)
    parts += _costs(rows)
    write_whole(folder / "RESULTS.md", "\n".join([*parts, ""]).encode())


def _size(results: Results) -> str:
    row = results.rows[0]
    return f"{row['size']} model ({row['n_weights']:,} weights)"


def _not_run(rows: Sequence[Row]) -> Iterator[str]:
    """Yield how much of what is planned is here."""
    done = {
        (row["stream"], row["size"], row["method"], row["budget"], row["seed"])
        for row in rows
    }
    blocks: dict[tuple[str, str, int], list[bool]] = {}
    missing: dict[tuple[str, str, int], set[str]] = {}
    methods: dict[tuple[str, str, int], set[str]] = {}
    for step in {step.name: step for step in all_steps()}.values():
        block = step.stream, step.size, step.budget
        key = (step.stream, step.size, step.method, step.budget, step.seed)
        blocks.setdefault(block, []).append(key in done)
        methods.setdefault(block, set()).add(step.method)
        if key not in done:
            missing.setdefault(block, set()).add(step.method)
    yield "## What was run\n"
    yield (
        "Whatever was not run is not in any table below; the same command goes on. "
        "Budget 0 stands for `none` and `full`.\n"
    )
    yield "| stream | model | N | run | planned | not run, or not for all seeds |"
    yield "|---|---|---|---|---|---|"
    for block, some in sorted(blocks.items()):
        lacking = ", ".join(
            f"`{one}`" for one in METHODS if one in missing.get(block, ())
        )
        if len(missing.get(block, ())) > _MANY:
            whole = [f"`{one}`" for one in methods[block] - missing[block]]
            lacking = "all but " + ", ".join(sorted(whole))
        if not any(some):
            lacking = "all"
        yield (
            f"| {block[0]} | {block[1]} | {block[2]} | {sum(some)} | {len(some)} | "
            f"{lacking or '–'} |"
        )
    yield ""


def _section(results: Results, folder: Path) -> Iterator[str]:
    yield ""
    yield from _bars(results)
    yield from _table(results)
    yield from _picture(results, folder)
    yield from _ordering(results)
    yield from _periods(results)
    yield from _memory(results)
    yield from _norms(results)


def _fresh(rows: Sequence[Row], stream: str, size: str) -> Iterator[str]:
    """Yield what fresh seeds say of the method that the others left open."""
    parts = {
        "seeds 1 to 5": SEEDS,
        "seeds 6 to 10 alone": FRESH_SEEDS,
        "all ten": (*SEEDS, *FRESH_SEEDS),
    }
    *references, method = [(name, 20) for name in FRESH]
    if not Results(rows, stream, size, FRESH_SEEDS).has(method, *references):
        return
    yield (
        f"Past perplexity of `{method[0]}` at N = 20, which the first five seeds left "
        "open against `history-uniform`, and five seeds more, %:\n"
    )
    yield "| | relative to uniform | relative to history-uniform | seeds |"
    yield "|---|---|---|---|"
    for name, seeds in parts.items():
        results = Results(rows, stream, size, seeds)
        changes = [results.change(method, other) for other in references]
        yield f"| {name} | {changes[0]} | {changes[1]} | {len(changes[1].seeds)} |"
    yield ""


def _bars(results: Results) -> Iterator[str]:
    yield "| bar | measured | |"
    yield "|---|---|---|"
    for bar in bars(results):
        yield f"| {bar.demand} | {bar.measured} | {bar.verdict} |"
    yield ""


def _table(results: Results) -> Iterator[str]:
    budgets = [n for n in BUDGETS if results.has(("uniform", n))]
    if not budgets:
        return
    yield (
        "Past perplexity relative to `uniform` of the same N, %; below it relative to "
        "`history-uniform`:\n"
    )
    for reference in ("uniform", "history-uniform"):
        yield "| method | " + " | ".join(f"N = {n}" for n in budgets) + " |"
        yield "|---|" + "---|" * len(budgets)
        if reference == "uniform":
            values = [f"{results.perplexity((reference, n)):.2f}" for n in budgets]
            yield f"| *uniform itself, perplexity* | {' | '.join(values)} |"
        for method in METHODS:
            cells = []
            for n in budgets:
                own = (method, 0 if method in ("none", "full") else n)
                known = method != reference and results.has(own, (reference, n))
                cells.append(str(results.change(own, (reference, n))) if known else "")
            if any(cells):
                yield f"| {method} | {' | '.join(cells)} |"
        yield ""


def _picture(results: Results, folder: Path) -> Iterator[str]:
    lines = {}
    for method in (
        *PUBLISHED,
        "uncoordinated, period quotas",
        "herding, period quotas",
    ):
        line = {
            n: results.change((method, n), ("uniform", n))
            for n in BUDGETS
            if method != "uniform" and results.has((method, n), ("uniform", n))
        }
        if len(line) >= _TWO:
            lines[method] = line
    if not lines:
        return
    row = results.rows[0]
    name = f"{row['stream']}-{row['size']}.svg"
    title = f"{_STREAMS[row['stream']]}, {row['size']} model"
    write_whole(folder / name, figure(lines, BUDGETS, title).encode())
    yield f"![Past perplexity relative to uniform, by samples retained]({name})\n"


def _ordering(results: Results) -> Iterator[str]:
    judged = [(claim, *claim.judged(results)) for claim in published()]
    known = [one for one in judged if one[1] != "not run"]
    if not known:
        return
    yield "The published ordering (Good et al., 2023), row by row:\n"
    yield "| published | said to be better | than | change, % | |"
    yield "|---|---|---|---|---|"
    for claim, verdict, change in known:
        yield (
            f"| {claim.text} | {claim.better} | {claim.worse} | {change} | {verdict} |"
        )
    yield ""


def _periods(results: Results) -> Iterator[str]:
    methods = [one for one in METHODS if results.has(_cell(one), UNIFORM_20)]
    methods.remove("uniform") if "uniform" in methods else None
    if not methods:
        return
    yield (
        "By period at N = 20, relative to `uniform`, %; clients whose past perplexity "
        "is more than 1 % worse, and the worst tenth of clients; forgetting in nats a "
        "token since each period ended:\n"
    )
    yield (
        "| method | oldest | second | newest past | current | clients > 1 % worse | "
        "worst tenth | forgetting |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for method in ("uniform", *methods):
        own = _cell(method)
        changes = [str(results.change(own, UNIFORM_20, [at])) for at in range(4)]
        seeds = results.seeds(own, UNIFORM_20)
        ratios = [
            client_ratios(results.row(own, seed), results.row(UNIFORM_20, seed))
            for seed in seeds
        ]
        worse = np.mean([np.mean(one > 1.01) for one in ratios])  # noqa: PLR2004
        tenth = 100 * (np.mean([np.quantile(one, 0.9) for one in ratios]) - 1)
        lost = np.mean([forgetting(results.row(own, seed)) for seed in seeds])
        if method == "uniform":
            changes, told = ["0"] * 4, "– | –"
        else:
            told = f"{100 * worse:.0f} % | {tenth:+.1f}"
        yield f"| {method} | {' | '.join(changes)} | {told} | {lost:.3f} |"
    yield ""


def _cell(method: str) -> tuple[str, int]:
    return method, 0 if method in ("none", "full") else 20


def _memory(results: Results) -> Iterator[str]:
    cells = [(method, 20) for method in METHODS if results.has((method, 20))]
    if not cells:
        return
    yield "What clients keep before the last period at N = 20, means over seeds:\n"
    yield "| method | share of the oldest | second | newest | tokens of a kept text |"
    yield "|---|---|---|---|---|"
    for cell in cells:
        rows = [results.row(cell, seed) for seed in results.seeds(cell)]
        kept = np.mean([np.array(row["kept"][-2]) for row in rows], axis=0)
        shares = [f"{100 * one:.0f} %" for one in kept[:3] / kept.sum()]
        length = np.mean([row["kept_tokens"][-2] for row in rows])
        yield f"| {cell[0]} | {' | '.join(shares)} | {length:.1f} |"
    yield ""


def _norms(results: Results) -> Iterator[str]:
    budgets = [
        n
        for n in BUDGETS
        if any(row["budget"] == n and relative_norms([row], 1) for row in results.rows)
    ]
    if not budgets:
        return
    yield (
        "Global relaxed gradient norm by iterations of coordination, relative to none, "
        "without sketch (mean over periods and seeds; largest):\n"
    )
    yield "| N | I = 1 | I = 2 | I = 3 | I = 4 |"
    yield "|---|---|---|---|---|"
    for n in budgets:
        rows = [row for row in results.rows if row["budget"] == n]
        told = []
        for iterations in range(1, 5):
            norms = relative_norms(rows, iterations)
            told.append(f"{np.mean(norms):.3f}; {max(norms):.3f}" if norms else "")
        yield f"| {n} | {' | '.join(told)} |"
    yield ""


def _costs(rows: Sequence[Row]) -> Iterator[str]:
    yield "## What a simulation costs\n"
    yield "Seconds of one core, mean (the first of a seed also makes the stream):\n"
    yield "| model | N | drawn | by gradients |"
    yield "|---|---|---|---|"
    for size in ("small", "medium"):
        for n in (0, *BUDGETS):
            some = [row for row in rows if (row["size"], row["budget"]) == (size, n)]
            drawn = [row["seconds"] for row in some if not _by_gradients(row)]
            others = [row["seconds"] for row in some if _by_gradients(row)]
            told = [f"{np.mean(one):.0f}" if one else "" for one in (drawn, others)]
            if some:
                yield f"| {size} | {n} | {' | '.join(told)} |"
    yield f"\nSeeds: {', '.join(map(str, SEEDS))}."


def _by_gradients(row: Row) -> bool:
    return "coordinated" in row["method"] or row["method"] == "gss-greedy"
