from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from compat_eval.comparison.compare import compare_panel
from compat_eval.comparison.panel import AGAIN, NEW, OLD
from compat_eval.core.errors import CoverageError
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades
from compat_eval.core.predictions import Predictions
from compat_eval.core.verdict import Verdict
from compat_eval.gates import Demands, Gate
from compat_eval.tasks.classification.task import Classification
from tests.fakes import examples, panel, predictions, update


def test_sides_are_brought_into_the_examples_order_by_id() -> None:
    asked = examples(id=["a", "b", "c"], gold=["x", "y", "z"])
    old = predictions(id=["c", "a", "b"], prediction=["z", "x", "y"])
    new = predictions(id=["b", "c", "a"], prediction=["y", "z", "x"])

    paired = update(asked, old, new)

    assert paired.old.column("prediction").to_pylist() == ["x", "y", "z"]
    assert paired.new.column("prediction").to_pylist() == ["x", "y", "z"]
    assert paired.coverage()["both"] == 3


def test_a_missing_example_names_its_id_and_the_way_out() -> None:
    asked = examples(id=["a", "b"], gold=["x", "y"])
    old = predictions(id=["a", "b"], prediction=["x", "y"])
    new = predictions(id=["a"], prediction=["x"])

    with pytest.raises(CoverageError, match=r"new lacks 1 \(b\).*--on-missing bound"):
        update(asked, old, new)


def test_an_answer_to_an_unknown_example_is_refused() -> None:
    asked = examples(id=["a"], gold=["x"])
    old = predictions(id=["a"], prediction=["x"])
    new = predictions(id=["a", "s9"], prediction=["x", "x"])

    with pytest.raises(CoverageError, match=r"new has 1 more \(s9\)"):
        update(asked, old, new)


def test_bound_keeps_a_missing_example_as_a_row_of_nulls() -> None:
    asked = examples(id=["a", "b", "c"], gold=["x", "y", "z"])
    old = predictions(id=["a", "b"], prediction=["x", "y"])
    new = predictions(id=["b"], prediction=["y"])

    paired = update(asked, old, new, on_missing="bound")

    assert paired.examples.ids.to_pylist() == ["a", "b", "c"]
    assert paired.new.column("prediction").to_pylist() == [None, "y", None]
    assert paired.old_missing.tolist() == [False, False, True]
    assert paired.new_missing.tolist() == [True, False, True]
    assert paired.coverage() == {"both": 1, "only_old": 1, "only_new": 0, "neither": 1}
    assert paired.panel.coverage() == {
        "old": {"answered": 2, "missing": 1, "errors": 0, "unasked": 0},
        "new": {"answered": 1, "missing": 2, "errors": 0, "unasked": 0},
    }


def test_nothing_in_common_is_an_error_even_with_bound() -> None:
    asked = examples(id=["a"], gold=["x"])
    other = predictions(id=["b"], prediction=["x"])

    with pytest.raises(CoverageError, match="nothing to compare"):
        update(asked, other, other, on_missing="bound")


def test_errors_of_a_model_are_counted() -> None:
    asked = examples(id=["a", "b"], gold=["x", "y"])
    old = predictions(id=["a", "b"], prediction=["x", None], error=[None, "boom"])
    new = predictions(id=["a", "b"], prediction=["x", "y"])

    coverage = panel(asked, old, new).coverage()

    assert (coverage["old"]["errors"], coverage["new"]["errors"]) == (1, 0)


@dataclass(frozen=True)
class CountingTask(Classification):
    """Remembers which answers it graded."""

    graded: list[list[str]] = field(default_factory=list)

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        self.graded.append(predictions.column("prediction").to_pylist())
        return Classification().grade(examples, predictions, levels)


def test_a_comparison_with_further_roles_grades_each_role_once() -> None:
    """Slices, gates, noise, errors at their worst, labels to overturn, a mitigation."""
    ids = [f"e{i}" for i in range(40)]
    asked = examples(
        id=ids, gold=["x"] * 40, slice__half=["a", "b"] * 20, cluster=ids[:20] * 2
    )
    answers = {
        role: predictions(
            id=ids,
            prediction=[None, *["x" if at % n else "y" for at in range(1, 40)]],
            error=["boom", *[None] * 39],
            score=[0.9] * 40,
        )
        for n, role in enumerate((OLD, NEW, AGAIN, "new+m"), start=2)
    }
    task = CountingTask()
    further = [(role, answers[role]) for role in (AGAIN, "new+m")]
    roles = panel(asked, answers[OLD], answers[NEW], *further, task=task)

    found = compare_panel(
        roles,
        demands=Demands(gates=(Gate(quantity="nfr", at_most=0.9),)),
        max_errors=0.5,
        mitigations={"new+m": {"name": "m"}},
    )

    assert found.gates[0].verdict is Verdict.PASS
    assert len(task.graded) == 4
    assert len({tuple(map(str, one)) for one in task.graded}) == 4
