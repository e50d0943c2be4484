"""The command lines of an experiment."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from experiments.updates.files import write_results
from experiments.updates.treated import Update

Make = Callable[[str], None]
"""Trains the model of a name, unless it is there already."""


def make_models(doc: str | None, make: Make) -> None:
    """Train the models that the command line names."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.names:
        make(name)


def run_updates(
    doc: str | None,
    updates: Mapping[str, Update],
    *,
    threads: int,
    make: Make,
    rows: Callable[[Update], list[dict[str, Any]]],
    page: Callable[[Sequence[Mapping[str, Any]]], str],
    out: Path,
) -> None:
    """Measure the updates that the command line names, or all.

    Rows of updates that it does not name stay as they were.

    Args:
        doc: Help of the command.
        updates: By name.
        threads: By default.
        make: Makes a model that an update needs.
        rows: Measures an update.
        page: Writes a page from all rows.
        out: Folder of `results.json` and `RESULTS.md`, written after each update.

    """
    parser = argparse.ArgumentParser(description=doc)
    known = ", ".join(updates)
    parser.add_argument("updates", nargs="*", metavar="UPDATE", help=known)
    parser.add_argument("--threads", type=int, default=threads)
    options = parser.parse_args()
    unknown = [name for name in options.updates if name not in updates]
    if unknown:
        parser.error(f"no update {unknown[0]}; there are {known}")
    torch.set_num_threads(options.threads)
    found = _known(out / "results.json")
    order = [update.title for update in updates.values()]
    for name in options.updates or updates:
        for model in updates[name].models:
            make(model)
        others = [row for row in found if row["update"] != updates[name].title]
        found = others + rows(updates[name])
        found = [row for row in found if row["update"] in order]
        found.sort(key=lambda row: order.index(row["update"]))
        write_results(out, found, page(found))


def _known(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return rows
