import numpy as np
import pytest

from compat_eval.core.errors import DataError
from compat_eval.models.parsing.sentence import (
    NO_TREE,
    Tree,
    answer_column,
    sentence_from,
    tree_from,
)

INPUT = {"words": ["Dogs", "bark"], "upos": ["NOUN", None]}


def test_a_word_without_a_tag_gets_an_underscore() -> None:
    assert sentence_from(INPUT).tags == ("NOUN", "_")


def test_an_input_that_is_no_sentence_is_named() -> None:
    with pytest.raises(DataError, match=r"'words' and 'upos'.*got str"):
        sentence_from("Dogs bark")


def test_words_and_tags_must_be_equally_many() -> None:
    with pytest.raises(DataError, match="1 words but 0 upos"):
        sentence_from({"words": ["a"], "upos": []})


def test_a_gold_tree_needs_a_head_for_each_word() -> None:
    with pytest.raises(DataError, match="1 heads for 2 words"):
        tree_from({"heads": [0], "deprels": ["root"]}, sentence_from(INPUT))


def test_a_gold_head_must_be_a_word_of_the_sentence() -> None:
    with pytest.raises(DataError, match="head 3 is no word of a sentence of 2"):
        tree_from({"heads": [0, 3], "deprels": ["root", "x"]}, sentence_from(INPUT))


@pytest.mark.parametrize("answer", [None, "tree", {"heads": [0]}, {"heads": None}])
def test_an_answer_that_is_no_tree_is_no_tree(answer: object) -> None:
    assert Tree.of(answer) == NO_TREE


def test_trees_go_into_a_column_and_come_back() -> None:
    trees = [Tree((2, 0), ("det", "root")), Tree((), ())]

    column = answer_column(trees)

    assert [Tree.of(one) for one in column.to_pylist()] == trees
    assert np.asarray(column.field("heads").flatten()).tolist() == [2, 0]
