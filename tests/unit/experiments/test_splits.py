import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.updates.splits import Split
from tests.fakes import examples

pytestmark = pytest.mark.torch


@settings(deadline=None)
@given(st.lists(st.text("ab", max_size=20), min_size=1, max_size=30))
def test_answers_come_back_in_the_order_of_the_examples(inputs: list[str]) -> None:
    ids = [f"e{at}" for at in range(len(inputs))]
    split = Split(examples(id=ids, input=inputs), len, batch_tokens=12)

    answers, _ = split.answered(
        lambda *batch: list(zip(*batch, strict=True)), ids, inputs
    )

    assert answers == list(zip(ids, inputs, strict=True))
