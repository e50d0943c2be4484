"""What is asked, how it is scored, and what is demanded, with a suite or without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.vocabulary import evened
from compat_eval.core.errors import DataError, SuiteError, UsageError
from compat_eval.core.examples import LABEL, Examples
from compat_eval.core.grades import names
from compat_eval.core.normalise import normalised
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import (
    ChecksGold,
    SuitsAnswers,
    Task,
    answers_labels,
)
from compat_eval.core.recorded import Recorded
from compat_eval.gates import Demands
from compat_eval.readers.files import read_gold
from compat_eval.tasks import task as task_of
from compat_eval.workflows.options import Options

if TYPE_CHECKING:
    from compat_eval.suite.suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What a comparison is about.

    Attributes:
        name: Of the suite, or of the task without one.
        task: Says what is right.
        levels: The levels to count.
        examples: What is asked; `None` where only prediction files know.
        labels: The labels that examples have, before `--limit`.
        demands: The gates and what belongs to them; `None` where nothing is.
        suite: The suite, where there is one.
        partial: Whether `--limit` left examples out.
        whole: What is asked without `--limit`; files are aligned with that.

    """

    name: str
    task: Task
    levels: tuple[str, ...]
    examples: Examples | None
    labels: tuple[str, ...]
    demands: Demands | None
    suite: "Suite | None"
    partial: bool = False
    whole: Examples | None = None


def questions(options: Options, *, needs_gold: bool = True) -> Questions:
    """Load the suite or the gold file that the options name, and the gates.

    Without `needs_gold` that file may hold inputs alone.

    Raises:
        SuiteError: The suite or gates file is wrong.
        DataError: Examples cannot be read, or not be graded against.

    """
    found = _limited(_spelled(_named(options, needs_gold=needs_gold), options), options)
    if found.examples is not None and isinstance(found.task, ChecksGold):
        try:
            found.task.check_gold(found.examples.with_gold())
        except DataError as error:
            raise DataError(f"{_place(found.suite, options)}: {error}") from error
    return found


def as_proposed(asked: Questions, opened: Mapping[str, object]) -> Questions:
    """Return the questions with the task kind as which the sides were read.

    Args:
        asked: What is asked; its kind is what files are read as, unless they are logs
            that propose another.
        opened: By role, recorded sides and models.

    Raises:
        UsageError: Sides were read as different kinds.

    """
    read = {
        role: side.kind
        for role, side in opened.items()
        if isinstance(side, Recorded) and side.kind
    }
    kinds = {*read.values()} - {asked.task.kind}
    if not kinds:
        return asked
    if len({*read.values()}) > 1:
        said = ", ".join(f"{role} of {kind}" for role, kind in read.items())
        raise UsageError(
            f"the logs are of different kinds ({said}); say which one is meant: "
            f"--task {kinds.pop()}"
        )
    task = task_of(kinds.pop())
    return replace(asked, name=task.kind, task=task, levels=names(task.levels))


def suited(
    asked: Questions, examples: Sequence[Examples], answers: Sequence[Predictions]
) -> Questions:
    """Return the questions with the levels that these answers allow.

    Args:
        asked: What is asked.
        examples: In the words of each who asks.
        answers: Of each side.

    Raises:
        SuiteError: None of the levels that a suite counts is among them.

    """
    if not isinstance(asked.task, SuitsAnswers):
        return asked
    task = asked.task.suited(examples, answers)
    levels = names(task.levels)
    if asked.suite is not None and asked.suite.config.get("levels"):
        levels = tuple(level for level in asked.levels if level in levels)
    if not levels:
        why = "; ".join(
            f"{level}: {task.withheld.get(level, 'these answers have none')}"
            for level in asked.levels
        )
        raise SuiteError(f"no level that the suite counts is there: {why}")
    return replace(asked, task=task, levels=levels)


def _spelled(found: Questions, options: Options) -> Questions:
    """Even out gold labels, as those of both sides will be."""
    if not options.normalise:
        return found
    if not answers_labels(found.task):
        raise UsageError(
            "--normalise evens out labels, and the answers of task "
            f"{found.task.kind} are none"
        )
    gold = found.examples
    if gold is not None:
        gold = evened(gold, "gold", options.normalise)
    labels = tuple(normalised(label, options.normalise) for label in found.labels)
    return replace(found, examples=gold, labels=tuple(dict.fromkeys(labels)))


def _named(options: Options, *, needs_gold: bool) -> Questions:
    gates = None
    if isinstance(options.gates, Demands):
        gates = options.gates
    elif options.gates is not None:
        from compat_eval.suite.load import load_gates  # noqa: PLC0415

        gates = load_gates(options.gates)
    if options.suite is not None:
        return _of_suite(options, gates)
    task = task_of(options.task or "classification", **options.task_options)
    examples = None
    if options.gold is not None:
        in_memory = isinstance(options.gold, pa.Table)
        name = "gold" if in_memory else str(options.gold)
        request = options.request(name, role="gold", kind=task.kind)
        source = options.gold if in_memory else Path(options.gold)
        examples = read_gold(source, request, needs_gold=needs_gold)
    return Questions(
        name=task.kind,
        task=task,
        levels=names(task.levels),
        examples=examples,
        labels=_labels(examples),
        demands=gates,
        suite=None,
    )


def _of_suite(options: Options, demands: Demands | None) -> Questions:
    from compat_eval.suite.examples import load_examples  # noqa: PLC0415
    from compat_eval.suite.load import load_suite  # noqa: PLC0415

    assert options.suite is not None
    suite = load_suite(options.suite)
    if demands is not None:
        suite = suite.with_demands(demands)
    examples = load_examples(
        suite, options.split, data_dir=options.data_dir, offline=options.offline
    )
    if len(examples) == 0:
        raise DataError(
            f"suite {suite.name!r}, split {options.split!r}: there are no examples"
        )
    declared = suite.labels.names if suite.labels is not None else ()
    return Questions(
        name=suite.name,
        task=suite.task,
        levels=suite.levels,
        examples=examples,
        labels=tuple(dict.fromkeys((*declared, *_labels(examples)))),
        demands=suite.demands,
        suite=suite,
    )


def _place(suite: "Suite | None", options: Options) -> str:
    """Return where the gold answers stand, as messages call it."""
    if suite is None:
        return "gold" if isinstance(options.gold, pa.Table) else str(options.gold)
    from compat_eval.suite.data.rows import describe  # noqa: PLC0415

    files = ", ".join(describe(source) for source in suite.data[options.split])
    return f"suite {suite.name}, split {options.split} ({files})"


def _limited(found: Questions, options: Options) -> Questions:
    found = replace(found, whole=found.examples)
    if options.limit is None or found.examples is None:
        return found
    from compat_eval.runner.shards import limit  # noqa: PLC0415

    examples = limit(found.examples, options.limit)
    cut = len(examples) < len(found.examples)
    return replace(found, examples=examples, partial=cut)


def _labels(examples: Examples | None) -> tuple[str, ...]:
    if examples is None or "gold" not in examples:
        return ()
    gold = examples.column(LABEL if LABEL in examples else "gold")
    if str(gold.type) not in ("string", "large_string"):
        return ()
    found = pc.unique(gold).to_pylist()
    return tuple(sorted(label for label in found if label is not None))


def require_examples(found: Questions, what: str) -> Examples:
    """Return the examples that a model can be asked.

    Raises:
        UsageError: There are none, or they have no inputs.

    """
    if found.examples is None:
        raise UsageError(
            f"{what} is a model, so it must be asked something: give --suite NAME, or "
            "--task KIND with --gold FILE that has a column 'input'"
        )
    if "input" not in found.examples:
        raise DataError(
            "the examples have no column 'input' to ask a model; name it with "
            "--fields input=COLUMN"
        )
    return found.examples
