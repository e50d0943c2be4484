"""Every check finds the fault it is there for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from compat_eval.core.arrays import Bools
from compat_eval.core.errors import ModelError
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.tasks import task
from compat_eval.testing import (
    check_changed_content,
    check_model,
    check_predictions,
    check_refuses,
    check_source,
    check_statistic,
    check_task,
)
from tests.unit.comparison.parsed import parsed
from tests.unit.report.parsed_run import semantic_run

INPUTS = ["a", "bb", "ccc"]


class Model:
    """Answers with a function of the batch."""

    def __init__(self, answer: Callable[[Sequence[Any]], Any]) -> None:
        self.answer = answer

    def predict(self, items: Sequence[Any]) -> Any:
        return self.answer(items)


def plain(items: Sequence[Any]) -> pa.Table:
    answers = [str(len(item)) for item in items]
    scores = [1.0 / len(item) for item in items]
    return pa.table(
        {
            "prediction": pa.array(answers, pa.string()),
            "score": pa.array(scores, pa.float64()),
        }
    )


def changed(name: str, values: Callable[[int], Any]) -> Callable[[Sequence[Any]], Any]:
    def answer(items: Sequence[Any]) -> pa.Table:
        table = plain(items)
        if name in table.column_names:
            table = table.drop_columns([name])
        return table.append_column(name, values(len(items)))

    return answer


class Source:
    reference = "fake:model"

    def __init__(self, **parts: Any) -> None:
        self.parts = {"model": Model(plain), "described": {}, **parts}
        self.prints = iter(parts.get("prints", ["a" * 64] * 9))

    def fingerprint(self) -> str:
        return str(next(self.prints))

    def describe(self) -> Any:
        return self.parts["described"]

    def load(self) -> Any:
        return self.parts["model"]


def test_a_good_model_passes() -> None:
    check_model(Model(plain), INPUTS)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda items: ["x"] * len(items), "must return a pyarrow.Table; got list"),
        (lambda items: plain(items[:1]), "one row an item; got 1 for 3"),
        (changed("id", lambda n: pa.array(["x"] * n)), "'prediction' and no 'id'"),
        (changed("score", lambda n: pa.array([2.0] * n)), r"must lie in \[0.0, 1.0\]"),
        (changed("score", lambda n: pa.array([1] * n)), "'score' must be float64"),
        (changed("score", lambda n: pa.array([np.nan] * n)), "null where undefined"),
        (changed("margin", lambda n: pa.array([1.0 / (n + 1)] * n)), "neighbours"),
        (changed("rank", lambda n: pa.array(range(n))), "in another order"),
        (changed("error", lambda n: pa.array(["no"] * n)), "both a prediction and an"),
    ],
)
def test_a_faulty_model_is_told_its_fault(answer: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_model(Model(answer), INPUTS)


def test_an_encoder_that_drops_an_input_is_told() -> None:
    class Dropping(Model):
        def encode(self, inputs: Sequence[Any]) -> Sequence[Any]:
            return inputs[1:]

    with pytest.raises(AssertionError, match="one item an input; got 2 for 3"):
        check_model(Dropping(plain), INPUTS)


def test_logits_that_disagree_with_the_prediction_are_told() -> None:
    class Confused(Model):
        labels = ("1", "2", "3")

        def logits(self, items: Sequence[Any]) -> Any:
            return np.tile([0.0, 0.0, 1.0], (len(items), 1))

    with pytest.raises(AssertionError, match="row 0: '1' has not the largest logit"):
        check_model(Confused(plain), INPUTS)


def test_a_good_source_passes() -> None:
    check_source(Source(described={"labels": ["a"]}))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"prints": ["short"] * 3}, "must be a SHA-256"),
        ({"prints": ["a" * 64, "b" * 64]}, "must be stable"),
        ({"described": []}, r"describe\(\) must return a dict"),
        ({"described": {"x": float("nan")}}, "JSON-ready"),
        ({"described": {"x": (1,)}}, "must survive JSON"),
        ({"model": "no model"}, r"object with predict\(\); got str"),
    ],
)
def test_a_faulty_source_is_told_its_fault(parts: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_source(Source(**parts))


def test_a_fingerprint_that_misses_a_change_is_told() -> None:
    check_changed_content("a" * 64, "b" * 64)

    with pytest.raises(AssertionError, match="must change with the content"):
        check_changed_content("a" * 64, "a" * 64)


def raising(error: Exception) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def test_a_refusal_must_be_ours_and_name_the_file() -> None:
    check_refuses(raising(ModelError("model.bin: cut short")), naming="model.bin")

    with pytest.raises(AssertionError, match=r"got OSError: model\.bin"):
        check_refuses(raising(OSError("model.bin")), naming="model.bin")
    with pytest.raises(AssertionError, match=r"must name 'model\.bin'"):
        check_refuses(raising(ModelError("something is wrong")), naming="model.bin")
    with pytest.raises(AssertionError, match="nothing raised"):
        check_refuses(lambda: None, naming="model.bin")
    with pytest.raises(AssertionError, match="what to do"):
        check_refuses(raising(ModelError("bad file")), naming="file")


EXAMPLES = Examples(
    pa.table({"id": ["1", "2", "3"], "input": INPUTS, "gold": ["x", "y", "x"]})
)


def predictions(**columns: Any) -> Predictions:
    given = {"id": ["1", "2", "3"], "prediction": ["x", "x", None], **columns}
    return Predictions(pa.table(given))


def test_good_predictions_pass() -> None:
    check_predictions(predictions(score=[0.5, 0.5, None]))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"score": [1, 2, 3]}, "'score' must be double; got int64"),
        ({"correct.example": ["yes", "no", "no"]}, "must be bool; got string"),
        ({"error": ["out of memory", None, None]}, r"null prediction: \['1'\]"),
    ],
)
def test_faulty_predictions_are_told(columns: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_predictions(predictions(**columns))


def accuracy(**parts: Any) -> Statistic:
    def rows(examples: Examples, answers: Predictions) -> CodedRows:
        gold = examples.column("gold").to_pylist()
        given = answers.column("prediction").to_pylist()
        right = [float(a == g) for a, g in zip(given, gold, strict=True)]
        return CodedRows.plain(np.stack([right, np.ones(len(right))], axis=1))

    def share(totals: Any) -> Any:
        with np.errstate(invalid="ignore"):
            return np.divide(totals[..., 0], totals[..., 1])

    known: dict[str, Any] = {
        "name": "share_right",
        "better": "higher",
        "rows": rows,
        "value": share,
        "description": "Share of right answers.",
    }
    return Statistic(**{**known, **parts})


def test_a_good_metric_passes() -> None:
    check_statistic(accuracy(), EXAMPLES, predictions())


def by_position(examples: Examples, _answers: Predictions) -> CodedRows:
    return CodedRows.plain(np.arange(len(examples), dtype=float)[:, None])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"name": "Share right"}, "must be snake case"),
        ({"rows": by_position}, "must not depend on the order"),
        ({"value": lambda totals: totals}, "one number"),
        ({"value": lambda totals: totals.sum()}, "must keep leading axes"),
        (
            {"value": lambda totals: np.asarray(totals)[..., 0] * 0.0},
            "nan, never a number; got 0.0",
        ),
        (
            {"rows": lambda _e, _p: CodedRows.plain(np.ones((1, 2)))},
            "one an example; got 1 for 3",
        ),
    ],
)
def test_a_faulty_metric_is_told(parts: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_statistic(accuracy(**parts), EXAMPLES, predictions())


def test_the_built_in_classification_passes() -> None:
    check_task(task("classification"), EXAMPLES, predictions(score=[0.9, 0.6, None]))


class Generous:
    """A task kind that calls every answer right, given or not."""

    kind = "generous"
    levels = (Level("example", "example", "examples"),)

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        return {"example": Grades.per_example(self.right(predictions))}

    def right(self, answers: Predictions) -> Bools:
        return np.ones(len(answers), np.bool_)

    def statistics(
        self, examples: Examples, answers: Predictions
    ) -> tuple[Statistic, ...]:
        return ()

    def show(self, answer: object) -> str:
        return str(answer)


def test_a_task_that_calls_no_answer_right_is_told() -> None:
    with pytest.raises(AssertionError, match="without a prediction must be wrong"):
        check_task(Generous(), EXAMPLES, predictions())


class Grouped(Generous):
    """A task kind with facets of its units."""

    def __init__(self, facets: pa.Table) -> None:
        self.table = facets

    def facets(self, examples: Examples, level: str) -> pa.Table:
        return self.table


@pytest.mark.parametrize(
    ("facets", "message"),
    [
        (pa.table({"x": pa.array(["a"]).dictionary_encode()}), "of the 3 units; got 1"),
        (pa.table({"x": ["a", "b", "c"]}), "'x' must be a dictionary of strings"),
    ],
)
def test_facets_that_are_not_of_the_units_are_told(
    facets: pa.Table, message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        check_task(Grouped(facets), EXAMPLES, predictions())


def test_the_built_in_parses_and_trees_pass() -> None:
    pairing, utterances = parsed(), semantic_run()

    check_task(task("dependency"), pairing.examples, pairing.new)
    check_task(task("semantic"), utterances.examples, utterances.answers["new"])


class Restless(Generous):
    """A task kind that calls any answer right, and says of each what changed."""

    def __init__(self, moved: list[bool]) -> None:
        self.moved = np.array(moved)

    def right(self, answers: Predictions) -> Bools:
        given = pc.is_valid(answers.column("prediction"))
        return np.asarray(given, np.bool_)

    def changed(
        self, examples: Examples, old: Predictions, new: Predictions, level: str
    ) -> Bools:
        return self.moved


@pytest.mark.parametrize(
    ("moved", "message"),
    [
        ([True], r"each of the 3 units whether it did; got shape \(1,\)"),
        ([True, False, True], "was right and has no answer must be changed"),
    ],
)
def test_changes_that_are_not_of_the_units_are_told(
    moved: list[bool], message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        check_task(Restless(moved), EXAMPLES, predictions())
