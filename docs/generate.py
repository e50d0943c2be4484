# ruff: noqa: INP001 - a script, no package
"""Write everything in the pages that a program can write: `make docs`.

Whole pages: the suite reference (from the JSON Schema) and the command line reference
(from the commands). In all pages: the output of every command that a page shows, and
the blocks between `<!-- NAME -->` and `<!-- /NAME -->` named in `BLOCKS`.
"""

import json
import math
import runpy
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs import (  # noqa: E402 - found through the line above
    cli_reference,
    gate_decisions,
    mitigation_table,
    pages,
    which_mitigation,
)

RESULTS = ROOT / "experiments" / "classification" / "results.json"
PARSING = ROOT / "experiments" / "parsing" / "results.json"
TRAINING = ROOT / "experiments" / "training" / "results.json"
SEMANTIC = ROOT / "experiments" / "semantic" / "results.json"
COVERAGE = ROOT / "benchmarks" / "coverage.json"
FRESH = ROOT / "benchmarks" / "fresh_samples.json"
SCORES = ROOT / "benchmarks" / "score_coverage.json"
DECISIONS = ROOT / "benchmarks" / "gate_decisions.json"
REAL_PAIRS = ROOT / "benchmarks" / "real_pairs.json"
_MANY = 10**6
_NEAR = 0.03
_MISSED = 0.06
_LIMITS = (0.001, 0.005, 0.01, 0.02, 0.05)
_SHARES = (0.1, 0.2, 0.4, 0.6)
_FEW_OF_MANY = ((0, 200), (0, 500), (1, 500), (2, 1000), (5, 2000), (10, 5000))


def main() -> None:
    """Write every page that is not as it should be, or the named ones; say which."""
    for path, text in generated().items():
        _write(path, text)
    chosen = [Path(name).resolve() for name in sys.argv[1:]]
    for path in chosen or written_pages():
        text = filled(path.read_text("utf-8"))
        with tempfile.TemporaryDirectory() as folder:
            _write(path, pages.run(text, Path(folder).resolve()))


def generated() -> dict[Path, str]:
    """Return the pages that are made whole, by path."""
    suite_reference = runpy.run_path(str(ROOT / "docs/generate_suite_reference.py"))
    return {
        ROOT / "docs/suite-reference.md": suite_reference["page"](),
        ROOT / "docs/cli-reference.md": cli_reference.page(),
        ROOT / "docs/images/gate-decisions.svg": gate_decisions.picture(_decisions()),
    }


def _decisions() -> list[Mapping[str, Any]]:
    return _rows(DECISIONS)


def _rows(path: Path) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = json.loads(path.read_text("utf-8"))["rows"]
    return rows


def written_pages() -> list[Path]:
    """Return the pages that people write, and whose commands are run."""
    every = {ROOT / "README.md", *(ROOT / "docs").glob("*.md")}
    return sorted(every - generated().keys())


def filled(page: str) -> str:
    """Return a page with its named blocks filled in."""
    for name, make in BLOCKS.items():
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if start and end:
            page = f"{before}{start}{make()}{end}{after}"
    return page


def results_table() -> str:
    """Return the table of the classification experiment; empty before it was run."""
    if not RESULTS.exists():
        return ""
    rows = json.loads(RESULTS.read_text("utf-8"))
    lines = [
        "| update | accuracy, old → new | broken / fixed | NFR | NFI |",
        "|---|---|---|---|---|",
        *(result_row(row) for row in rows),
    ]
    return "\n".join(["", *lines, "", ""])


_PARSING_LEVELS = {"ucm": "UCM", "uas": "UAS", "lcm": "LCM", "las": "LAS"}
_SEMANTIC_LEVELS = {"exact_match": "exact match", "span_subtree": "span subtree"}


def parsers_table() -> str:
    """Return what each mitigation did to updates of dependency parsers."""
    return mitigation_table.table(
        PARSING, level="las", cut="mean_nfi_cut", names=_PARSING_LEVELS
    )


def semantic_table() -> str:
    """Return what each mitigation did to updates of semantic parsers."""
    return mitigation_table.table(
        SEMANTIC, level="exact_match", cut="nfi_cut", names=_SEMANTIC_LEVELS
    )


def plan_table() -> str:
    """Return how many examples a certifying gate needs, by limit and true rate."""
    from compat_eval.statistics.power import (  # noqa: PLC0415 - scipy, for this table only
        lasting_n_with_power,
        smallest_n,
    )

    heads = ["limit", "nothing breaks", *(f"true rate {s:g} × limit" for s in _SHARES)]
    lines = [_line(heads), "|---" * len(heads) + "|"]
    for limit in _LIMITS:
        needed = [smallest_n(0, limit)]
        needed += [lasting_n_with_power(s * limit, limit) or 0 for s in _SHARES]
        cells = [f"{100 * limit:g} %", *(f"{n:,}" for n in needed)]
        lines.append(_line(cells))
    return "\n".join(["", *lines, "", ""])


def bounds_table() -> str:
    """Return what few broken of many examples prove."""
    from compat_eval.statistics.intervals.proportion import upper_bound  # noqa: PLC0415 - likewise

    heads = [f"{k} of {n:,}" for k, n in _FEW_OF_MANY]
    bounds = [f"{100 * float(upper_bound(k, n)):.2f} %" for k, n in _FEW_OF_MANY]
    return "\n".join(
        ["", _line(heads), "|---" * len(heads) + "|", _line(bounds), "", ""]
    )


def fresh_sentence() -> str:
    """Return how often samples that gates advise decide, as simulated."""
    found = json.loads(FRESH.read_text("utf-8"))
    once, again = (100 * found["top_up"][1][key] for key in ("once", "with_top_up"))
    miss = 100 * found["largest_miss_of_stated_power"]
    least = 100 * found["least_decided"]
    return (
        f"\nSimulated in {len(found['advice'])} settings "
        "(`benchmarks/fresh_samples.py`: shares and changes, one, three and ten gates) "
        "the share of samples that "
        f"decide lies within {miss:.1f} points of what is stated; the least is "
        f"{least:.1f} %. At a limit of 0.5 % a gate on 1,500 passes wrongly in "
        f"{once:.1f} %; judged again with 1,500 more, in {again:.1f} %. With clusters, "
        f"in {len(found['clustered'])} settings (equal, as varied as sentences, heavy "
        f"tails) {_apart(found['clustered'])}.\n\n"
    )


def _apart(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how far what decides lies from what was stated, of clusters."""

    def off(row: Mapping[str, Any]) -> float:
        return float(row["decided"] - row["stated"])

    ranked = sorted(rows, key=off)
    near = sum(abs(off(row)) <= _NEAR for row in rows)
    worst, next_to_worst = ranked[:2]
    return (
        f"it lies within 3 points in {near}, at most {100 * off(ranked[-1]):.1f} above "
        f"and {-100 * off(next_to_worst):.1f} below, but for one: "
        f"{-100 * off(worst):.0f} below ({worst['kind']}, rate "
        f"{100 * worst['observed']:.1f} %, limit {100 * worst['limit']:g} %, "
        f"correlation {worst['icc']:g}: few clusters flip and few are large)"
    )


def coverage_table() -> str:
    """Return what the simulation found, with its worst populations."""
    found = json.loads(COVERAGE.read_text("utf-8"))
    beside = found["korn_graubard"]
    said = (
        f"Last run: {found['points']} populations, {found['draws']:,} samples each "
        f"(Monte-Carlo error {100 * found['monte_carlo_error']:.1f} points); "
        f"{found['below_asked']} of them below {100 * found['asked']:.0f} %. Of "
        f"{beside['points']} shares Korn and Graubard's bounds fall below in "
        f"{beside['below_asked']}, to {100 * beside['least']:.0f} %. Where theirs "
        "cover, ours are so much wider; `none can` counts the populations in which no "
        "bounds could stay within 1.3 times and cover where, besides, clusters may "
        "break as a whole: a sample that shows none says little about them."
    )
    lines = ["", said, "", *_widths(beside["covers"]), "", *_worst(found["worst"])]
    beyond = found["beyond"]
    least = min(beyond, key=lambda row: row["upper"])
    further = (
        f"Beyond the grid stand {len(beyond)} populations in which two to six "
        "clusters break as a whole beside units that break singly. There the upper "
        f"bound covers {_covers(beyond)} (worst: {least['clusters']} clusters, "
        f"{least['kind']}, {100 * least['rate']:.0f} % singly), Korn and Graubard's "
        f"{_covers([row['korn_graubard'] for row in beyond])}."
    )
    return "\n".join([*lines, "", further, "", ""])


def _covers(rows: Sequence[Mapping[str, Any]]) -> str:
    covered = [row["upper"] for row in rows]
    mean, least = sum(covered) / len(covered), min(covered)
    return f"in {100 * mean:.1f} % of samples, {100 * least:.1f} % at the least"


def _widths(covers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return how wide bounds are beside Korn and Graubard's, by flips expected."""
    heads = ["flips expected", "populations", "median", "most", "over 1.3", "none can"]
    lines = [_line([*heads, "widest"]), _line(["---"] * 7)]
    for row in covers:
        low, high = row["flips"]
        worst = row["widest"]
        named = f"{worst['clusters']} {worst['kind']}, {100 * worst['rate']:g} %"
        cells = [
            f"{low} and more" if high >= _MANY else f"{low} to {high}",
            str(row["points"]),
            f"{row['median']:.2f}",
            f"{row['most']:.2f}",
            str(row["wider_than_1.3"]),
            str(row["of_these_none_can_be_narrower"]),
            f"{named}, correlation {worst['icc']:g}",
        ]
        lines.append(_line(cells))
    return lines


def _worst(worst: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    lines = [
        _line(["worst", "clusters", "sizes", "rate", "correlation", "upper", "lower"]),
        _line(["---"] * 7),
    ]
    for name, rows in worst.items():
        lines += [
            _line(
                [
                    name,
                    str(row["clusters"]),
                    row["kind"],
                    f"{row['rate']:g}",
                    f"{row['icc']:g}",
                    f"{100 * row['upper']:.1f} %",
                    f"{100 * row['lower']:.1f} %",
                ]
            )
            for row in rows
        ]
    return lines


def score_table() -> str:
    """Return how often bounds of a mean change of scores miss."""
    found = json.loads(SCORES.read_text("utf-8"))
    sizes = sorted({row["n"] for row in found["rows"]})
    lines = [
        "",
        _line(["change", "design", *(f"n = {n:,}" for n in sizes)]),
        _line(["---"] * (2 + len(sizes))),
    ]
    by_name: dict[tuple[str, str], list[str]] = {}
    for row in found["rows"]:
        cell = "{} / {} / {}".format(
            *(_missing(row[key], row["draws"]) for key in ("lower", "upper", "shown"))
        )
        by_name.setdefault((row["change"], row["design"]), []).append(cell)
    lines += [_line([*key, *cells]) for key, cells in sorted(by_name.items())]
    return "\n".join([*lines, "", ""])


def _missing(share: float, draws: int) -> str:
    """Return percent, bold where it is more than 6 and more than chance explains."""
    said = f"{100 * share:.1f}"
    spread = math.sqrt(_MISSED * (1 - _MISSED) / draws)
    return f"**{said}**" if share > _MISSED + spread else said


def result_row(row: Mapping[str, Any]) -> str:
    """Return one update's line of the results table."""
    numbers, intervals, counts = row["metrics"], row["intervals"], row["counts"]
    cells = [
        row.get("title", row["update"]),
        f"{_percent(numbers['accuracy_old'])} → {_percent(numbers['accuracy_new'])} %",
        f"{counts['broken']:,} / {counts['fixed']:,} of {sum(counts.values()):,}",
        _with_interval(numbers["nfr"], intervals["nfr"]),
        _with_interval(numbers["nfi"], intervals["nfi"]),
    ]
    return _line(cells)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "results:classification": results_table,
    "results:parsing": parsers_table,
    "results:semantic": semantic_table,
    "results:training": lambda: which_mitigation.table(TRAINING),
    "plan": plan_table,
    "bounds": bounds_table,
    "coverage": coverage_table,
    "fresh": fresh_sentence,
    "scores": score_table,
    "gate-decisions": lambda: gate_decisions.table(_decisions()),
    "gate-decisions:real": lambda: gate_decisions.real_table(_rows(REAL_PAIRS)),
}


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _with_interval(value: float, interval: Sequence[float]) -> str:
    low, high = interval
    return f"{_percent(value)} % ({_percent(low)}–{_percent(high)})"


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text("utf-8") == text:
        return
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
