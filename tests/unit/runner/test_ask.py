import gc
import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from compat_eval.core.errors import ModelError
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache, CacheWarning
from compat_eval.runner.questions import Predict
from compat_eval.runner.settings import RunSettings
from compat_eval.runner.shards import Shard, merge_predictions
from tests.fakes import FakeModel, FakeSource, examples

SMALL = RunSettings(task="classification", token_budget=12, batch_cap=4, chunk_size=3)


class Reader:
    """Splits texts into words; what it says shows which batch it was asked in."""

    alive: ClassVar[int] = 0
    most_alive: ClassVar[int] = 0

    def __init__(self, journal: "Source") -> None:
        self.journal = journal
        Reader.alive += 1
        Reader.most_alive = max(Reader.most_alive, Reader.alive)
        weakref.finalize(self, Reader.gone)

    @classmethod
    def gone(cls) -> None:
        cls.alive -= 1

    def encode(self, inputs: Sequence[str]) -> list[list[str]]:
        self.journal.encoded.append(len(inputs))
        if any("unreadable" in text for text in inputs):
            raise ValueError("cannot be read")
        return [text.split() for text in inputs]

    def predict(self, items: Sequence[list[str]]) -> pa.Table:
        texts = [" ".join(item) for item in items]
        self.journal.batches.append(texts)
        if any("bad" in text for text in texts):
            raise RuntimeError("bad text")
        if len(items) > self.journal.memory:
            raise MemoryError
        # As rounding does in a real model, the batch shows in the score.
        score = 0.5 + sum(map(len, items)) / 1000
        return pa.table({"prediction": texts, "score": [score] * len(items)})


@dataclass
class Source:
    """Opens a `Reader`, and keeps a journal of what it was asked."""

    name: str = "reader"
    memory: int = 10**6
    loads: int = 0
    encoded: list[int] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)

    @property
    def reference(self) -> str:
        return f"fake:{self.name}"

    def fingerprint(self) -> str:
        return self.name

    def describe(self) -> dict[str, Any]:
        return {}

    def load(self) -> Reader:
        self.loads += 1
        return Reader(self)


def asked(*texts: str) -> Examples:
    return examples(id=[f"e{at}" for at in range(len(texts))], input=list(texts))


def words(*counts: int) -> Examples:
    return asked(*(f"t{at} " + "w " * (count - 1) for at, count in enumerate(counts)))


def same(one: Predictions, other: Predictions) -> bool:
    return bool(one.table.equals(other.table, check_metadata=True))


def test_answers_stand_in_the_examples_order() -> None:
    found = ask(Source(), asked("a", "b b b", "c c"), Predict(), settings=SMALL)

    assert found.table["id"].to_pylist() == ["e0", "e1", "e2"]
    assert found.table["prediction"].to_pylist() == ["a", "b b b", "c c"]


def test_batches_are_longest_first_and_inputs_encoded_in_chunks() -> None:
    source = Source()

    ask(source, words(1, 5, 6, 1, 2), Predict(), settings=SMALL)

    sizes = [[len(text.split()) for text in batch] for batch in source.batches]
    assert sizes == [[6, 5], [2, 1, 1]]
    assert source.encoded == [3, 2]


def test_without_lengths_batches_are_in_order() -> None:
    model = FakeModel({f"{n}": "x" for n in range(10)})

    ask(FakeSource(model), asked(*map(str, range(10))), Predict(), settings=SMALL)

    assert model.calls == [4, 4, 2]


def test_equal_inputs_are_asked_once_and_answered_alike() -> None:
    source = Source()

    found = ask(source, asked("a", "b", "a", "a"), Predict(), settings=SMALL)

    assert source.batches == [["a", "b"]]
    assert found.table["prediction"].to_pylist() == ["a", "b", "a", "a"]


def test_an_example_with_which_the_model_raises_is_an_error_and_stays() -> None:
    found = ask(
        Source(), asked("a", "bad", "b", "unreadable"), Predict(), settings=SMALL
    )

    assert found.table["prediction"].to_pylist() == ["a", None, "b", None]
    assert found.table["error"].to_pylist() == [
        None,
        "RuntimeError: bad text",
        None,
        "ValueError: cannot be read",
    ]
    assert found.errors().tolist() == [False, True, False, True]


def test_with_too_little_memory_batches_are_halved() -> None:
    source = Source(memory=1)

    found = ask(source, asked("a", "b", "c", "d"), Predict(), settings=SMALL)

    assert found.table["prediction"].to_pylist() == ["a", "b", "c", "d"]
    assert list(map(len, source.batches)) == [4, 2, 1, 1, 2, 1, 1]


def test_an_example_too_large_for_memory_is_asked_again(tmp_path: Path) -> None:
    source, cache = Source(memory=0), Cache(tmp_path)
    first = ask(source, asked("a"), Predict(), settings=SMALL, cache=cache)
    source.memory = 1

    again = ask(source, asked("a"), Predict(), settings=SMALL, cache=cache)

    assert first.table["error"].to_pylist() == ["MemoryError"]
    assert again.table["prediction"].to_pylist() == ["a"]


def test_no_examples_need_no_answers(tmp_path: Path) -> None:
    source = Source()
    none = asked("a").take(np.array([False]))

    found = ask(source, none, Predict(), settings=SMALL, cache=Cache(tmp_path))

    assert len(found) == 0
    assert found.table.column_names == ["id", "prediction"]
    assert source.loads == 0


def test_a_second_run_does_not_load_the_model(tmp_path: Path) -> None:
    source, cache = Source(), Cache(tmp_path)
    questions = asked("a a", "bad", "b", "unreadable", "b")
    first = ask(source, questions, Predict(), settings=SMALL, cache=cache)

    again = ask(source, questions, Predict(), settings=SMALL, cache=cache)

    assert source.loads == 1
    assert same(first, again)


def test_gold_ids_and_order_do_not_matter_to_the_cache(tmp_path: Path) -> None:
    source, cache = Source(), Cache(tmp_path)
    ask(source, asked("a", "b"), Predict(), settings=SMALL, cache=cache)

    ask(
        source,
        examples(id=["x", "y"], input=["b", "a"], gold=["1", "2"]),
        Predict(),
        settings=SMALL,
        cache=cache,
    )

    assert source.loads == 1


@pytest.mark.parametrize(
    "change",
    [{"task": "other"}, {"token_budget": 13}, {"batch_cap": 5}],
)
def test_what_can_change_an_answer_leads_to_another_store(
    change: dict[str, Any], tmp_path: Path
) -> None:
    fields: dict[str, Any] = {
        "task": "classification",
        "token_budget": 12,
        "batch_cap": 4,
    }
    source, cache = Source(), Cache(tmp_path)
    ask(source, asked("a"), Predict(), settings=RunSettings(**fields), cache=cache)

    ask(
        source,
        asked("a"),
        Predict(),
        settings=RunSettings(**{**fields, **change}),
        cache=cache,
    )

    assert source.loads == 2


def test_another_model_leads_to_another_store(tmp_path: Path) -> None:
    cache, other = Cache(tmp_path), Source("other")
    ask(Source(), asked("a"), Predict(), settings=SMALL, cache=cache)

    ask(other, asked("a"), Predict(), settings=SMALL, cache=cache)

    assert other.loads == 1


def test_only_batches_with_something_new_are_run_and_whole(tmp_path: Path) -> None:
    source, cache = Source(), Cache(tmp_path)
    first = ask(source, words(6, 6, 3, 3), Predict(), settings=SMALL, cache=cache)
    source.batches.clear()

    again = ask(source, words(6, 6, 3, 3, 2), Predict(), settings=SMALL, cache=cache)

    assert [len(batch) for batch in source.batches] == [3]
    assert same(Predictions(again.table.slice(0, 4).combine_chunks()), first)


def test_errors_are_asked_again_where_that_is_wanted(tmp_path: Path) -> None:
    model = FakeModel({"a": "1"}, raises=frozenset({"b"}))
    cache = Cache(tmp_path)
    source = FakeSource(model)
    kept_name = source.fingerprint()
    ask(source, asked("a", "b"), Predict(), cache=cache)
    healed = FakeSource(FakeModel({"a": "1", "b": "2"}))
    healed.fingerprint = lambda: kept_name  # type: ignore[method-assign]

    stored = ask(healed, asked("a", "b"), Predict(), cache=cache)
    again = ask(
        healed,
        asked("a", "b"),
        Predict(),
        cache=cache,
        settings=RunSettings(retry_errors=True),
    )

    assert stored.table["prediction"].to_pylist() == ["1", None]
    assert again.table["prediction"].to_pylist() == ["1", "2"]
    assert ask(healed, asked("b"), Predict(), cache=cache).table.num_columns == 2


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    questions = words(*range(1, 13))
    whole = ask(Source(), questions, Predict(), settings=SMALL)
    source, cache = Source(), Cache(tmp_path)

    class Stopped(Source):
        def load(self) -> Reader:
            reader = super().load()
            answer = reader.predict

            def predict_some(items: Sequence[list[str]]) -> pa.Table:
                if len(self.batches) == 5:
                    raise KeyboardInterrupt
                return answer(items)

            reader.predict = predict_some  # type: ignore[method-assign]
            return reader

    with pytest.raises(KeyboardInterrupt):
        ask(Stopped(), questions, Predict(), settings=SMALL, cache=cache)
    resumed = ask(source, questions, Predict(), settings=SMALL, cache=cache)

    done = ask(Source("count"), questions, Predict(), settings=SMALL)
    assert same(whole, resumed)
    assert same(whole, done)
    undisturbed = Source()
    ask(undisturbed, questions, Predict(), settings=SMALL)
    assert source.batches == undisturbed.batches[5:]


@effort(max_examples=12, deadline=None)  # each run collects garbage
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 4))
def test_merged_shards_are_an_undivided_run(counts: list[int], n_shards: int) -> None:
    questions = words(*counts)
    whole = ask(Source(), questions, Predict(), settings=SMALL)

    parts = [
        ask(
            Source(), questions, Predict(), settings=SMALL, shard=Shard(index, n_shards)
        )
        for index in range(1, n_shards + 1)
    ]

    assert sum(map(len, parts)) == len(questions)
    assert same(merge_predictions(parts, ids=questions.ids), whole)


def test_shards_share_the_failures_too(tmp_path: Path) -> None:
    questions = asked("a", "unreadable 1", "bad", "unreadable 2", "b")
    cache = Cache(tmp_path)
    whole = ask(Source(), questions, Predict(), settings=SMALL, cache=cache)

    parts = [
        ask(
            Source(),
            questions,
            Predict(),
            settings=SMALL,
            shard=Shard(i, 2),
            cache=cache,
        )
        for i in (2, 1)
    ]

    assert same(merge_predictions(parts, ids=questions.ids), whole)


def test_one_model_is_gone_before_the_next_comes() -> None:
    gc.collect()
    assert Reader.alive == 0
    Reader.most_alive = 0

    for name in ("old", "new"):
        ask(Source(name), asked("a", "bad", "b"), Predict(), settings=SMALL)
        assert Reader.alive == 0

    assert Reader.most_alive == 1


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"prediction": ["only one"]}), "asked 2 items and returned 1"),
        (pa.table({"label": ["a", "b"]}), "a column 'prediction'"),
    ],
)
def test_a_model_that_breaks_its_contract_stops_the_run(
    table: pa.Table, message: str
) -> None:
    class Wrong(FakeModel):
        def predict(self, items: Sequence[Any]) -> pa.Table:
            return table

    with pytest.raises(ModelError, match=message):
        ask(FakeSource(Wrong({})), asked("a", "b"), Predict())


def test_a_model_that_loses_inputs_stops_the_run() -> None:
    class Losing(Reader):
        def encode(self, inputs: Sequence[str]) -> list[list[str]]:
            return super().encode(inputs)[1:]

    class Opened(Source):
        def load(self) -> Reader:
            return Losing(self)

    with pytest.raises(ModelError, match="was given 2 inputs and made 1 items"):
        ask(Opened(), asked("a", "b"), Predict())


class LengthlessItem:
    def __len__(self) -> int:
        raise RuntimeError("no length")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (None, "encode must return a list; got NoneType"),
        ("ab", "encode must return a list; got str"),
        ({0: "a", 1: "b"}, "encode must return a list; got dict"),
        ([1, 2], "of a int it raised TypeError"),
        ([LengthlessItem()] * 2, "of a LengthlessItem it raised RuntimeError"),
    ],
)
def test_items_that_cannot_be_batched_stop_the_run(made: Any, message: str) -> None:
    class Odd(Reader):
        def encode(self, inputs: Sequence[str]) -> Any:
            return made

    class Opened(Source):
        def load(self) -> Reader:
            return Odd(self)

    with pytest.raises(ModelError, match=message):
        ask(Opened(), asked("a", "b"), Predict())


def test_items_may_come_one_after_the_other() -> None:
    class Lazy(Reader):
        def encode(self, inputs: Sequence[str]) -> Any:
            return (text.split() for text in inputs)

    class Opened(Source):
        def load(self) -> Reader:
            return Lazy(self)

    found = ask(Opened(), asked("a", "b c"), Predict())

    assert found.column("prediction").to_pylist() == ["a", "b c"]


def test_a_score_that_is_not_a_number_is_an_error() -> None:
    class Unsure(FakeModel):
        def predict(self, items: Sequence[Any]) -> pa.Table:
            return pa.table({"prediction": ["x", "y"], "score": [math.nan, 0.5]})

    found = ask(FakeSource(Unsure({})), asked("a", "b"), Predict())

    assert found.table["prediction"].to_pylist() == [None, "y"]
    assert found.errors().tolist() == [True, False]


@dataclass
class Listener:
    """Writes down what a progress is told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        self.told.append(("start", label, total, done))

    def advance(self, count: int) -> None:
        self.told.append(("advance", count))

    def note(self, message: str) -> None:
        self.told.append(("note", message))

    def stop(self) -> None:
        self.told.append(("stop",))


def test_progress_counts_what_is_there_and_what_is_done(tmp_path: Path) -> None:
    cache, heard = Cache(tmp_path), Listener()
    ask(Source(), words(6, 6), Predict(), settings=SMALL, cache=cache)

    ask(
        Source(), words(6, 6, 2), Predict(), settings=SMALL, cache=cache, progress=heard
    )

    assert heard.told == [
        ("start", "fake:reader: encoding", 3, 0),
        ("advance", 3),
        ("stop",),
        ("start", "fake:reader", 3, 2),
        ("advance", 1),
        ("stop",),
    ]


def test_a_cache_that_cannot_be_written_is_said_and_the_run_goes_on(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    cache, heard = Cache(tmp_path / "file" / "cache"), Listener()

    found = ask(
        Source(), asked("a"), Predict(), settings=SMALL, cache=cache, progress=heard
    )

    assert found.table["prediction"].to_pylist() == ["a"]
    notes = [told[1] for told in heard.told if told[0] == "note"]
    assert len(notes) == 1
    assert "predictions are not stored" in notes[0]
    assert "Not a directory" in notes[0]


def test_without_a_progress_the_same_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache")

    with pytest.warns(CacheWarning, match="the run goes on"):
        ask(Source(), asked("a"), Predict(), settings=SMALL, cache=cache)
