"""Mitigations on a terminal; foreign names go through `rich.text.Text`."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from compat_eval.report import words
from compat_eval.report.numbers import Number
from compat_eval.report.view.mitigations import Mitigations, choice_rows

_RIGHT = {"justify": "right", "no_wrap": True}


def mitigation_table(found: Mitigations) -> Table:
    """Return untreated NEW, and NEW under each mitigation, at the main level."""
    level = found.levels[0]
    table = _empty(f"Mitigations: {level.title}")
    table.add_column("NEW", ratio=2, overflow="fold")
    for name in ("Broken", "Fixed"):
        table.add_column(name, **_RIGHT)  # type: ignore[arg-type]
    for name in ("Accuracy", "NFR", "NFI"):
        table.add_column(name, justify="right")
    for row in level.rows:
        table.add_row(
            Text(row.name),
            row.broken,
            row.fixed,
            _with_change(row.accuracy, row.accuracy_change),
            _with_change(row.nfr, None),
            _with_change(row.nfi, row.nfi_change),
        )
    return table


def _with_change(value: Number, change: Number | None) -> Text:
    text = Text(value.text)
    if change is not None:
        text.append(f"\n{change.text}\n{change.interval}", style="dim")
    return text


def choice_table(choice: Mapping[str, Any], level: str) -> Table:
    """Return what every setting does on dev at a level."""
    table = _empty(f"On {choice['split']}: {words.level_title(level)}")
    table.add_column(choice["option"])
    for name in ("Accuracy", "NFR", "NFI", "PFR"):
        table.add_column(name, **_RIGHT)  # type: ignore[arg-type]
    for row in choice_rows(choice, level):
        style = "bold" if row.chosen else "default"
        value = f"{row.value} (chosen)" if row.chosen else row.value
        table.add_row(value, row.accuracy, row.nfr, row.nfi, row.pfr, style=style)
    return table


def _empty(title: str) -> Table:
    return Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
