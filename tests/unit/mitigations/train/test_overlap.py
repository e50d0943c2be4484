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
        (("x", "The sa\u200bme\u00a0text", "a"), True),
        (("x", "The same text", "b"), False),
        (("x", "The same text.", "a"), False),
    ],
)
def test_the_same_id_or_the_same_input_and_gold_is_the_same_example(
    row: tuple[str, str, str], *, same: bool
) -> None:
    others = [(f"o{at}", f"text {at}", "a") for at in range(99)]
    compared = examples(("t1", "The same text", "a"), *others)

    assert overlapping(examples(row), compared).tolist() == [same]


def test_inputs_asked_again_with_other_gold_count_where_they_are_many() -> None:
    """Their gold says nothing of what is compared, but a teacher's answers do."""
    asked = [(f"t{at}", f"text {at}", "a") for at in range(100)]
    again = [(f"x{at}", f"Text {at}", "b") for at in range(100)]
    compared = examples(*asked)

    assert not overlapping(examples(again[0]), compared).any()
    assert overlapping(examples(*again), compared).all()


def test_an_image_is_the_same_under_another_name() -> None:
    image = "data:image/png;name={};base64,iVBORw0KGgo="
    compared = examples(("t1", image.format("a.png"), "a"))

    found = overlapping(examples(("x", image.format("b.png"), "a")), compared)

    assert found.tolist() == [True]


def test_inputs_that_are_no_texts_are_compared_by_what_they_hold() -> None:
    tokens = [{"form": "Thanks"}, {"form": "."}]
    compared = examples(("t1", tokens, "x"))

    found = overlapping(examples(("a", tokens, "x"), ("b", tokens[:1], "x")), compared)

    assert found.tolist() == [True, False]
