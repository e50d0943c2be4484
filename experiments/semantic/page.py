"""RESULTS.md from the rows of results.json."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_INTRODUCED = """{pairs} seed pairs (old {old}; new {new}); the old models have
{accuracy:.2f} % exact match. Training a new model took {minutes:.1f} CPU-minutes."""

_EM, _SPAN = "exact_match", "span_subtree"

_PAPER_UPDATES = {
    "untreated": ("85.88 / 21.12", "86.98 / 20.03", "87.04 / 24.40"),
    "distillation": ("85.54 / 18.06", "86.64 / 15.25", "87.69 / 15.97"),
    "ensemble": ("86.90 / 13.24", "87.65 / 9.47", "87.65 / 21.88"),
    "bcr:dropout-p": ("86.16 / 5.39", "87.41 / 4.30", "87.49 / 5.51"),
}
"""Cai et al. 2022, Table 4, exact match: accuracy / NFI, percent."""

_PAPER_GENERATORS = {
    "untreated": "87.04 / 24.40",
    "bcr:beam": "87.61 / 13.20",
    "bcr:top-k": "87.71 / 17.55",
    "bcr:top-p": "87.73 / 17.77",
    "bcr:dropout-p": "87.49 / 5.51",
    "oracle:nfr": "89.50 / 6.21",
    "oracle:accuracy": "92.68 / 8.90",
}
"""Tables 5 and 6, s2s-base → s2s-large, exact match: accuracy / NFI, percent."""

_HEAD = """# Updates of semantic parsers on TOPv2

Made by `python -m experiments.semantic.run`; the numbers for programs are in
results.json. Domains event, messaging and navigation, {train:,} training, {dev:,} dev
and {test:,} test utterances of each (a subset, by hash; without `IN:UNSUPPORTED`), read
as raw text. The model is `seq2seq` with its defaults and {epochs} epochs: a BiLSTM over
words and spelling, an LSTM that writes labels and copies words, greedy; trees that are
not valid cannot be written. Test texts that occur in the training split were kept.

Counts are pooled over seed pairs; intervals (95 %) are bootstraps over utterances. λ
and the rate of dropout were chosen on dev: the lowest mean NFI of exact match and span
subtree among those whose paired interval of the change in accuracy reaches, at both,
not below −δ (δ = {delta:g}); where all reach below, the one that does least. BCR takes
10 candidates, ranked by OLD's mean log p of a token. The ensemble holds the new models
of the pairs, and not the old one.
"""


def page(rows: Sequence[Row]) -> str:
    """Return the page."""
    config = rows[0]["config"]
    sizes = config["utterances_per_domain"]
    head = _HEAD.format(
        train=sizes["train"],
        dev=sizes["eval"],
        test=sizes["test"],
        epochs=config["epochs"],
        delta=config["delta"],
    )
    updates = [
        _update([row for row in rows if row["update"] == title])
        for title in _titles(rows)
    ]
    return "\n".join([head, _summary(rows), *updates, _paper(rows), _LIMITS])


def _titles(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["update"] for row in rows))


def _summary(rows: Sequence[Row]) -> str:
    names = [name for name in _names(rows) if name != "untreated"]
    lines = [
        "## By how much NFI of exact match falls",
        "",
        "Percent, as chosen on dev; the paper's mean over its updates and levels is",
        "73 % for BCR. In round brackets the change of accuracy, points.",
        "",
        _line("treatment", *_titles(rows)),
        "|---" * (1 + len(_titles(rows))) + "|",
    ]
    for name in names:
        cells = []
        for title in _titles(rows):
            found = [
                group[_EM]
                for group in _groups([row for row in rows if row["update"] == title])
                if group[_EM]["treatment"] == name and group[_EM]["chosen_on_dev"]
            ]
            cells.append(_cut_and_gain(found[0]) if found else "")
        lines.append(_line(name, *cells))
    return "\n".join([*lines, ""])


def _cut_and_gain(row: Row) -> str:
    gain = row["metrics"]["accuracy_gain"]
    return f"{_cut(row)} ({100 * gain:+.2f})"


def _update(rows: Sequence[Row]) -> str:
    first = rows[0]
    old, new = (sorted({pair[at] for pair in first["seeds"]}) for at in (0, 1))
    lines = [
        f"## {first['update'].capitalize()}",
        "",
        _INTRODUCED.format(
            pairs=len(first["seeds"]),
            old=_listed(old),
            new=_listed(new),
            accuracy=100 * first["metrics"]["accuracy_old"],
            minutes=first["cost"]["train_seconds"] / 60,
        ),
        "",
        _line(
            "treatment",
            "exact match, % (gain)",
            "NFR / NFI",
            "NFI cut",
            "span subtree, % (gain)",
            "NFR / NFI",
            "NFI cut",
            "intent, %",
            "cost",
        ),
        "|---" * 9 + "|",
    ]
    for group in _groups(rows):
        cells = []
        for level in (_EM, _SPAN):
            row = group[level]
            cells += [_accuracy(row), _flip(row), _cut(row)]
        intent = 100 * group["intent"]["metrics"]["accuracy_new"]
        lines.append(
            _line(_name(group[_EM]), *cells, f"{intent:.2f}", _cost(group[_EM]))
        )
    return "\n".join([*lines, ""])


def _paper(rows: Sequence[Row]) -> str:
    lines = [
        "## Beside the paper: exact match, accuracy / NFI, percent",
        "",
        "Cai et al. 2022 (Tables 4 to 6) fine-tune RoBERTa on all of TOP, two domains,",
        "with 25 seed pairs and ensembles of 5; `part` has 4/5 of the data.",
        "",
        _line(
            "treatment",
            *_titles(rows),
            "base-part → base",
            "large-part → large",
            "base → large",
        ),
        "|---" * (4 + len(_titles(rows))) + "|",
    ]
    for name in _names(rows):
        ours = []
        for title in _titles(rows):
            found = [
                row["metrics"]
                for row in rows
                if (row["update"], row["treatment"], row["level"]) == (title, name, _EM)
                and row["chosen_on_dev"]
            ]
            ours.append(
                f"{100 * found[0]['accuracy_new']:.2f} / {100 * found[0]['nfi']:.2f}"
                if found
                else ""
            )
        theirs = _PAPER_UPDATES.get(name, ("", "", _PAPER_GENERATORS.get(name, "")))
        lines.append(_line(name, *ours, *theirs))
    return "\n".join([*lines, ""])


_LIMITS = """## What this does not show

The intervals speak of other utterances, not of other seeds; the new models of two
updates are the same. The models are small, trained from scratch on a part of the data,
and less accurate than fine-tuned ones. Cost is CPU time of answering, relative to one
plain answer of the new model; for re-ranking it holds the making of ten candidates and
OLD's scoring. Oracles read gold: they are bounds of what re-ranking the dropout-p
candidates can give.
"""


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["treatment"] for row in rows))


def _groups(rows: Sequence[Row]) -> list[dict[str, Row]]:
    """Return the rows of each treatment and setting, by level."""
    groups: dict[tuple[str, object], dict[str, Row]] = {}
    for row in rows:
        key = (row["treatment"], row["setting"])
        groups.setdefault(key, {})[row["level"]] = row
    return list(groups.values())


def _name(row: Row) -> str:
    if row["setting"] is None:
        return str(row["treatment"])
    letter = "λ" if row["treatment"] == "joint" else "p"
    mark = " ←" if row["chosen_on_dev"] and "oracle" not in row["treatment"] else ""
    return f"{row['treatment']}, {letter} = {row['setting']:g}{mark}"


def _accuracy(row: Row) -> str:
    value, gain = (row["metrics"][n] for n in ("accuracy_new", "accuracy_gain"))
    if row["treatment"] == "untreated":
        return f"{100 * value:.2f}"
    low, high = (100 * bound for bound in row["intervals"]["accuracy_gain"])
    return f"{100 * value:.2f} ({100 * gain:+.2f} [{low:+.2f}, {high:+.2f}])"


def _flip(row: Row) -> str:
    nfr, nfi = (100 * row["metrics"][name] for name in ("nfr", "nfi"))
    low, high = (100 * bound for bound in row["intervals"]["nfi"])
    return f"{nfr:.2f} / {nfi:.2f} [{low:.1f}, {high:.1f}]"


def _cut(row: Row) -> str:
    if row["treatment"] == "untreated":
        return ""
    cut = row["metrics"]["nfi_cut"]
    if cut is None:
        return "undefined"
    low, high = row["intervals"]["nfi_cut"]
    return f"{100 * cut:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def _cost(row: Row) -> str:
    if row["treatment"].startswith("oracle"):
        return ""
    return f"{row['cost']['relative_to_untreated']:.1f} ×"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))
