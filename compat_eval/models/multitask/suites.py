"""The suites that a model learns, and how its training says which they were."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.models.training.data import hold_out
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.suite.suite import Suite

HELD_OUT = "held out"
"""What stands for a dev split where a tenth of the training examples is put aside."""

TEACHER = "teacher_logits"
"""Column with logits of OLD, one for each label of the task in alphabetical order."""

_NAMED = re.compile(
    r"(?P<called>.+) (?P<version>\S+) (?P<split>\S+), dev (?P<dev>held out|\S+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedSuite:
    """A suite of which a split is learned.

    Attributes:
        suite: The suite.
        called: Its name, or its file as the user wrote it.
        split: What is learned.
        dev: What decides when to stop: a split, `held out` or `none`.

    """

    suite: Suite
    called: str
    split: str
    dev: str

    def __str__(self) -> str:
        """Return what the record of a training says."""
        return f"{self.called} {self.suite.version} {self.split}, dev {self.dev}"

    def load(
        self, *, data_dir: Path | None, offline: bool
    ) -> tuple[Examples, Examples | None]:
        """Read what is learned, and what decides when to stop."""

        def split(name: str) -> Examples:
            return load_examples(self.suite, name, data_dir=data_dir, offline=offline)

        examples = split(self.split)
        if self.dev == HELD_OUT:
            return hold_out(examples)
        return examples, None if self.dev == "none" else split(self.dev)


def load_tasks(
    suites: Sequence[LearnedSuite], *, data_dir: Path | None, offline: bool
) -> tuple[Examples, Examples | None]:
    """Read several suites as tasks of one training; see `joined`.

    Raises:
        UsageError: Two have one name.

    """
    names = [one.suite.name for one in suites]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"tasks are called as their suites, and {', '.join(twice)} is named twice"
        )
    train, dev = [], []
    for one in suites:
        name, kind = one.suite.name, one.suite.task.kind
        examples, held = one.load(data_dir=data_dir, offline=offline)
        train.append((name, kind, examples))
        if held is not None:
            dev.append((name, kind, held))
    return joined(train), joined(dev) if dev else None


def joined(parts: Sequence[tuple[str, str, Examples]]) -> Examples:
    """Return the examples of several tasks as one table with `task` and `kind`.

    A task may have logits of a teacher, which the others lack.

    Args:
        parts: Name, kind and examples of each task.

    Examples:
        >>> one = Examples(pa.table({"id": ["a"], "input": ["hi"], "gold": ["x"]}))
        >>> both = joined([("t", "classification", one), ("u", "tagging", one)])
        >>> both.ids.to_pylist(), both.column("task").to_pylist()
        (['t/a', 'u/a'], ['t', 'u'])

    """
    tables = []
    for name, kind, examples in parts:
        n = len(examples)
        ids = pc.binary_join_element_wise(name, examples.ids, "/")
        columns = {
            "id": ids,
            "input": examples.column("input"),
            "gold": examples.column("gold"),
            "task": pa.array([name] * n, pa.string()),
            "kind": pa.array([kind] * n, pa.string()),
        }
        if TEACHER in examples:
            columns[TEACHER] = examples.column(TEACHER)
        tables.append(pa.table(columns))
    return Examples(pa.concat_tables(tables, promote_options="default"))


def suites_of(text: str) -> list[LearnedSuite]:
    """Return the suites that the record of a training names; none where it does not.

    Raises:
        SuiteError: A suite is no longer there.

    """
    found = [_NAMED.fullmatch(part) for part in text.split("; ")]
    return [
        LearnedSuite(
            suite=load_suite(one["called"]),
            called=one["called"],
            split=one["split"],
            dev=one["dev"],
        )
        for one in found
        if one is not None
    ]
