"""Given words, and what holds alike for all parsers of them."""

import sys
from collections.abc import Callable

import pytest

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.adapters.given_words import given_words
from compat_eval.core.errors import DataError, MissingPackageError, ModelError
from compat_eval.core.protocols import ModelSource
from compat_eval.testing import check_model, check_source
from tests.unit.adapters import treebank

Open = Callable[..., ModelSource]


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


@pytest.fixture(params=["spacy", pytest.param("stanza", marks=pytest.mark.torch)])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(scheme: str, request: pytest.FixtureRequest) -> Open:
    """Open a trained parser, with options."""
    location = str(request.getfixturevalue(f"{scheme}_parser"))

    def source(**options: object) -> ModelSource:
        found: ModelSource = ADAPTERS.load(scheme)(location, ModelOptions(**options))  # type: ignore[arg-type]
        return found

    return source


def test_a_parser_keeps_the_contract(opened: Open) -> None:
    check_source(opened())
    check_model(opened().load(), treebank.inputs())


def test_a_parser_learned_its_few_sentences(opened: Open) -> None:
    gold = treebank.examples().column("gold").to_pylist()
    said = treebank.answers(opened(), treebank.inputs())

    right = sum(one == two for one, two in zip(gold, said, strict=True))
    assert right > len(gold) / 2


def test_words_and_tags_that_it_never_saw_are_parsed_as_they_are(opened: Open) -> None:
    words = ["don't", "10 000", "Straße", "_", "New", "York", "."]
    tags = ["X", None, "_", "SYM", "X", "X", "X"]
    [tree] = treebank.answers(opened(), [{"words": words, "upos": tags}])

    assert len(tree["heads"]) == 7
    assert tree["heads"].count(0) == 1


def test_relations_may_be_renamed(opened: Open) -> None:
    source = opened(label_map={"nsubj": "subject"})
    [tree] = treebank.answers(source, treebank.inputs()[:1])

    assert "subject" in tree["deprels"]
    with pytest.raises(ModelError, match=r"'dobj'.*does not have; it has "):
        opened(label_map={"dobj": "objekt"}).load()


def test_opening_does_not_import_what_made_it(
    opened: Open, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, scheme, None)
    source = opened()

    assert source.fingerprint()
    with pytest.raises(MissingPackageError, match=rf"compat-eval\[{scheme}\]"):
        source.load()
