import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat_eval.core.errors import DataError
from compat_eval.models.tree_seq2seq.reading import sentence_of, words_of


@pytest.mark.parametrize(
    ("utterance", "words"),
    [
        ("I'm late, I'll call", "I'm late , I'll call"),
        ("New year's Eve", "New year 's Eve"),
        ("set alarm for 8:30am", "set alarm for 8 : 30 am"),
        ("at 5 a.m.", "at 5 a.m ."),
        ("take the I-95", "take the I - 95"),
        ("R&B", "R & B"),
        ("the 49ers", "the 49ers"),
        ("", ""),
        ("मुझे कल सुबह 8 बजे याद दिलाएं।", "मुझे कल सुबह 8 बजे याद दिलाएं ।"),
        ("ปลุกฉัน ตอน 8 โมงเช้า", "ปลุกฉัน ตอน 8 โมงเช้า"),
        ("cafe\u0301's menu", "cafe\u0301 's menu"),
        ("می\u200cخواهم بروم", "می\u200cخواهم بروم"),
        ("I ❤\ufe0f it 👩\u200d💻", "I ❤\ufe0f it 👩\u200d 💻"),
    ],
)
def test_words_are_split_as_in_topv2(utterance: str, words: str) -> None:
    assert " ".join(words_of(utterance)) == words


@given(st.text())
def test_no_letter_is_lost_and_splitting_again_changes_nothing(text: str) -> None:
    words = words_of(text)

    assert "".join(words) == "".join(text.split())
    assert words_of(" ".join(words)) == words


def test_every_word_has_a_shape() -> None:
    shapes = sentence_of("Call MOM at 8 or 9ish !").tags

    assert shapes == ("title", "upper", "lower", "number", "lower", "mixed", "mark")


def test_an_input_must_be_text() -> None:
    with pytest.raises(DataError, match="expected an utterance as text"):
        sentence_of({"words": ["hi"]})


@pytest.mark.data
def test_nearly_all_utterances_of_topv2_are_split_as_their_trees_are() -> None:
    data = os.environ.get("COMPAT_EVAL_DATA")
    if data is None:
        pytest.skip("needs TOPv2; set COMPAT_EVAL_DATA")
    right = total = 0
    for path in (Path(data) / "topv2").glob("*_eval.tsv"):
        for line in path.read_text("utf-8").split("\n")[1:-1]:
            _, utterance, tree = line.split("\t")
            leaves = [
                token
                for token in tree.split()
                if token != "]" and not token.startswith(("[IN:", "[SL:"))
            ]
            right += words_of(utterance) == tuple(leaves)
            total += 1

    assert right / total > 0.99
