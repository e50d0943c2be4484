# ruff: noqa: INP001 - part of a script, no package
"""Tables of docs/results.md: what mitigations made of measured updates."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

_LEFT_OUT = ("oracle:", "bcr:top-")
"""Bounds, and generators that do much the same: the experiments' pages have them."""

_EFFECTS = {
    "selective": "selective",
    "mostly_old": "most of the way back to OLD",
    "drags_back": "drags NEW back to OLD",
    "unclear": "may be chance",
    "no_cut": "breaks no less",
}
"""What `compare --mitigate` says of a mitigation, in short."""


def table(path: Path, *, level: str, cut: str, names: Mapping[str, str]) -> str:
    """Return what dev chose, on test, below OLD and untreated NEW.

    Args:
        path: results.json of the experiment; an empty text before it was run.
        level: The level whose flips are shown.
        cut: Name of the cut of NFI against the untreated new model.
        names: What each level is called, in the order of the columns.

    """
    if not path.exists():
        return ""
    heads = ["update", "NEW is", f"{names[level]}, %"]
    heads += [f"{name}, change" for name in names.values()]
    heads += ["NFR, %", "PFR, %", "NFI, %", "NFI cut, %"]
    heads += ["broken gone, %", "fixed gone, %", "effect"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    rows = [row for row in json.loads(path.read_text("utf-8")) if _shown(row)]
    for update, found in groupby(rows, lambda row: row["update"]):
        for at, cells in enumerate(_lines(list(found), level, cut, list(names))):
            lines.append("| " + " | ".join([update if at == 0 else "", *cells]) + " |")
    return "\n".join(["", *lines, "", ""])


def _shown(row: Row) -> bool:
    return (
        row["chosen_on_dev"]
        and row["split"] == "test"
        and not row["treatment"].startswith((*_LEFT_OUT, "keep OLD"))
    )


def _lines(
    rows: Sequence[Row], level: str, cut: str, levels: Sequence[str]
) -> Iterator[list[str]]:
    """Yield the cells of one update, a line a treatment; OLD comes first."""
    by_level: dict[tuple[str, float | None], dict[str, Row]] = {}
    for row in rows:
        key = (row["treatment"], row["setting"])
        by_level.setdefault(key, {})[row["level"]] = row
    treatments = list(by_level.values())
    untreated = treatments[0]
    yield _old(untreated, level, levels)
    for found in treatments:
        gone = [_gone(untreated[level], found[level], c) for c in ("broken", "fixed")]
        yield _cells(found, level, cut, levels, gone)


def _gone(untreated: Row, row: Row, cell: str) -> str:
    """Return the share of what untreated NEW breaks (or fixes) that is gone."""
    whole, rest = (one["counts"] for one in (untreated, row))
    shares = [counts[cell] / sum(counts.values()) for counts in (whole, rest)]
    return f"{100 * (1 - shares[1] / shares[0]):.0f}" if shares[0] else "undefined"


def _old(untreated: Mapping[str, Row], level: str, levels: Sequence[str]) -> list[str]:
    numbers = {name: untreated[name]["metrics"] for name in levels}
    changes = [
        f"{100 * (numbers[name]['accuracy_old'] - numbers[name]['accuracy_new']):+.2f}"
        for name in levels
    ]
    accuracy = f"{100 * numbers[level]['accuracy_old']:.2f}"
    return [
        "OLD, kept",
        accuracy,
        *changes,
        "0.00",
        "0.00",
        "0.00",
        "",
        "100",
        "100",
        "",
    ]


def _cells(
    found: Mapping[str, Row],
    level: str,
    cut: str,
    levels: Sequence[str],
    gone: Sequence[str],
) -> list[str]:
    row, numbers = found[level], found[level]["metrics"]
    percents = [f"{100 * numbers[name]:.2f}" for name in ("nfr", "pfr", "nfi")]
    accuracy = f"{100 * numbers['accuracy_new']:.2f}"
    if row["treatment"] == "untreated":
        return ["untreated", accuracy, *[""] * len(levels), *percents, *[""] * 4]
    setting = "" if row["setting"] is None else f" {row['setting']:g}"
    low, high = (100 * bound for bound in row["intervals"][cut])
    return [
        f"{row['treatment']}{setting}",
        accuracy,
        *(f"{100 * found[name]['metrics']['accuracy_gain']:+.2f}" for name in levels),
        *percents,
        f"{100 * numbers[cut]:.0f} ({low:.0f} to {high:.0f})",
        *gone,
        _EFFECTS.get(row.get("effect", ""), "not measured"),
    ]
