"""A made run, written as a run directory."""

from pathlib import Path

from compat_eval.report.render import render
from compat_eval.runs.directory import Run, write_run


def written(run: Run, path: Path) -> Path:
    write_run(
        path,
        comparison=run.comparison,
        manifest=run.manifest,
        examples=run.examples,
        old=run.old,
        new=run.new,
        files=render(run),
    )
    return path
