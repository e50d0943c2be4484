"""Compare, and leave a run directory behind: all of it, or nothing."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from compat_eval.comparison.result import Comparison
from compat_eval.core.errors import UsageError
from compat_eval.core.progress import Progress
from compat_eval.core.text import did_you_mean
from compat_eval.runs.claim import ClaimedDirectory, claim, next_run_directory
from compat_eval.runs.directory import Run, write_run
from compat_eval.workflows.compare import Answered, Compared, Sides, compare_sides
from compat_eval.workflows.first_look import look
from compat_eval.workflows.manifest import facts_of, manifest, role_facts, stored
from compat_eval.workflows.options import Options
from compat_eval.workflows.sides import Side

Render: TypeAlias = Callable[[Run], dict[str, bytes]]
"""Makes the reports of a run; `compat_eval.report.render.render` is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A comparison and where it was written."""

    comparison: Comparison
    run: Run

    @property
    def content(self) -> Mapping[str, Any]:
        """The content of comparison.json."""
        return self.run.comparison

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.run.path


def compare_and_write(
    old: Sides,
    new: Sides,
    options: Options,
    *,
    later: Sequence[Side] = (),
    render: Render,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Compare sides and write the run directory; see `compare_sides`.

    The place is taken before the work begins, so that a run which could not be
    written does not start.

    Raises:
        OutputError: The directory is taken or cannot be written.
        CompatEvalError: As `compare_sides`.

    """
    started = datetime.now(UTC)
    with ExitStack() as places:
        claimed = places.enter_context(place(out, options, overwrite=overwrite))
        clock = time.perf_counter()
        compared = compare_sides(old, new, options, later=later, progress=progress)
        seconds = {"compare": time.perf_counter() - clock}
        kind = compared.asked.task.kind
        if out is None and options.suite is None and kind != _name(options):
            # Only the answers told the task: the run is named after it.
            named = place(None, replace(options, task=kind), overwrite=overwrite)
            claimed = places.enter_context(named)
        return write_compared(
            compared,
            options,
            claimed=claimed,
            render=render,
            started=started,
            seconds=seconds,
        )


@contextmanager
def place(
    out: Path | None, options: Options, *, overwrite: bool
) -> Iterator[ClaimedDirectory]:
    """Take the run directory: the named one, or the next below `runs/`."""
    reserved = out is None
    if out is None:
        out = next_run_directory(Path("runs"), _name(options))
    with claim(out, overwrite=overwrite, reserved=reserved) as claimed:
        yield claimed


def _name(options: Options) -> str:
    if options.suite is None:
        return options.task or "classification"
    from compat_eval.suite.load import load_suite  # noqa: PLC0415

    return load_suite(options.suite).name


def write_compared(
    compared: Compared,
    options: Options,
    *,
    claimed: ClaimedDirectory,
    render: Render,
    started: datetime,
    seconds: Mapping[str, float],
) -> Written:
    """Write what was compared, with its reports."""
    run = as_run(compared, options, path=claimed.path, started=started, seconds=seconds)
    write_run(run, files=render(run), claimed=claimed)
    return Written(comparison=compared.comparison, run=run)


def as_run(
    compared: Compared,
    options: Options,
    *,
    path: Path,
    started: datetime,
    seconds: Mapping[str, float],
) -> Run:
    """Return what the run directory will hold."""
    panel = compared.comparison.tasks[0].panel
    content = compared.comparison.to_dict()
    answered = compared.answered
    return Run(
        path=path,
        comparison=content,
        manifest=manifest(
            facts=facts_of(content),
            asked=compared.asked,
            roles={
                **{
                    role: role_facts(side, panel.answers[role].graded_levels())
                    for role, side in answered.sides.items()
                },
                **_mitigated(answered),
            },
            options=options,
            started=started,
            seconds=seconds,
        ),
        examples=panel.examples,
        answers={role: stored(panel, role) for role in panel.answers},
    )


def _mitigated(answered: Answered) -> Mapping[str, Any]:
    """Return what the manifest says of the roles that mitigations add."""
    if not answered.mitigated:
        return {}
    from compat_eval.workflows.mitigations import provenance  # noqa: PLC0415

    return provenance(answered.mitigated, answered.effort)


def compare(
    old: Any,  # noqa: ANN401 - what `given_data` tells apart
    new: Any,  # noqa: ANN401
    *later: Any,  # noqa: ANN401
    gold: Any = None,  # noqa: ANN401
    inputs: Any = None,  # noqa: ANN401
    ids: Any = None,  # noqa: ANN401
    slices: Any = None,  # noqa: ANN401
    weights: Any = None,  # noqa: ANN401
    clusters: Any = None,  # noqa: ANN401
    old_scores: Any = None,  # noqa: ANN401
    new_scores: Any = None,  # noqa: ANN401
    classes: Sequence[Any] | None = None,
    suite: str | Path | None = None,
    gates: Any = None,  # noqa: ANN401
    out: str | Path | None = None,
    overwrite: bool = False,
    render: Render | None = None,
    progress: Progress | None = None,
    **options: Any,  # noqa: ANN401 - the fields of Options
) -> Comparison:
    """Compare an old and a new model, and judge the gates.

    A column is a list, a tuple, or a column of numpy, pandas, polars or pyarrow, with
    one value an example; all columns are in one order. A table is a DataFrame of
    pandas or polars, a table of pyarrow, a `datasets.Dataset`, or whatever gives its
    columns to Arrow.

    Args:
        old: A column of answers; a table with the columns `id` and `prediction`; a
            reference such as `hf:models/v1` or `preds:old.jsonl`; an open model
            (`ModelSource`) or side (`Recorded`); or a list of training runs of these.
        new: Likewise.
        *later: Further versions. Every pair is compared, and the first is judged
            against the last.
        gold: The right answers: a column, a table with `id` and `gold`, or a file.
        inputs: What was asked, a column: shown, and what models are asked.
        ids: Names of the examples, a column. By default a pandas index that is more
            than a count of rows, else the number of the row.
        slices: A table with a column a slice, or such columns by name.
        weights: How much an example counts, a column.
        clusters: Examples of one cluster are not independent, a column.
        old_scores: Probabilities of old's answers: a column; or an array with a column
            for each of `classes`.
        new_scores: Likewise of new's.
        classes: The classes, in the order of the columns of scores.
        suite: Name or path of a suite, in place of gold and what was asked.
        gates: Path of a gates file; or a list of gates, as `{"quantity": "nfr",
            "at_most": 0.005}`.
        out: Run directory to write; nothing is written without it.
        overwrite: Whether an earlier run in `out` may be replaced.
        render: Makes the reports of the run directory, such as
            `compat_eval.report.render.render`; without it the directory holds
            tables and numbers, and `compat-eval report` renders it.
        progress: Follows the work.
        **options: Further fields of `compat_eval.workflows.options.Options`, such
            as `limit`, `seed`, `task`, `on_mismatch`, `cache`, or
            `mitigate` with a list such as `["bcr:k=10", "joint"]`.

    Raises:
        CompatEvalError: Something is wrong with the suite, a model or data, or
            the sides did not answer the same examples.

    Examples:
        >>> from compat_eval.workflows.run import compare
        >>> found = compare(["a", "b", "b"], ["a", "a", "b"], gold=["a", "b", "a"])
        >>> found.judged.levels["example"].counts
        {'kept': 1, 'broken': 1, 'fixed': 0, 'missed': 1}

    """
    from compat_eval.workflows.given import given_data  # noqa: PLC0415 - only here

    given = given_data(
        (old, new, *later),
        gold=gold,
        ids=ids,
        slices=slices,
        scores={"old_scores": old_scores, "new_scores": new_scores},
        classes=classes,
        asks_suite=suite is not None,
        inputs=inputs,
        weights=weights,
        clusters=clusters,
    )
    if isinstance(gates, Mapping | list | tuple):
        from compat_eval.suite.load import gates_of  # noqa: PLC0415

        gates = gates_of(gates)
    chosen = _options(suite=suite, gates=gates, gold=given.gold, **options)
    sides = [*given.sides]
    if any(isinstance(one, str) and "@" in one for one in sides):
        from compat_eval.workflows.period_sides import period_sides  # noqa: PLC0415

        sides, chosen = period_sides(sides, chosen)
    first, second, *others = sides
    look(first, second, chosen)
    if out is None:
        return compare_sides(
            first, second, chosen, later=others, progress=progress
        ).comparison
    written = compare_and_write(
        first,
        second,
        chosen,
        later=others,
        render=render or (lambda _: {}),
        out=Path(out),
        overwrite=overwrite,
        progress=progress,
    )
    return written.comparison


def _options(**chosen: Any) -> Options:  # noqa: ANN401 - the fields of Options
    """Return the options of a call.

    Raises:
        UsageError: There is no such option.

    """
    known = [one.name for one in fields(Options)]
    for name in chosen:
        if name not in known:
            raise UsageError(f"no argument {name!r}; {did_you_mean(name, known)}")
    return Options(**chosen)
