"""Plain answers of somebody's code, brought into columns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonModel:
    """Answers with a function from a list of inputs to a list of labels.

    The function may also return a table with a column `prediction`, and more.

    Attributes:
        answer: The function.
        label_map: From its labels to the suite's.
        reference: The model, for messages.

    """

    answer: Callable[[Any], Any]
    label_map: Mapping[str, str]
    reference: str

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Answer a batch; `None` is no answer.

        Raises:
            ModelError: There is not one answer an item, or they are no labels.

        """
        given = self.answer(list(items))
        table = given if isinstance(given, pa.Table) else pa.table({})
        answers = self._answers(given, table)
        if len(answers) != len(items):
            raise ModelError(
                f"{self.reference}: gave {len(answers)} answers to {len(items)} inputs."
            )
        labels = pa.array([self._label(answer) for answer in answers], pa.string())
        rest = {n: table[n] for n in table.column_names if n != "prediction"}
        return pa.table({"prediction": labels, **rest})

    def _answers(self, given: object, table: pa.Table) -> list[Any]:
        if "prediction" in table.column_names:
            return list(table["prediction"].to_pylist())
        wrong = isinstance(given, str | bytes | Mapping | AbstractSet | pa.Table)
        if wrong or not isinstance(given, Iterable):
            raise ModelError(
                f"{self.reference}: expected a list of labels, or a table with a "
                f"column 'prediction'; got {type(given).__name__}."
            )
        listed = given.tolist() if hasattr(given, "tolist") else given
        return list(listed)

    def _label(self, answer: object) -> str | None:
        if answer is None:
            return None
        if not isinstance(answer, str | int | np.integer):
            raise ModelError(
                f"{self.reference}: expected a label (a text) for each input; got "
                f"{type(answer).__name__}: {answer!r:.80}"
            )
        return self.label_map.get(str(answer), str(answer))
