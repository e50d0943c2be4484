"""Examples and what every role answered: in one order, graded once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.own_grades import graded
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import CoverageError, DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades
from compat_eval.core.policies import OnMissing
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import Task
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.core.table import positions
from compat_eval.statistics import STATISTICS

OLD, NEW, AGAIN = "old", "new", "old again"
"""Roles: the model in use, the one that would replace it, and OLD's second run."""
PARAGON = "paragon"
"""Role of an encoder NEW trained without any thought of OLD, on its own index."""

_LARGEST_SCORE = 1e15


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The questions and the answers of every role, row by row.

    Attributes:
        name: Of the suite or task; part of every random number's key.
        task: Says what is right.
        levels: The levels to count, the most important first.
        seed: Random seed.
        examples: The questions.
        answers: By role, row by row with `examples`; a row of nulls where a role has
            none.
        missing: By role, which examples it lacks; shape (n_examples,).
        unasked: By role, how many answers to examples that nobody asked.

    """

    name: str
    task: Task
    levels: Sequence[str]
    seed: int = 0
    examples: Examples
    answers: Mapping[str, Predictions]
    missing: Mapping[str, Bools]
    unasked: Mapping[str, int] = field(default_factory=dict)
    _grades: dict[str, Mapping[str, Grades]] = field(
        default_factory=dict, init=False, repr=False
    )
    _statistics: dict[str, Mapping[str, Statistic]] = field(
        default_factory=dict, init=False, repr=False
    )
    _rows: dict[tuple[str, str], CodedRows] = field(
        default_factory=dict, init=False, repr=False
    )

    @classmethod
    def aligned(
        cls,
        examples: Examples,
        answers: Mapping[str, Predictions],
        *,
        task: Task,
        name: str,
        levels: Sequence[str],
        seed: int = 0,
        on_missing: OnMissing = "fail",
    ) -> Self:
        """Bring the answers of every role into the examples' order, by id.

        Raises:
            CoverageError: No example was answered by any role; or, with
                `on_missing="fail"`, a role lacks one or answered another.

        """
        rows = {
            role: positions(examples.ids, side.ids) for role, side in answers.items()
        }
        if on_missing == "fail":
            _require_all(examples, {r: (answers[r], rows[r]) for r in answers})
        missing = {role: found < 0 for role, found in rows.items()}
        if np.logical_and.reduce(list(missing.values())).all():
            raise CoverageError(
                "there is nothing to compare: no example was answered by either side"
            )
        return cls(
            name=name,
            task=task,
            levels=levels,
            seed=seed,
            examples=examples,
            answers={
                role: _arranged(side, rows[role], examples)
                for role, side in answers.items()
            },
            missing=missing,
            unasked={
                role: len(side) - int(np.count_nonzero(rows[role] >= 0))
                for role, side in answers.items()
            },
        )

    def with_role(self, role: str, answers: Predictions) -> Self:
        """Add a role that answered every example; its further answers are left out.

        What is graded already stays so.

        Raises:
            CoverageError: It lacks an example.

        """
        assert role not in self.answers, "a role answers once"
        rows = positions(self.examples.ids, answers.ids)
        asked = answers.take(positions(answers.ids, self.examples.ids) >= 0)
        _require_all(self.examples, {role: (asked, rows)})
        found = replace(
            self,
            answers={**self.answers, role: _arranged(answers, rows, self.examples)},
            missing={**self.missing, role: rows < 0},
            unasked={**self.unasked, role: 0},
        )
        for known in ("_grades", "_statistics", "_rows"):
            getattr(found, known).update(getattr(self, known))
        return found

    def without_own_questions(self) -> Self:
        """Take out other roles' answers to examples that the first role lacks.

        Where no suite or gold file asks, only a judged file knows those questions and
        their gold: they are answered by nobody.
        """
        first, *others = self.answers
        answers, missing = dict(self.answers), dict(self.missing)
        for role in others:
            own = missing[first] & ~missing[role]
            if own.any():
                rows = np.where(own, -1, np.arange(len(own)))
                answers[role] = _arranged(answers[role], rows, self.examples)
                missing[role] = missing[role] | own
        return replace(self, answers=answers, missing=missing)

    def pooled(self, pairs: Sequence[tuple[str, str]]) -> Self:
        """Return a panel of `old` and `new` in which each example stands once a pair.

        So the counts of the pairs are added. Examples that have no cluster are clusters
        themselves: what they say under several pairs is not independent.
        """
        examples, answers = stacked(self.examples, self.answers, pairs)
        columns = dict(zip((OLD, NEW), zip(*pairs, strict=True), strict=True))
        found = replace(
            self,
            examples=examples,
            answers=answers,
            missing={
                name: np.concatenate([self.missing[role] for role in roles])
                for name, roles in columns.items()
            },
            unasked={},
        )
        for name, roles in columns.items():
            joined = {
                level: _joined([self.grades(role)[level] for role in roles])
                for level in self.levels
            }
            found.regrade(name, joined)
        return found

    def coverage(self) -> dict[str, dict[str, int]]:
        """Return how many examples each role answered, by role.

        An error is an answer; `unasked` are answers to examples that nobody asked.
        """
        return {
            role: {
                "answered": int(np.count_nonzero(~missing)),
                "missing": int(np.count_nonzero(missing)),
                "errors": int(np.count_nonzero(self.answers[role].errors())),
                "unasked": self.unasked.get(role, 0),
            }
            for role, missing in self.missing.items()
        }

    def grades(self, role: str) -> Mapping[str, Grades]:
        """Return the grades of a role's answers, by level."""
        if role not in self._grades:
            found = graded(self.task, self.examples, self.answers[role], self.levels)
            for level, grades in found.items():
                _refuse_boundless(grades, self.examples, f"{role}: level {level}")
            self._grades[role] = found
        return self._grades[role]

    def regrade(self, role: str, grades: Mapping[str, Grades]) -> None:
        """Take other grades of a role's answers than the task's."""
        self._grades[role] = grades

    def statistics(self, role: str) -> Mapping[str, Statistic]:
        """Return the statistics that a role's answers allow, by name."""
        if role not in self._statistics:
            answers = self.answers[role]
            found = [*self.task.statistics(self.examples, answers), *_added(answers)]
            self._statistics[role] = {one.name: one for one in found}
        return self._statistics[role]

    def rows(self, role: str, statistic: Statistic) -> CodedRows:
        """Return a statistic's row of sums for each example of a role."""
        key = role, statistic.name
        if key not in self._rows:
            self._rows[key] = statistic.rows(self.examples, self.answers[role])
        return self._rows[key]


def _refuse_boundless(grades: Grades, examples: Examples, where: str) -> None:
    """Refuse scores of which double precision holds no mean with the others.

    Raises:
        DataError: There are some; the message names their examples.

    """
    if grades.values.dtype == np.bool_:
        return
    # The fourth powers of deviations are summed, too: 1e60 is far from overflow.
    far = np.abs(grades.scores) > _LARGEST_SCORE
    if far.any():
        at = np.repeat(np.arange(len(examples)), grades.units_per_example())[far]
        ids = examples.ids.take(pa.array(np.unique(at))).to_pylist()
        raise DataError(
            f"{where}: the scores of {len(ids)} examples ({some(ids)}) lie beyond "
            f"±{_LARGEST_SCORE:g}, the first is {grades.scores[far][0]:g}: they would "
            "drown all others. Mend them, or leave them empty where there is none."
        )


def _added(answers: Predictions) -> Iterator[Statistic]:
    """Return the statistics of other packages that these answers allow."""
    for name in STATISTICS.names():
        statistic: Statistic = STATISTICS.load(name)
        if all(column in answers for column in statistic.needs):
            yield statistic


def _require_all(
    examples: Examples, sides: Mapping[str, tuple[Predictions, Ints]]
) -> None:
    faults = []
    for side, (predictions, rows) in sides.items():
        if (rows < 0).any():
            lacking = examples.ids.filter(pa.array(rows < 0))
            faults.append(f"{side} lacks {len(lacking)} ({some(lacking.to_pylist())})")
        if len(predictions) > np.count_nonzero(rows >= 0):
            unknown = positions(predictions.ids, examples.ids) < 0
            ids = predictions.ids.filter(pa.array(unknown)).to_pylist()
            faults.append(f"{side} has {len(ids)} more ({some(ids)})")
    if faults:
        raise CoverageError(
            f"old and new must answer the same {len(examples)} examples, but "
            f"{', '.join(faults)}. Run both on the same examples, or take each "
            "missing answer at the worst with --on-missing bound."
        )


def _arranged(predictions: Predictions, rows: Ints, examples: Examples) -> Predictions:
    if len(rows) == len(predictions) and (rows == np.arange(len(rows))).all():
        return predictions
    answers = predictions.table.drop_columns("id").take(pa.array(rows, mask=rows < 0))
    return Predictions(answers.add_column(0, "id", examples.ids))


def stacked(
    examples: Examples,
    answers: Mapping[str, Predictions],
    pairs: Sequence[tuple[str, str]],
) -> tuple[Examples, dict[str, Predictions]]:
    """Return examples once for each pair of roles, and what `old` and `new` said."""
    ids, parts = [], []
    for pair in pairs:
        ids.append(pc.binary_join_element_wise(examples.ids, name_in(pair, ""), ""))
        cluster = examples.ids
        if "cluster" in examples:
            alone = pc.binary_join_element_wise("example", examples.ids, " ")
            cluster = pc.coalesce(examples.column("cluster"), alone)
        parts.append(examples.without(["cluster"]).with_column("cluster", cluster))
    named = pa.chunked_array([chunk for one in ids for chunk in one.chunks])
    sides = dict(zip((OLD, NEW), zip(*pairs, strict=True), strict=True))
    return (
        Examples(_one_below_another([one.table for one in parts], named)),
        {
            name: Predictions(
                _one_below_another([answers[role].table for role in roles], named)
            )
            for name, roles in sides.items()
        },
    )


def name_in(pair: tuple[str, str], example_id: str) -> str:
    """Return what an example is called where it stands once for each pair of roles."""
    return f"{example_id} · {pair[0]} → {pair[1]}"


def _one_below_another(tables: Sequence[pa.Table], ids: pa.ChunkedArray) -> pa.Table:
    try:
        whole = pa.concat_tables(tables, promote_options="default")
    except pa.ArrowException as error:
        raise DataError(
            "the runs' answers are of different forms, such as one and several an "
            f"example: {error}. Give all runs in one form."
        ) from error
    return whole.set_column(whole.column_names.index("id"), "id", ids)


def _joined(parts: Sequence[Grades]) -> Grades:
    offsets = [np.zeros(1, np.int64)]
    for one in parts:
        offsets.append(one.offsets[1:] + offsets[-1][-1])
    samples = [p.samples for p in parts if p.samples is not None]
    ends = [p.ends for p in parts if p.ends is not None]
    return Grades(
        np.concatenate([p.values for p in parts]),
        np.concatenate(offsets),
        samples=np.concatenate(samples) if samples else None,
        ends=np.concatenate(ends, axis=1) if ends else None,
    )
