from compat_eval.models.parsing.sentence import Sentence, Tree
from compat_eval.models.parsing.vocabulary import (
    LONGEST_WORD,
    ROOT,
    UNKNOWN,
    Vocabulary,
)

SENTENCES = [
    Sentence(("The", "dog"), ("DET", "NOUN")),
    Sentence(("the", "cat"), ("DET", "NOUN")),
]
TREES = [Tree((2, 0), ("det", "root")), Tree((2, 0), ("det", "root"))]
VOCABULARY = Vocabulary.of(SENTENCES, TREES, min_count=2)


def test_only_frequent_words_have_a_number_and_case_does_not_matter() -> None:
    assert VOCABULARY.words == ("the",)
    assert VOCABULARY.encode(SENTENCES[0]).words.tolist() == [ROOT, 3, UNKNOWN]


def test_characters_keep_their_case() -> None:
    spelled = VOCABULARY.encode(SENTENCES[0]).characters
    names = ["", "", "", *VOCABULARY.characters]

    assert [names[c] for c in spelled[1, :3]] == ["T", "h", "e"]


def test_nothing_is_too_strange_to_be_read() -> None:
    item = VOCABULARY.encode(Sentence(("日本", "\ud800"), ("X", "_")))

    assert item.words.tolist() == [ROOT, UNKNOWN, UNKNOWN]
    assert item.tags.tolist() == [ROOT, UNKNOWN, UNKNOWN]
    assert item.characters[1, :3].tolist() == [UNKNOWN, UNKNOWN, 0]


def test_of_a_long_word_both_ends_are_read() -> None:
    item = VOCABULARY.encode(Sentence(("t" * 50 + "d" * 50,), ("X",)))
    t, d = (VOCABULARY.characters.index(c) + 3 for c in "td")

    assert item.characters[1].tolist() == [t] * 10 + [d] * (LONGEST_WORD - 10)


def test_a_sentence_without_words_is_its_root() -> None:
    assert len(VOCABULARY.encode(Sentence((), ()))) == 1


def test_relations_have_numbers_and_names() -> None:
    assert VOCABULARY.label_numbers(["root", "nsubj", "det"]).tolist() == [1, -1, 0]
    assert VOCABULARY.label_names([1, 0]) == ("root", "det")


def test_a_configuration_brings_the_vocabulary_back() -> None:
    assert Vocabulary.from_config(VOCABULARY.config()) == VOCABULARY
