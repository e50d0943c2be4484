"""A made run, written as a run directory."""

from dataclasses import replace
from pathlib import Path

from compat_eval.report.render import render
from compat_eval.runs.directory import Run, write_run


def written(run: Run, path: Path) -> Path:
    write_run(replace(run, path=path), files=render(run))
    return path
