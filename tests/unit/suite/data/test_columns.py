import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.data.columns import as_text, as_weights, pick, truths

TABLE = pa.table(
    {
        "text": ["a", "b", "c"],
        "meta": [{"lang": "en"}, {"lang": "de"}, None],
        "data": [[{"text": "x "}, {"text": "y"}], [], None],
        "words": [["p", "q"], ["r"], []],
        "a.b": [1, 2, 3],
    }
)


def values(column: str | int, join: str | None = None) -> list[object]:
    found = pick(TABLE, column, join=join, what="input", shown="f")
    return list(found.to_pylist())


def test_columns_are_picked_by_name_position_and_path() -> None:
    assert values("text") == ["a", "b", "c"]
    assert values(0) == ["a", "b", "c"]
    assert values("meta.lang") == ["en", "de", None]
    assert values("a.b") == [1, 2, 3]


def test_lists_of_texts_are_joined() -> None:
    assert values("data[].text", "") == ["x y", "", None]
    assert values("words[]", " ") == ["p q", "r", ""]


def test_sliced_tables_join_their_own_rows() -> None:
    some = TABLE.slice(1, 2)
    picked = pick(some, "data[].text", join="", what="input", shown="f")

    assert picked.to_pylist() == ["", None]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("txet", "f: input is column 'txet', which is not there; did you mean text"),
        (7, "f: input is column 7, but there are 5"),
        ("text.lang", "'text' holds string"),
        ("meta.language", "'meta' holds struct"),
    ],
)
def test_a_missing_column_lists_those_there_are(column: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        values(column)


def test_numbers_and_booleans_become_text() -> None:
    numbers = pa.chunked_array([[1, 2]])
    booleans = pa.chunked_array([[True, None]])

    assert as_text(numbers, what="gold", shown="f").to_pylist() == ["1", "2"]
    assert as_text(booleans, what="gold", shown="f").to_pylist() == ["true", None]


def test_lists_are_no_text() -> None:
    with pytest.raises(DataError, match="gold must be text; got list"):
        as_text(TABLE["words"], what="gold", shown="f")


@pytest.mark.parametrize("bad", ["nan", "inf", "0", "-1", None])
def test_weights_are_positive_and_finite(bad: str | None) -> None:
    weights = pa.chunked_array([pa.array(["1", bad, "2"], pa.string())])

    with pytest.raises(DataError, match=r"positive finite number; 1 rows.*\(rows 2\)"):
        as_weights(weights, shown="f")


def test_weights_are_numbers() -> None:
    with pytest.raises(DataError, match="weight must be a number"):
        as_weights(pa.chunked_array([["x"]]), shown="f")
    assert as_weights(pa.chunked_array([["1.5"]]), shown="f").to_pylist() == [1.5]


def test_a_path_leads_into_lists_by_number() -> None:
    some = pa.table(
        {
            "answers": [["a", "b"], ["c"], [], None],
            "choices": [[{"text": "x"}], [], [{"text": "y"}, {"text": "z"}], None],
        }
    ).slice(0)

    def picked(key: str) -> list[str | None]:
        found: list[str | None] = pick(some, key, what="it", shown="f").to_pylist()
        return found

    assert picked("answers.0") == ["a", "c", None, None]
    assert picked("answers.1") == ["b", None, None, None]
    assert (
        picked("choices.0.text") == picked("choices[0].text") == ["x", None, "y", None]
    )


def test_a_path_into_a_part_of_a_table_finds_its_rows() -> None:
    some = pa.table({"answers": [["a"], ["b"], ["c"]]}).slice(1)

    assert pick(some, "answers.0", what="it", shown="f").to_pylist() == ["b", "c"]


def test_a_path_leads_into_texts_that_are_json() -> None:
    some = pa.table({"answer": ['{"label": "a", "p": [1.0, 2]}', "plain", None]})

    label = pick(some, "answer.label", what="it", shown="f")
    number = pick(some, "answer.p.0", what="it", shown="f")

    assert label.to_pylist() == ["a", None, None]
    assert number.to_pylist() == ["1.0", None, None]
    with pytest.raises(DataError, match="no text there is JSON"):
        pick(some, "answer.other", what="it", shown="f")


@pytest.mark.parametrize("values", [[1.0, 0.5], ["1", "0.5"], [0.25]])
def test_grades_between_right_and_wrong_are_proposed_as_scores(
    values: list[object],
) -> None:
    with pytest.raises(DataError, match="are scores") as caught:
        truths(pa.chunked_array([values]), "correct", shown="f")

    assert caught.value.cure == (
        ("--task", "generation"),
        ("--fields", "score.correct=correct"),
    )
