import json

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.data.places import DataPlaces
from compat_eval.suite.data.slicing import slice_column
from compat_eval.suite.yaml.schema import Slice

VALUES = pa.chunked_array([["en", "de"], ["fr", None]])


def sliced(places: DataPlaces, **rule: object) -> list[str | None]:
    made = slice_column(
        Slice.model_validate({"of": "lang", **rule}),
        VALUES,
        name="s",
        places=places,
        shown="f",
    )
    return list(made.to_pylist())


def test_alone_each_value_is_a_slice(places: DataPlaces) -> None:
    assert sliced(places) == ["en", "de", "fr", None]


def test_equals_says_yes_or_no(places: DataPlaces) -> None:
    assert sliced(places, equals=["en", "fr"]) == ["yes", "no", "yes", "no"]


def test_values_outside_all_groups_are_in_no_slice(places: DataPlaces) -> None:
    groups = {"germanic": ["en", "de"]}

    assert sliced(places, groups=groups) == ["germanic", "germanic", None, None]


@pytest.mark.parametrize(
    "content", [{"romance": ["fr", "it"]}, {"fr": "romance", "it": "romance"}]
)
def test_groups_come_from_a_file_in_either_direction(
    places: DataPlaces, content: dict[str, object]
) -> None:
    assert places.base is not None
    (places.base / "g.json").write_text(json.dumps(content))

    assert sliced(places, groups_from={"file": "g.json"}) == [
        None,
        None,
        "romance",
        None,
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [("[1]", "must be an object"), ('{"a": ["x"], "b": ["x"]}', "'x' is in 'a' and")],
)
def test_a_file_of_groups_is_checked(
    places: DataPlaces, content: str, message: str
) -> None:
    assert places.base is not None
    (places.base / "g.json").write_text(content)

    with pytest.raises(DataError, match=message):
        sliced(places, groups_from={"file": "g.json"})


def test_words_are_runs_without_white_space(places: DataPlaces) -> None:
    texts = pa.chunked_array([["", "  a ", "a\tb\u00a0c", "a b c d", None]])
    made = slice_column(Slice(words=(1, 3)), texts, name="s", places=places, shown="f")

    assert made.to_pylist() == ["0-1", "0-1", "2-3", "4+", None]


def test_before_cuts_at_the_first(places: DataPlaces) -> None:
    texts = pa.chunked_array([["email-enron-1", "-x", "plain", None]])
    rule = Slice.model_validate({"of": "id", "before": "-"})
    made = slice_column(rule, texts, name="s", places=places, shown="f")

    assert made.to_pylist() == ["email", "", None, None]
