from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.errors import UsageError
from compat_eval.runner.shard import Shard


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
