import pytest

from compat_eval.comparison.slices import slice_mask, slices
from compat_eval.core.errors import SuiteError
from tests.fakes import examples

ASKED = examples(
    id=["a", "b", "c"],
    slice__domain=["travel", "banking", None],
    slice__oos=["no", "no", "yes"],
)


def test_each_value_of_a_column_is_a_slice() -> None:
    found = {name: mask.tolist() for name, mask in slices(ASKED)}

    assert found == {
        "domain=banking": [False, True, False],
        "domain=travel": [True, False, False],
        "oos=no": [True, True, False],
        "oos=yes": [False, False, True],
    }


@pytest.mark.parametrize(
    "values", [["²", "5²", "a"], ["٣", "10", "9"], ["9" * 400, "1"]]
)
def test_signs_that_are_only_like_digits_are_sorted_as_text(values: list[str]) -> None:
    asked = examples(id=list(map(str, range(len(values)))), slice__note=values)

    assert {name for name, _ in slices(asked)} == {f"note={value}" for value in values}


def test_a_slice_is_found_by_name() -> None:
    assert slice_mask(ASKED, "oos=yes").tolist() == [False, False, True]


@pytest.mark.parametrize("wanted", ["oos=maybe", "colour=red", "oos"])
def test_an_unknown_slice_lists_those_there_are(wanted: str) -> None:
    with pytest.raises(SuiteError, match="domain=banking, domain=travel, oos=no"):
        slice_mask(ASKED, wanted)
