# ruff: noqa: INP001 - a script, no package
"""Write everything in the pages that a program can write: `make docs`.

Whole pages: the suite reference (from the JSON Schema) and the command line reference
(from the commands). In all pages: the output of every command that a page shows, and
the blocks between `<!-- NAME -->` and `<!-- /NAME -->` named in `BLOCKS`.
"""

import json
import runpy
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs import cli_reference, pages  # noqa: E402 - found through the line above

RESULTS = ROOT / "experiments" / "classification" / "results.json"
PARSING = ROOT / "experiments" / "parsing" / "results.json"
SEMANTIC = ROOT / "experiments" / "semantic" / "results.json"
COVERAGE = ROOT / "benchmarks" / "coverage.json"
FRESH = ROOT / "benchmarks" / "fresh_samples.json"
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
    }


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


_LEFT_OUT = ("oracle:", "bcr:top-")
"""Bounds, and generators that do much the same: the experiments' pages have them."""


def parsers_table() -> str:
    """Return what each mitigation did to updates of dependency parsers."""
    return treatments_table(PARSING, level="las", cut="mean_nfi_cut", unit="LAS")


def semantic_table() -> str:
    """Return what each mitigation did to updates of semantic parsers."""
    return treatments_table(SEMANTIC, level="exact_match", cut="nfi_cut", unit="exact")


def treatments_table(path: Path, *, level: str, cut: str, unit: str) -> str:
    """Return the treatments of an experiment, as chosen on dev; empty before its run.

    Args:
        path: Its results.json.
        level: The level that is shown.
        cut: Name of the cut of NFI against the untreated new model.
        unit: What accuracy at that level is called.

    """
    if not path.exists():
        return ""
    every = json.loads(path.read_text("utf-8"))
    rows = [
        row
        for row in every
        if row["chosen_on_dev"]
        and row["level"] == level
        and not row["treatment"].startswith(_LEFT_OUT)
    ]
    heads = ["update", "treatment", unit, "gain, points", "NFI", "NFI cut"]
    lines = [_line(heads), "|---" * len(heads) + "|"]
    lines += [treatment_row(row, cut) for row in rows]
    return "\n".join(["", *lines, "", ""])


def treatment_row(row: Mapping[str, Any], cut: str) -> str:
    """Return one treatment's line of the table."""
    numbers, intervals = row["metrics"], row["intervals"]
    is_untreated = row["treatment"] == "untreated"
    setting = "" if row["setting"] is None else f" {row['setting']:g}"
    cells = [
        row["update"] if is_untreated else "",
        f"{row['treatment']}{setting}",
        f"{_percent(numbers['accuracy_new'])} %",
        "" if is_untreated else f"{100 * numbers['accuracy_gain']:+.2f}",
        f"{_percent(numbers['nfi'])} %",
        "" if is_untreated else _with_interval(numbers[cut], intervals[cut]),
    ]
    return _line(cells)


def plan_table() -> str:
    """Return how many examples a certifying gate needs, by limit and true rate."""
    from compat_eval.stats.power import (  # noqa: PLC0415 - scipy, for this table only
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
    from compat_eval.stats.proportion import upper_bound  # noqa: PLC0415 - likewise

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
        f"{once:.1f} %; judged again with 1,500 more, in {again:.1f} %.\n\n"
    )


def coverage_table() -> str:
    """Return what the simulation found, with its worst populations."""
    found = json.loads(COVERAGE.read_text("utf-8"))
    beside = found["korn_graubard"]
    safe = beside["covers_and_20_flips_expected"]
    said = (
        f"Last run: {found['points']} populations, {found['draws']:,} samples each "
        f"(Monte-Carlo error {100 * found['monte_carlo_error']:.1f} points); "
        f"{found['below_asked']} of them below {100 * found['asked']:.0f} %. Of "
        f"{beside['points']} shares with a correlation of .5 or less Korn and "
        f"Graubard's bounds fall below in {beside['below_asked']}, to "
        f"{100 * beside['least']:.0f} %. Where theirs cover whatever the correlation, "
        f"and 20 flips or more are expected, ours are {safe['median']:.2f} times as "
        f"wide (median; at most {safe['most']:.2f}). With fewer flips nobody knows the "
        f"correlation, and ours are up to {beside['covers']['most']:.0f} times as wide."
    )
    lines = [
        "",
        said,
        "",
        _line(["worst", "clusters", "sizes", "rate", "correlation", "upper", "lower"]),
        _line(["---"] * 7),
    ]
    for name, rows in found["worst"].items():
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
    return "\n".join([*lines, "", ""])


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
    "plan": plan_table,
    "bounds": bounds_table,
    "coverage": coverage_table,
    "fresh": fresh_sentence,
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
