# ruff: noqa: INP001 - part of a script, no package
"""The table of docs/mitigations.md: which mitigation when, by what was measured."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A mitigation for a situation.

    Attributes:
        situation: In words.
        use: The mitigation, as a user asks for it.
        treatment: Name of it in the results.
        updates: What the titles of the updates that show it contain.
        setting: Of the treatment; `None` for what dev chose.

    """

    situation: str
    use: str
    treatment: str
    updates: Sequence[str]
    setting: float | None = None


_SEED, _DATA = "CLINC150 50 %, another seed", "MiniLM, CLINC150 50 → 100 %"

ADVICE = (
    Advice(
        situation="two models may answer",
        use="`mix:weight=0.5`",
        treatment="mix",
        updates=(_SEED, _DATA),
        setting=0.5,
    ),
    Advice(
        situation="new architecture, two models may answer",
        use="`mix:weight=0.5`",
        treatment="mix",
        updates=("TF-IDF",),
        setting=0.5,
    ),
    Advice(
        situation="new architecture, one model must answer",
        use="nothing that was measured; nearest `soft-distill:where=everywhere`",
        treatment="distillation",
        updates=("TF-IDF",),
    ),
    Advice(
        situation="same architecture, one model must answer",
        use="`soft-distill:where=everywhere,start=old`",
        treatment="warm start + distillation",
        updates=(_SEED, _DATA),
    ),
    Advice(
        situation="same architecture, one model must answer, one training",
        use="`warm-start`, then `bcwi:weight=0.5`",
        treatment="bcwi",
        updates=(_SEED, _DATA),
        setting=0.5,
    ),
    Advice(
        situation="added classes, two models may answer",
        use="`mix:offset=dev`",
        treatment="mix within OLD's labels",
        updates=("5 → 10 domains",),
    ),
    Advice(
        situation="added classes, one model must answer",
        use="`margin:bias=0.25,start=new`",
        treatment="margin-preserving",
        updates=("5 → 10 domains",),
    ),
    Advice(
        situation="no retraining",
        use="`mix`, or `ensemble` with further new models that exist",
        treatment="ensemble of NEW",
        updates=(_SEED, _DATA),
    ),
    Advice(
        situation="one update after the other, one model must answer",
        use="`warm-start`, then `bcwi:weight=0.5`, at every update",
        treatment="bcwi",
        updates=(": v3 against v1",),
        setting=0.5,
    ),
)


def table(path: Path) -> str:
    """Return what is advised, with what was measured; empty before it was."""
    if not path.exists():
        return ""
    rows = [row for row in json.loads(path.read_text("utf-8")) if _first_level(row)]
    heads = ["situation", "use", "measured on", "NFR, untreated → so"]
    heads += ["NFR cut", "accuracy, points", "models asked"]
    lines = [_line(heads), "|---" * len(heads) + "|"]
    for one in ADVICE:
        for at, cells in enumerate(_measured(one, rows)):
            named = [one.situation, one.use] if at == 0 else ["", ""]
            lines.append(_line([*named, *cells]))
    return "\n".join(["", *lines, "", ""])


def _first_level(row: Row) -> bool:
    return row["split"] == "test" and row["level"] in ("example", "old classes")


def _measured(one: Advice, rows: Sequence[Row]) -> Iterator[list[str]]:
    for update in dict.fromkeys(row["update"] for row in rows):
        if not any(part in update for part in one.updates):
            continue
        here = [row for row in rows if row["update"] == update]
        untreated = next(row for row in here if row["treatment"] == "untreated")
        for row in here:
            if row["treatment"] == one.treatment and _is_meant(one, row):
                yield _cells(row, untreated)


def _is_meant(one: Advice, row: Row) -> bool:
    if one.setting is None:
        return bool(row["chosen_on_dev"])
    return bool(row["setting"] == one.setting)


def _cells(row: Row, untreated: Row) -> list[str]:
    before, after = (100 * one["metrics"]["nfr"] for one in (untreated, row))
    return [
        row["update"],
        f"{before:.2f} → {after:.2f} %",
        _estimate(row, "nfr_cut", ".0f", " %"),
        _estimate(row, "accuracy_gain", "+.2f", ""),
        str(row["cost"]["passes"]),
    ]


def _estimate(row: Row, name: str, form: str, unit: str) -> str:
    value = row["metrics"][name]
    low, high = row["intervals"][name]
    bounds = f"{100 * low:{form}} to {100 * high:{form}}"
    return f"{100 * value:{form}}{unit} ({bounds})"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
