import hashlib
import random
from itertools import chain

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.errors import CoverageError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.runner.shards import Shard, limit, merge_predictions, parse_limit
from tests.fakes import examples, predictions

IDS = [f"s{number}" for number in range(40)]


def asked(ids: list[str]) -> Examples:
    return examples(id=ids, input=[f"text {name}" for name in ids])


def kept(size: float, ids: list[str] = IDS) -> list[str]:
    found: list[str] = limit(asked(ids), size).ids.to_pylist()
    return found


def test_the_ids_with_the_smallest_hashes_stay_in_their_order() -> None:
    by_hash = sorted(IDS, key=lambda name: hashlib.sha256(name.encode()).hexdigest())

    assert kept(7) == [name for name in IDS if name in by_hash[:7]]


def test_the_choice_does_not_depend_on_the_order() -> None:
    shuffled = random.Random(5).sample(IDS, len(IDS))  # noqa: S311

    assert set(kept(9, shuffled)) == set(kept(9))


def test_a_smaller_limit_keeps_a_part_of_a_larger_one() -> None:
    assert set(kept(5)) < set(kept(6)) < set(kept(0.5))


def test_a_share_is_rounded_up() -> None:
    assert len(kept(0.11)) == 5


@pytest.mark.parametrize("size", [1.0, 40, 1000])
def test_enough_is_everything(size: float) -> None:
    assert kept(size) == IDS


@pytest.mark.parametrize("size", [0, -1, 0.0, 1.5, -0.1, float("nan")])
def test_a_limit_that_makes_no_sense_is_refused(size: float) -> None:
    with pytest.raises(UsageError, match="a limit is a number of examples from 1"):
        limit(asked(IDS), size)


@pytest.mark.parametrize(("text", "size"), [("1", 1), ("1.0", 1.0), (".25", 0.25)])
def test_a_limit_is_read(text: str, size: float) -> None:
    assert parse_limit(text) == size
    assert type(parse_limit(text)) is type(size)


@pytest.mark.parametrize("text", ["", "many", "0", "-3", "0.0", "2.5", "1e3", "nan"])
def test_text_that_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="got"):
        parse_limit(text)


@given(st.lists(st.integers()), st.integers(1, 9))
def test_shards_share_everything_out(things: list[int], count: int) -> None:
    shares = [Shard(index, count).of(things) for index in range(1, count + 1)]

    assert sorted(chain.from_iterable(shares)) == sorted(things)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_shard_is_read_and_written() -> None:
    assert str(Shard.parse(" 2/3 ")) == "2/3"


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "-1/2", "1/2/3", ""])
def test_text_that_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="a shard is i/n"):
        Shard.parse(text)


MERGED = pa.chunked_array([["a", "b", "c"]])


def test_parts_come_into_the_examples_order() -> None:
    parts = [
        predictions(id=["c"], prediction=["3"]),
        predictions(id=["b", "a"], prediction=[None, "1"], error=["E: x", None]),
    ]

    merged = merge_predictions(parts, ids=MERGED).table.to_pydict()

    assert merged == {
        "id": ["a", "b", "c"],
        "prediction": ["1", None, "3"],
        "error": [None, "E: x", None],
    }


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((["a"], ["b"]), r"1 examples are in no part: c"),
        ((["a", "b"], ["b", "c"]), r"1 id occurs more than once \(b\)"),
        ((["a", "b"], ["c", "d"]), r"1 answers are to no example: d"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    names: tuple[list[str], list[str]], message: str
) -> None:
    parts = [predictions(id=ids, prediction=ids) for ids in names]

    with pytest.raises(CoverageError, match=message):
        merge_predictions(parts, ids=MERGED)
