"""benchmarks/RESULTS.md, made from benchmarks/results.json.

python benchmarks/page.py
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from asked import bar_of
from record import RESULTS

PAGE = RESULTS.with_name("RESULTS.md")

Row = Mapping[str, Any]

_GROUPS = {
    "Start-up": ("start-up",),
    "Two prediction files": ("compare ", "statistics' share", "report "),
    "Logs of evaluation tools": ("samples of",),
    "Models: the second run": ("re-run",),
    "Models: throughput": ("HF classification",),
    "Language models": ("LM scoring",),
    "Models: the shape of a batch": ("runner,",),
    "Training towards OLD": ("training step",),
    "Replay selection of federated clients": ("replay selection",),
    "Exact search": ("exact search",),
    "Parsers": ("parsers,", "two parses"),
}
"""Title of a table: how its rows' names begin."""

_HEAD = """\
# Benchmarks

Made by `make bench` (`benchmarks/run.py`) from `benchmarks/results.json`; every
benchmark can be run alone.

Ours and the other are medians of runs taken in turns (ours, the other, ours, …).
The ratio is the median of the runs' ratios and says how many times better ours is:
above 1 is faster, or smaller. Commands are fresh processes; files and compiled
modules are in the operating system's cache, models of the throughput benchmark in
memory. "Load" is the mean number of busy processes in the minute before a row was
written, our own run included: a benchmark of one thread on an idle machine shows
about 1.
"""


def write_page(results: Path = RESULTS, page: Path = PAGE) -> Path:
    """Write the page; return where it is."""
    rows = json.loads(results.read_text("utf-8"))
    page.write_text(page_of(rows), "utf-8")
    return page


def page_of(rows: Sequence[Row]) -> str:
    """Return the page as Markdown."""
    parts = [_HEAD, _asked(rows)]
    left = list(rows)
    for title, beginnings in _GROUPS.items():
        group = [row for row in left if str(row["name"]).startswith(beginnings)]
        left = [row for row in left if row not in group]
        if group:
            parts.append(f"## {title}\n\n{_table(group)}")
    if left:
        parts.append(f"## Others\n\n{_table(left)}")
    parts.append(f"## Machines\n\n{_machines(rows)}")
    return "\n".join(parts)


def _asked(rows: Iterable[Row]) -> str:
    lines = [
        "| what | asked | ours | the other | ratio | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        bar = bar_of(str(row["name"]))
        if bar is None:
            continue
        met = "met" if row["ratio"] >= bar.ratio else "**missed**"
        cells = (row["name"], bar.text, *_figures(row), met)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "## What was asked\n\n" + "\n".join(lines) + "\n"


def _table(rows: Iterable[Row]) -> str:
    lines = [
        "| what | ours | the other | ratio | runs | load |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        load = str(row["machine"]).rpartition("load ")[2]
        cells = (row["name"], *_figures(row), row["runs"], load)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _figures(row: Row) -> tuple[str, str, str]:
    name = str(row["name"])
    return (
        _figure(name, row["ours"]),
        _figure(name, row["other"]),
        f"{row['ratio']:.2f}",
    )


def _figure(name: str, value: float) -> str:
    """Return a value with its unit, which the name tells.

    Examples:
        >>> _figure("a page, bytes", 1_500_000.0), _figure("a run, s", 0.5)
        ('1.50 MB', '0.500 s')

    """
    if "bytes" in name:
        return f"{value / 1e6:.2f} MB" if value < 1e8 else f"{value / 1e9:.2f} GB"  # noqa: PLR2004
    for unit in ("texts/s", "sentences/s", "tokens/s", "Gflop/s"):
        if unit in name:
            return f"{value:.0f} {unit}"
    if " ms:" in name or " ms a client" in name:
        return f"{value:.2f} ms"
    if "plain decodes" in name:
        return f"{value:.2f} decodes"
    if "share" in name:
        return f"{100 * value:.1f} %"
    return f"{value:.3f} s"


def _machines(rows: Iterable[Row]) -> str:
    kinds: dict[str, list[str]] = {}
    for row in rows:
        machine = str(row["machine"]).rpartition(", load ")[0] or str(row["machine"])
        kinds.setdefault(machine, []).append(str(row["name"]))
    return "\n".join(f"- {m}: {len(n)} rows" for m, n in kinds.items()) + "\n"


if __name__ == "__main__":
    print(f"wrote {write_page()}")
