import pyarrow as pa
import pytest

from compat_eval.core.examples import Examples
from compat_eval.mitigations.train.overlap import overlapping


def examples(*rows: tuple[str, object, object]) -> Examples:
    ids, inputs, golds = zip(*rows, strict=True)
    return Examples(
        pa.table({"id": list(ids), "input": list(inputs), "gold": list(golds)})
    )


@pytest.mark.parametrize(
    ("row", "same"),
    [
        (("t1", "another text", "b"), True),
        (("x", "The same text", "a"), True),
        (("x", " the SAME  text ", "A"), True),
        (("x", "The same text", "b"), False),
        (("x", "The same text.", "a"), False),
    ],
)
def test_the_same_id_or_the_same_input_and_gold_is_the_same_example(
    row: tuple[str, str, str], *, same: bool
) -> None:
    compared = examples(("t1", "The same text", "a"))

    assert overlapping(examples(row), compared).tolist() == [same]


def test_inputs_that_are_no_texts_are_compared_by_what_they_hold() -> None:
    tokens = [{"form": "Thanks"}, {"form": "."}]
    compared = examples(("t1", tokens, "x"))

    found = overlapping(examples(("a", tokens, "x"), ("b", tokens[:1], "x")), compared)

    assert found.tolist() == [True, False]
