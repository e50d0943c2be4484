"""What texts are cut into: bytes, characters, words, or pairs of bytes that are merged.

`byte` and `bpe` (Sennrich et al., ACL 2016, https://aclanthology.org/P16-1162, over
bytes) can spell every text. `char` and `word` have a token for whatever training did
not have; what stands behind it costs nothing, so their bits per byte say too little.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from compat_eval.core.errors import DataError, ModelError
from compat_eval.core.files import write_whole

TokenKind: TypeAlias = Literal["byte", "char", "word", "bpe"]

BEGIN = "<s>"
"""Stands before every text; its number is 0."""
UNKNOWN = "<unk>"
"""Stands for what training did not have; its number is 1."""

_FILE = "tokenizer.json"


def trained_tokenizer(
    kind: TokenKind, texts: Iterable[str], *, size: int, min_count: int
) -> Tokenizer:
    """Return a tokenizer that knows the tokens of some texts.

    Args:
        kind: What they are cut into.
        texts: From which `char`, `word` and `bpe` learn their tokens.
        size: Most tokens, of `char`, `word` and `bpe`.
        min_count: How often a token, or a pair that is merged, must occur.

    Raises:
        DataError: The texts hold no token.

    """
    special = [BEGIN, UNKNOWN]
    if kind in ("byte", "bpe"):
        found = Tokenizer(models.BPE())
        found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        letters = sorted(pre_tokenizers.ByteLevel.alphabet())
        largest = len(letters) + len(special)
        trainer: Any = trainers.BpeTrainer(
            vocab_size=largest if kind == "byte" else max(size, largest),
            min_frequency=min_count,
            special_tokens=special,
            initial_alphabet=letters,
            show_progress=False,
        )
    else:
        found = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
        found.pre_tokenizer = (
            pre_tokenizers.Whitespace()
            if kind == "word"
            else pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
        )
        trainer = trainers.WordLevelTrainer(
            vocab_size=size,
            min_frequency=min_count,
            special_tokens=special,
            show_progress=False,
        )
    found.train_from_iterator(texts, trainer)
    if found.get_vocab_size() <= len(special):
        raise DataError("the texts to learn from hold no token often enough")
    return found


def token_ids(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    """Return the numbers of each text's tokens, without special ones.

    Half a character of UTF-16, which is no text, counts as a question mark.
    """
    whole = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
    return [
        list(one.ids) for one in tokenizer.encode_batch(whole, add_special_tokens=False)
    ]


def write_tokenizer(tokenizer: Tokenizer, directory: Path) -> None:
    """Write it, the same bytes for the same tokens."""
    told = json.loads(tokenizer.to_str())
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1)
    write_whole(directory / _FILE, f"{text}\n".encode())


def read_tokenizer(directory: Path) -> Tokenizer:
    """Read what `write_tokenizer` wrote.

    Raises:
        ModelError: It is damaged, or not there.

    """
    path = directory / _FILE
    try:
        return Tokenizer.from_str(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing; train the model again") from error
    except Exception as error:  # tokenizers raises no class of its own
        raise ModelError(
            f"{path}: cannot be read as a tokenizer ({error}); train the model again"
        ) from error
