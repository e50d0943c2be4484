"""OLD's logits, computed once and looked up by id in a training of one's own.

`compat-eval predict OLD --suite S --split train --question logits --out old.parquet`
writes them; `TeacherLogits.read("old.parquet")` reads them.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.predictions import Predictions
from compat_eval.models.training.data import logits_by_label
from compat_eval.runner.questions import Logits, values_of
from compat_eval.runs.answers import read_meta

NO_LABEL = -1
"""In place of the number of an answer that is none of the student's labels."""

_READ = {".parquet": pq.read_table, ".jsonl": pa_json.read_json}
_CURE = (
    "Ask OLD about what you train on: compat-eval predict OLD --question logits, with "
    "--suite and --split, or --inputs FILE"
)


@dataclass(frozen=True, eq=False)
class TeacherLogits:
    """Logits of a teacher for examples, by id.

    Attributes:
        ids: Of the examples.
        values: Shape (n_examples, n_labels), float32; nan in the row of an example
            that the teacher has no answer to.
        labels: Names of the labels, in the order of the columns.
        answers: Number of the teacher's own answer among `labels`; `NO_LABEL` where it
            is another label. Shape (n_examples,).

    """

    ids: tuple[str, ...]
    values: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    answers: Ints

    @classmethod
    def of(
        cls,
        ids: Iterable[object],
        values: npt.ArrayLike,
        labels: Sequence[str],
    ) -> Self:
        """Return logits that were computed elsewhere.

        Args:
            ids: Of the examples, each once; other things than text are looked up as
                the text that `str` makes of them.
            values: Logits, or log-probabilities; shape (n_examples, n_labels).
            labels: Names in the order of the columns.

        Raises:
            DataError: An id occurs twice, or the shapes do not fit.

        """
        named = tuple(map(_text, ids))
        numbers = np.asarray(values, np.float32)
        if numbers.shape != (len(named), len(labels)):
            raise DataError(
                f"logits of {len(named)} examples and {len(labels)} labels have the "
                f"shape ({len(named)}, {len(labels)}); got {numbers.shape}"
            )
        if len(set(named)) < len(named):
            twice = [one for one, count in Counter(named).items() if count > 1]
            raise DataError(f"{len(twice)} ids occur more than once ({some(twice)})")
        answers = np.full(len(named), NO_LABEL, np.int64)
        there = np.isfinite(numbers).all(axis=1)
        if there.any():
            answers[there] = numbers[there].argmax(axis=1)
        return cls(named, numbers, tuple(labels), answers)

    @classmethod
    def of_answers(cls, answers: Predictions) -> Self:
        """Return a model's answers to the question for logits."""
        values, labels = values_of(answers.column(Logits.column))
        return cls.of(answers.ids.to_pylist(), values, labels)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a file that `compat-eval predict --question logits` wrote.

        Raises:
            DataError: It is no such file, or was changed since.

        """
        path = Path(path).expanduser()
        read = _READ.get(path.suffix.lower())
        if read is None:
            raise UsageError(f"{path}: logits are read from .parquet and .jsonl files")
        read_meta(path)
        try:
            table = read(path)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path}: cannot be read: {error}. {_CURE}") from error
        wanted = {"id", Logits.column} - {*table.column_names}
        if wanted or not pa.types.is_struct(table[Logits.column].type):
            raise DataError(
                f"{path}: expected columns id and logits, with a field a label; it has "
                f"{', '.join(table.column_names)}. {_CURE}"
            )
        return cls.of_answers(Predictions(table.select(["id", Logits.column])))

    def for_labels(self, labels: Sequence[str] | Mapping[int, str]) -> Self:
        """Return the logits in the order of a student's labels, matched by name.

        A label that the teacher does not know has the logit `UNKNOWN_LOGIT`; one that
        only the teacher knows is left out.

        Args:
            labels: The student's, in the order of its logits; or by number, as the
                `id2label` of a configuration of transformers.

        Raises:
            DataError: The two share no label.

        """
        if isinstance(labels, Mapping):
            labels = [labels[number] for number in sorted(labels)]
        place = {label: at for at, label in enumerate(labels)}
        # The last stands for NO_LABEL.
        number = np.array([*(place.get(x, NO_LABEL) for x in self.labels), NO_LABEL])
        if (number == NO_LABEL).all():
            raise DataError(
                f"OLD and the model that is trained share no label: OLD has "
                f"{some(self.labels)}, the model {some(labels)}. Labels are matched by "
                "name; give the model its labels' names (id2label)"
            )
        values = logits_by_label(self.values, self.labels, labels)
        return type(self)(self.ids, values, tuple(labels), number[self.answers])

    def rows(self, ids: Iterable[object]) -> Ints:
        """Return where examples stand.

        Raises:
            DataError: The teacher has no logits for some.

        """
        asked = [_text(one) for one in ids]
        rows = np.array([self._row.get(one, -1) for one in asked], np.int64)
        missing = [one for one, row in zip(asked, rows, strict=True) if row < 0]
        if missing:
            raise DataError(
                f"OLD has no logits for {len(missing)} of {len(asked)} examples "
                f"({some(missing)}). {_CURE}"
            )
        return rows

    def columns(
        self, ids: Iterable[object], gold: npt.ArrayLike
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Return what objectives read of a teacher.

        Args:
            ids: Of some examples.
            gold: Numbers of their right labels, shape (n_asked,).

        Returns:
            `teacher_logits`, shape (n_asked, n_labels), and `taught`: 1 where the
            teacher is right and 0 elsewhere, shape (n_asked,).

        Raises:
            DataError: The teacher has no logits for some.

        """
        rows = self.rows(ids)
        right = np.equal(self.answers[rows], gold)
        return {
            "teacher_logits": self.values[rows],
            "taught": np.asarray(right, np.float32),
        }

    def digest(self) -> str:
        """Return a SHA-256 of ids, labels and logits."""
        names = json.dumps([self.ids, self.labels]).encode()
        return hashlib.sha256(names + self.values.tobytes()).hexdigest()

    @cached_property
    def _row(self) -> dict[str, int]:
        """Where each example stands, without those that have no answer."""
        there = np.flatnonzero(np.isfinite(self.values).all(axis=1)).tolist()
        return {self.ids[at]: at for at in there}


def _text(one: Any) -> str:  # noqa: ANN401 - a number of numpy or torch, too
    return one if isinstance(one, str) else str(getattr(one, "item", lambda: one)())
