import pytest

from compat_eval.adapters.given_words import given_words
from compat_eval.core.errors import DataError


def test_spaces_follow_misc_and_multiword_tokens() -> None:
    # "Vámonos al mar." is Vamos+nos a+el mar .
    given = given_words(
        {
            "words": ["Vamos", "nos", "a", "el", "mar", "."],
            "upos": ["VERB", "PRON", "ADP", "DET", "NOUN", "PUNCT"],
            "misc": ["_", "_", "_", "_", "Gloss=sea|SpaceAfter=No", None],
            "mwt_first": [1, 3],
            "mwt_last": [2, 4],
        }
    )

    assert given.spaces == (False, True, False, True, False, True)
    assert len(given) == 6


def test_what_is_not_said_of_a_word_is_not_known() -> None:
    given = given_words(
        {"words": ["a", "_"], "upos": ["_", "SYM"], "lemmas": ["_", "_"]}
    )

    assert given.upos == (None, "SYM")
    assert given.lemmas == (None, "_")
    assert given.xpos == given.feats == (None, None)


@pytest.mark.parametrize("value", ["text", None, {"words": ["a"], "upos": []}])
def test_what_is_no_sentence_is_refused(value: object) -> None:
    with pytest.raises(DataError):
        given_words(value)
