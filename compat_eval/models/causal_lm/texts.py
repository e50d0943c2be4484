"""Texts as sequences of tokens, some of which are predicted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.models.training.data import texts_of

ANSWER_AFTER = "\n"
"""What stands between a question and its answer."""


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """Tokens that are read at once.

    Attributes:
        ids: Their numbers.
        context: How many are not predicted: at least one.

    """

    ids: Sequence[int]
    context: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_predicted(self) -> int:
        """How many of the tokens are predicted."""
        return len(self.ids) - self.context


def beginning(tokenizer: Any) -> list[int]:  # noqa: ANN401 - of transformers
    """Return the token before every text, where there is one."""
    begins = (tokenizer.bos_token_id, tokenizer.eos_token_id)
    return next(([token] for token in begins if token is not None), [])


def sequences_of(
    examples: Examples,
    tokenizer: Any,  # noqa: ANN401 - of transformers
    longest: int,
) -> list[TokenSequence]:
    """Return what is learned of examples, in their order.

    Without gold every token of the input is predicted, in pieces where it is long, each
    of which begins with the last token of the one before. With gold only its tokens
    are, after the input and `ANSWER_AFTER`, and an end-of-text token where the
    tokenizer has one; of an input that is too long the end is read.

    Raises:
        DataError: An input or gold is no text, or there is nothing to predict.

    """
    answers = examples.tells("gold")
    columns = ("input", "gold") if answers else ("input",)
    texts = {name: texts_of(examples, name) for name in columns}
    begin = beginning(tokenizer)
    found: list[TokenSequence] = []
    if answers:
        prompts = _encoded(tokenizer, texts["input"])
        golds = _encoded(tokenizer, texts["gold"])
        after = _encoded(tokenizer, [ANSWER_AFTER])[0]
        end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
        for prompt, gold in zip(prompts, golds, strict=True):
            said = [*gold, *end][: longest - 1]
            before = [*begin, *prompt, *after][len(said) - longest :]
            if before and said:
                found.append(TokenSequence([*before, *said], len(before)))
    else:
        for ids in _encoded(tokenizer, texts["input"]):
            found += _pieces([*begin, *ids], longest)
    if not any(one.n_predicted for one in found):
        raise DataError("there is no token to learn from in the examples")
    return found


def padded(sequences: Sequence[TokenSequence]) -> tuple[Tensor, Tensor, Ints, Ints]:
    """Return a batch.

    Returns:
        Ids and attention mask, shape (n_sequences, n_longest); row and place of each
        token that is predicted, in the order of the sequences.

    """
    shape = (len(sequences), max(map(len, sequences)))
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    counted = np.zeros(shape, np.bool_)
    for row, one in enumerate(sequences):
        ids[row, : len(one)] = one.ids
        mask[row, : len(one)] = 1
        counted[row, one.context : len(one)] = True
    rows, places = np.nonzero(counted)
    return torch.from_numpy(ids), torch.from_numpy(mask), rows, places


def _pieces(ids: list[int], longest: int) -> Iterator[TokenSequence]:
    for at in range(0, max(len(ids) - 1, 1), longest - 1):
        piece = ids[at : at + longest]
        if len(piece) > 1:
            yield TokenSequence(piece, 1)


def _encoded(tokenizer: Any, texts: list[str]) -> list[list[int]]:  # noqa: ANN401
    encoded = tokenizer(texts, add_special_tokens=False, verbose=False)
    return [list(ids) for ids in encoded["input_ids"]]
