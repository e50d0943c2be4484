"""Given words, and what holds alike for all parsers of them."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.adapters.given_words import given_words
from compat_eval.core.errors import DataError, MissingPackageError, ModelError
from compat_eval.core.protocols import ModelSource
from compat_eval.tasks.dependency.conllu import parse_conllu, read_conllu
from compat_eval.tasks.dependency.trees import examples_of
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


def test_the_space_after_a_multiword_token_is_what_its_own_line_says() -> None:
    treebank = (
        "# text = Go, don't.\n"
        "1\tGo\t_\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No\n"
        "2\t,\t_\tPUNCT\t_\t_\t1\tpunct\t_\t_\n"
        "3-4\tdon't\t_\t_\t_\t_\t_\t_\t_\tLang=en|SpaceAfter=No\n"
        "3\tdo\t_\tAUX\t_\t_\t1\taux\t_\t_\n"
        "4\tn't\t_\tPART\t_\t_\t1\tadvmod\t_\t_\n"
        "5\t.\t_\tPUNCT\t_\t_\t1\tpunct\t_\t_\n\n"
    )
    [value] = examples_of(parse_conllu(treebank.encode())).column("input").to_pylist()

    assert given_words(value).spaces == (False, True, False, False, True)


@pytest.mark.skipif(
    "COMPAT_EVAL_DATA" not in os.environ, reason="no mirror of data (COMPAT_EVAL_DATA)"
)
def test_spaces_give_the_texts_of_a_treebank() -> None:
    folder = Path(os.environ["COMPAT_EVAL_DATA"], "ud_english_ewt")
    sentences = read_conllu(folder / "en_ewt-ud-test.conllu")
    inputs = examples_of(sentences).column("input").to_pylist()

    written = [text_of(value) for value in inputs]

    texts = [" ".join(text.split()) for text in sentences["text"].to_pylist()]
    assert len(texts) == 2077
    assert written == texts


def text_of(value: dict[str, Any]) -> str:
    """Write a sentence with a space wherever its parser is told of one."""
    given = given_words(value)
    forms = list(given.words)
    ranges = (value[f"mwt_{part}"] for part in ("first", "last", "form"))
    for first, last, form in zip(*ranges, strict=True):
        forms[first - 1 : last] = [form, *[""] * (last - first)]
    pairs = zip(forms, given.spaces, strict=True)
    return "".join(form + " " * space for form, space in pairs).strip()


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
