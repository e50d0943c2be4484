"""Tables of a RESULTS.md, from the rows of results.json."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def titles(rows: Sequence[Row]) -> list[str]:
    """Return the updates."""
    return list(dict.fromkeys(row["update"] for row in rows))


def seeds(rows: Sequence[Row], side: int) -> str:
    """Return the seeds of the old models (side 0) or the new ones (side 1)."""
    found = {pair[side] for pair in rows[0]["seeds"]}
    return ", ".join(map(str, sorted(found)))


def groups(rows: Sequence[Row]) -> list[dict[str, Row]]:
    """Return the rows of each treatment and setting, by level."""
    found: dict[tuple[str, object], dict[str, Row]] = {}
    for row in rows:
        key = (row["treatment"], row["setting"])
        found.setdefault(key, {})[row["level"]] = row
    return list(found.values())


def section(
    introduction: str, head: Sequence[str], lines: Iterable[Sequence[str]]
) -> str:
    """Return an introduction and a table below it."""
    rule = "|---" * len(head) + "|"
    return "\n".join([introduction, "", line(head), rule, *map(line, lines), ""])


def line(cells: Sequence[str]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(cells)} |"


def named(row: Row) -> str:
    """Return what a treatment is called, with its setting; ← marks dev's choice."""
    if row["setting"] is None:
        return str(row["treatment"])
    letter = "λ" if row["treatment"].startswith(("joint", "mixed")) else "p"
    is_bound = row["treatment"].startswith("oracle")
    mark = " ←" if row["chosen_on_dev"] and not is_bound else ""
    return f"{row['treatment']}, {letter} = {row['setting']:g}{mark}"


def accuracy(row: Row, *, interval: bool = False) -> str:
    """Return NEW's accuracy, percent, and its gain over untreated (and interval)."""
    value, gain = (100 * row["metrics"][n] for n in ("accuracy_new", "accuracy_gain"))
    if row["treatment"] == "untreated":
        return f"{value:.2f}"
    low, high = (100 * bound for bound in row["intervals"]["accuracy_gain"])
    bounds = f" [{low:+.2f}, {high:+.2f}]" if interval else ""
    return f"{value:.2f} ({gain:+.2f}{bounds})"


def gain_kept(row: Row) -> str:
    """Return the gain of treated NEW over OLD in that of untreated NEW, percent."""
    metrics = row["metrics"]
    gain = metrics["accuracy_new"] - metrics["accuracy_old"]
    return f"{100 * gain / (gain - metrics['accuracy_gain']):.0f}"


def flip(row: Row) -> str:
    """Return NFR / NFI, percent, and the interval of NFI."""
    nfr, nfi = (100 * row["metrics"][name] for name in ("nfr", "nfi"))
    low, high = (100 * bound for bound in row["intervals"]["nfi"])
    return f"{nfr:.2f} / {nfi:.2f} [{low:.1f}, {high:.1f}]"


def accuracy_and_nfi(row: Row) -> str:
    """Return accuracy / NFI, percent, as the paper gives them."""
    accuracy, nfi = (100 * row["metrics"][name] for name in ("accuracy_new", "nfi"))
    return f"{accuracy:.2f} / {nfi:.2f}"


def cut(row: Row, quantity: str) -> str:
    """Return by how much NFI falls; nothing for the untreated model."""
    if row["treatment"] == "untreated":
        return ""
    value = row["metrics"][quantity]
    if value is None:
        return "undefined"
    low, high = (100 * bound for bound in row["intervals"][quantity])
    return f"{100 * value:.0f} % [{low:.0f}, {high:.0f}]"


def pfr(row: Row) -> str:
    """Return PFR, percent."""
    return f"{100 * row['metrics']['pfr']:.2f}"


def effect(row: Row) -> str:
    """Return what the program says of a mitigation; nothing where it is none."""
    if row["treatment"] in ("keep OLD", "untreated"):
        return ""
    return str(row.get("effect", "")).replace("_", " ")


def on_test(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the test split."""
    return [row for row in rows if row["split"] == "test"]


def cost(row: Row) -> str:
    """Return the cost of answering in plain answers of the new model."""
    return f"{row['cost']['relative_to_untreated']:.1f} ×"
