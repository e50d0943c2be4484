# ruff: noqa: INP001 - part of a script, no package
"""The table and the picture of docs/gate-decisions.md."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from statistics import mean
from typing import Any

Row = Mapping[str, Any]

_PANELS = (
    ("Bad updates that pass", True, "passed"),
    ("Safe updates that pass", False, "passed"),
    ("Safe updates left undecided", False, "undecided"),
)
_STYLES = {
    "compat-eval": ("#0b5cad", ""),
    "z-test": ("#b3261e", "7 4"),
    "McNemar": ("#8a5a00", "2 3"),
    "estimate": ("#555555", "10 3 2 3"),
    "nel compare": ("#2e7d32", "12 4"),
    "nel gate": ("#6a1b9a", "1 3"),
}
"""Colour and dashes of each rule's line."""

_VERDICTS = {"pass": "pass", "fail": "**fail**", "inconclusive": "undecided"}

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 230, 180, 52, 50, 46


def table(rows: Sequence[Row]) -> str:
    """Return a line for each update and rule: passed and undecided, percent, by n."""
    sizes = sorted({row["n"] for row in rows})
    heads = ["limit", "update", "rule", *(f"n = {n:,}" for n in sizes)]
    lines = [_line(heads), "|---" * len(heads) + "|"]
    for (limit, update, bad), group in groupby(rows, _update):
        found = {(row["rule"], row["n"]): row for row in group}
        for at, rule in enumerate(_STYLES):
            kind = "bad" if bad else "safe"
            head = [limit, f"{kind}: {update}"] if at == 0 else ["", ""]
            cells = [_cell(found[rule, n]) for n in sizes]
            lines.append(_line([*head, rule, *cells]))
    return "\n".join(["", *lines, "", ""])


def real_table(rows: Sequence[Row]) -> str:
    """Return a line for each published pair and limit, with what each rule says."""
    heads = ["pair", "broken / fixed of", "limit", *_STYLES]
    lines = [_line(heads), "|---" * len(heads) + "|"]
    for row in rows:
        counts = f"{row['broken']:,} / {row['fixed']:,} of {row['units']:,}"
        for at, (limit, said) in enumerate(row["verdicts"].items()):
            head = [row["pair"], counts] if at == 0 else ["", ""]
            verdicts = [_VERDICTS[said[rule]] for rule in _STYLES]
            lines.append(_line([*head, limit, *verdicts]))
    return "\n".join(["", *lines, "", ""])


def picture(rows: Sequence[Row]) -> str:
    """Return an SVG: three shares against n, one line a rule."""
    sizes = sorted({row["n"] for row in rows})
    width = _LEFT + len(_PANELS) * (_WIDTH + _GAP)
    height = _TOP + _HEIGHT + 92
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif" font-size="12" role="img" '
            'aria-label="How often each rule passes or leaves open updates, by n">'
        ),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for at, (title, bad, key) in enumerate(_PANELS):
        left = _LEFT + at * (_WIDTH + _GAP)
        parts += _axes(title, left, sizes)
        for rule, style in _STYLES.items():
            shares = [_mean(rows, rule=rule, n=n, bad=bad, key=key) for n in sizes]
            parts.append(_curve(shares, left, style))
    parts += _legend(_TOP + _HEIGHT + 52)
    return "\n".join([*parts, "</svg>", ""])


def _update(row: Row) -> tuple[str, str, bool]:
    return row["limit"], row["update"], row["bad"]


def _cell(row: Row) -> str:
    passed, undecided = (100 * row[key] for key in ("passed", "undecided"))
    return f"{passed:.1f} / {undecided:.1f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _mean(rows: Sequence[Row], *, rule: str, n: int, bad: bool, key: str) -> float:
    return mean(
        float(row[key])
        for row in rows
        if row["rule"] == rule and row["n"] == n and row["bad"] == bad
    )


def _axes(title: str, left: float, sizes: Sequence[int]) -> list[str]:
    parts = [
        (
            f'<text x="{left}" y="{_TOP - 22}" font-size="14" font-weight="bold">'
            f"{escape(title)}</text>"
        )
    ]
    for percent in (0, 25, 50, 75, 100):
        y = _y(percent / 100)
        parts += [
            (
                f'<line x1="{left}" y1="{y}" x2="{left + _WIDTH}" y2="{y}" '
                'stroke="#d5d5d5"/>'
            ),
            f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{percent} %</text>',
        ]
    for at, n in enumerate(sizes):
        x = _x(at, len(sizes), left)
        parts.append(
            f'<text x="{x}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{n:,}</text>'
        )
    return parts


def _curve(shares: Sequence[float], left: float, style: tuple[str, str]) -> str:
    colour, dashes = style
    points = " ".join(
        f"{_x(at, len(shares), left)},{_y(share)}" for at, share in enumerate(shares)
    )
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" '
        f'stroke-width="2.5" stroke-dasharray="{dashes}"/>'
    )


def _legend(y: float) -> list[str]:
    parts, x = [], float(_LEFT)
    for rule, (colour, dashes) in _STYLES.items():
        parts += [
            (
                f'<line x1="{x}" y1="{y}" x2="{x + 36}" y2="{y}" stroke="{colour}" '
                f'stroke-width="2.5" stroke-dasharray="{dashes}"/>'
            ),
            f'<text x="{x + 42}" y="{y + 4}">{escape(rule)}</text>',
        ]
        x += 140
    parts.append(f'<text x="{_LEFT}" y="{y + 26}">across: examples in the test</text>')
    return parts


def _x(at: int, n: int, left: float) -> float:
    return round(left + 14 + at * (_WIDTH - 28) / (n - 1), 1)


def _y(share: float) -> float:
    return round(_TOP + (1 - share) * _HEIGHT, 1)
