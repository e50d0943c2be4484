"""What texts are cut into."""

from pathlib import Path

import pytest

from compat_eval.core.errors import DataError, ModelError
from compat_eval.models.language_models.tokens import (
    BEGIN,
    UNKNOWN,
    TokenKind,
    read_tokenizer,
    token_ids,
    trained_tokenizer,
    write_tokenizer,
)

TEXTS = ["the cat sat", "the dog sat", "the cat ran"]


def cut(kind: TokenKind, texts: list[str], **options: int) -> list[list[str]]:
    tokenizer = trained_tokenizer(
        kind, TEXTS, **{"size": 300, "min_count": 2, **options}
    )
    return [
        [str(tokenizer.id_to_token(one)) for one in ids]
        for ids in token_ids(tokenizer, texts)
    ]


def test_words_that_training_had_once_are_unknown() -> None:
    assert cut("word", ["the dog sat"]) == [["the", UNKNOWN, "sat"]]


def test_characters_are_tokens_and_so_are_spaces() -> None:
    assert cut("char", ["a t"]) == [["a", " ", "t"]]
    assert cut("char", ["aß"]) == [["a", UNKNOWN]]


def test_bytes_spell_every_text() -> None:
    assert len(cut("byte", ["aß\n😀"])[0]) == len("aß\n😀".encode())


def test_pairs_that_are_frequent_are_merged() -> None:
    ids = cut("bpe", ["the cat"])[0]
    assert len(ids) < len("the cat")
    assert "".join(ids).replace("Ġ", " ") == "the cat"


@pytest.mark.parametrize("kind", ["byte", "char", "word", "bpe"])
def test_a_tokenizer_is_read_as_it_was_written(kind: TokenKind, tmp_path: Path) -> None:
    tokenizer = trained_tokenizer(kind, TEXTS, size=300, min_count=1)
    write_tokenizer(tokenizer, tmp_path)
    first = (tmp_path / "tokenizer.json").read_bytes()
    found = read_tokenizer(tmp_path)
    texts = ["the cat\n sat", "", "zß"]
    assert token_ids(found, texts) == token_ids(tokenizer, texts)
    assert [found.token_to_id(name) for name in (BEGIN, UNKNOWN)] == [0, 1]
    write_tokenizer(trained_tokenizer(kind, TEXTS, size=300, min_count=1), tmp_path)
    assert (tmp_path / "tokenizer.json").read_bytes() == first


def test_half_a_character_is_a_question_mark() -> None:
    assert cut("byte", ["\ud800"]) == cut("byte", ["?"])


def test_texts_without_tokens_teach_nothing() -> None:
    with pytest.raises(DataError, match="hold no token often enough"):
        trained_tokenizer("word", ["a", "b"], size=10, min_count=2)


@pytest.mark.parametrize("content", ["{", '{"model": 1}'])
def test_a_damaged_tokenizer_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError, match="cannot be read as a tokenizer"):
        read_tokenizer(tmp_path)
    with pytest.raises(ModelError, match="is missing"):
        read_tokenizer(tmp_path / "none")
