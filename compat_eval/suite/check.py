"""Validation of a suite: load its data and grade two mock models."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, SuiteError
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ChecksGold
from compat_eval.core.text import did_you_mean
from compat_eval.suite.data.places import DataPlaces
from compat_eval.suite.examples import documents_at, examples_at
from compat_eval.suite.judged import refuse_unknown_documents
from compat_eval.suite.suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The result of validating a suite.

    Attributes:
        examples: Split name to its examples.
        slices: Slice `name=value` to its number of test examples.
        perfect: Level to the accuracy of a model that answers with gold; of levels
            that need gold.
        constant: Level to the accuracy of a model that always gives the most frequent
            gold answer; of nested answers, such as trees, of one that never answers.
        notes: Remarks on the data, in sentences.
        n_documents: How many documents queries are asked of; 0 without a corpus.

    """

    examples: dict[str, Examples]
    slices: dict[str, int]
    perfect: dict[str, float]
    constant: dict[str, float]
    notes: tuple[str, ...]
    n_documents: int = 0

    @property
    def test(self) -> Examples:
        """The examples that models are compared on."""
        return self.examples["test"]


def check(suite: Suite, places: DataPlaces) -> Checked:
    """Load every split, count slices, score mock models, look up what gates name.

    Raises:
        SuiteError: A gate or protected example refers to what is not there, or a
            model that answers with gold is not always right.
        DataError: Data cannot be found, or break what the suite says.

    """
    loaded = {split: examples_at(suite, split, places) for split in suite.splits}
    test = loaded["test"]
    if isinstance(suite.task, ChecksGold):
        try:
            suite.task.check_gold(test.with_gold())
        except DataError as error:
            raise DataError(f"suite {suite.name}, split test: {error}") from error
    slices = slice_counts(test)
    perfect = _accuracies(suite, test, test.column("gold"))
    problems = [*_missing(suite, test, slices), *_unsound(perfect)]
    if problems:
        raise SuiteError("\n".join(f"suite {suite.name}: {p}" for p in problems))
    return Checked(
        examples=loaded,
        slices=slices,
        perfect=perfect,
        constant=_accuracies(suite, test, _most_frequent(test)),
        notes=tuple(_notes(suite, loaded)),
        n_documents=_checked_documents(suite, loaded, places),
    )


def _checked_documents(
    suite: Suite, loaded: dict[str, Examples], places: DataPlaces
) -> int:
    """Return how many documents the test's queries are asked of, all judged ones there.

    Raises:
        DataError: Judgements of a split name a document that is not there.

    """
    if suite.corpus is None:
        return 0
    for split in {"test", *suite.judgements}:
        documents = documents_at(suite, split, places)
        shown = f"suite {suite.name}, judgements of split {split}"
        refuse_unknown_documents(loaded[split], documents, shown=shown)
    return len(documents_at(suite, "test", places))


def slice_counts(examples: Examples) -> dict[str, int]:
    """Return the number of examples of each slice, as `name=value`, sorted."""
    counts = {}
    for name in examples.slice_names:
        counted = pc.value_counts(examples.column(f"{SLICE_PREFIX}{name}"))
        for entry in counted.to_pylist():
            if entry["values"] is not None:
                counts[f"{name}={entry['values']}"] = entry["counts"]
    return dict(sorted(counts.items()))


def _accuracies(
    suite: Suite, examples: Examples, answers: pa.ChunkedArray
) -> dict[str, float]:
    predictions = Predictions(pa.table({"id": examples.ids, "prediction": answers}))
    of_gold = [
        level.name
        for level in suite.task.levels
        if level.name in suite.levels and level.needs_gold
    ]
    if not of_gold:
        return {}
    graded = suite.task.grade(examples, predictions, of_gold)
    return {
        level: float(grades.values.mean()) if grades.n_units else float("nan")
        for level, grades in graded.items()
    }


def _most_frequent(examples: Examples) -> pa.ChunkedArray:
    golds = examples.column("gold")
    if pa.types.is_nested(golds.type):
        return pa.chunked_array([pa.nulls(len(golds), golds.type)])
    counted = pc.value_counts(golds)
    at = pc.index(counted.field("counts"), pc.max(counted.field("counts")))
    answer = counted.field("values")[at.as_py()]
    return pa.chunked_array([pa.repeat(answer, len(examples))])


def _missing(suite: Suite, test: Examples, slices: dict[str, int]) -> Iterator[str]:
    for at, gate in enumerate(suite.demands.gates):
        if gate.slice is not None and gate.slice not in slices:
            wanted = did_you_mean(gate.slice, list(slices))
            yield f"gates[{at}].slice: no test example is in {gate.slice!r}; {wanted}"
    for name in suite.demands.protected_slices:
        if name not in slices:
            wanted = did_you_mean(name, list(slices))
            yield f"protected.slices: no test example is in {name!r}; {wanted}"
    known = set(test.ids.to_pylist())
    for wanted_id in suite.demands.protected_ids:
        if wanted_id not in known:
            yield f"protected.ids: no test example has the id {wanted_id!r}"


def _unsound(perfect: dict[str, float]) -> Iterator[str]:
    for level, accuracy in perfect.items():
        if accuracy != 1.0:
            yield (
                f"level {level}: a model that answers with gold scores {accuracy:.4f}, "
                "not 1; gold and task do not fit together"
            )


def _notes(suite: Suite, loaded: dict[str, Examples]) -> Iterator[str]:
    test = loaded["test"]
    exact, alike = _texts(test)
    for split, examples in loaded.items():
        if split == "test":
            continue
        exact_there, alike_there = _texts(examples)
        shared = _n_in(exact, exact_there)
        close = _n_in(alike, alike_there) - shared
        if shared or close:
            only = f", {close} more in other case or blanks" if close else ""
            yield f"{shared} test inputs also occur in {split}{only}"
        # Of trees hardly two are the same.
        if split.startswith("train") and suite.task.kind == "classification":
            never = set(pc.unique(test.column("gold")).to_pylist())
            never -= set(pc.unique(examples.column("gold")).to_pylist())
            if never:
                yield f"{len(never)} gold answers of test never occur in {split}"


def _texts(examples: Examples) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return inputs as text; and without case and further blanks."""
    texts = examples.column("input")
    if pa.types.is_nested(texts.type):
        texts = pa.chunked_array([[str(value) for value in texts.to_pylist()]])
    bare = pc.replace_substring_regex(pc.utf8_lower(texts), r"\s+", " ")
    return texts, pc.utf8_trim_whitespace(bare)


def _n_in(texts: pa.ChunkedArray, among: pa.ChunkedArray) -> int:
    return int(pc.sum(pc.is_in(texts, value_set=among)).as_py() or 0)
