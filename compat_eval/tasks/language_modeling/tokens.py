"""The columns of an answer that tell of each token, and what speaks against them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import DataError, some
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import positions

RANKS, TOP = "token_ranks", "top_tokens"

_ROUNDING = 1e-4
"""By what share nats may be below what ranks allow."""


@dataclass(frozen=True, kw_only=True)
class TokenLists:
    """What one side tells of each token that it predicted.

    Attributes:
        ids: Of the documents.
        ranks: Place of each token among all, from 1; shape (n_tokens,).
        top: The most probable token at each place, likewise.
        sizes: How many tokens each document has, shape (n_documents,).
        told: Which documents tell, likewise.

    """

    ids: pa.ChunkedArray
    ranks: Ints
    top: Ints
    sizes: Ints
    told: Bools

    @classmethod
    def of(cls, answers: Predictions) -> "TokenLists | None":
        """Return what answers tell of tokens; `None` where they lack a column.

        Raises:
            DataError: The lists do not fit each other or the documents' nats.

        """
        if RANKS not in answers or TOP not in answers:
            return None
        ranks, top = (_whole(answers.column(name), name) for name in (RANKS, TOP))
        sizes = _sizes(answers.column(RANKS))
        told = np.asarray(answers.column(RANKS).is_valid(), np.bool_)
        found = cls(ids=answers.ids, ranks=ranks, top=top, sizes=sizes, told=told)
        found._check(answers)
        return found

    @classmethod
    def silent(cls, answers: Predictions) -> "TokenLists":
        """Return what answers tell that tell nothing of tokens."""
        none = np.zeros(0, np.int64)
        untold = np.zeros(len(answers), np.bool_)
        return cls(
            ids=answers.ids,
            ranks=none,
            top=none,
            sizes=untold.astype(np.int64),
            told=untold,
        )

    @cached_property
    def offsets(self) -> Ints:
        """The tokens of document `i` are `offsets[i]` to `offsets[i + 1]`."""
        return np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)

    def places(self, documents: Ints) -> Ints:
        """Return where the tokens of some documents stand, one document after another.

        Args:
            documents: Their rows.

        """
        sizes = self.sizes[documents]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return within + np.repeat(self.offsets[documents], sizes)

    def spread(self, numbers: Ints, sizes: Ints, missing: int) -> Ints:
        """Return numbers of tokens, as many a document as `sizes` says.

        Args:
            numbers: Of the tokens that are told, shape (n_tokens,).
            sizes: Of each document, shape (n_documents,).
            missing: Stands for the tokens of a document that tells none.

        """
        units = np.full(int(sizes.sum()), missing, np.int64)
        units[np.repeat(self.told, sizes)] = numbers
        return units

    def _check(self, answers: Predictions) -> None:
        n_tokens = answers.numbers("n_tokens")
        lengths = {
            RANKS: self.sizes == n_tokens,
            TOP: _sizes(answers.column(TOP)) == n_tokens,
        }
        for name, fits in lengths.items():
            self._refuse(self.told & ~fits, f"{name} must list n_tokens numbers")
        least = self._per_document(np.log(np.maximum(self.ranks, 1)))
        self._refuse(
            self._per_document((self.ranks < 1).astype(np.float64)) > 0,
            f"{RANKS} must be from 1, the rank of the most probable token",
        )
        nats = answers.numbers("nll")
        self._refuse(
            self.told & (nats < least * (1 - _ROUNDING) - _ROUNDING),
            f"nll is less than {RANKS} allow: a token of rank r costs at least ln r",
        )

    def _per_document(self, numbers: Values) -> Values:
        owner = np.repeat(np.arange(len(self.sizes)), self.sizes)
        found = np.bincount(owner, weights=numbers, minlength=len(self.sizes))
        return np.asarray(found, np.float64)

    def _refuse(self, wrong: Bools, rule: str) -> None:
        if wrong.any():
            ids = self.ids.filter(pa.array(wrong)).to_pylist()
            raise DataError(f"{rule}; {len(ids)} documents do not ({some(ids)})")


def known_sizes(sides: Sequence[TokenLists]) -> tuple[pa.ChunkedArray, Ints]:
    """Return ids of documents, and how many tokens a side that tells has in each."""
    first, *others = sides
    sizes = np.where(first.told, first.sizes, -1)
    for side in others:
        at = positions(first.ids, side.ids)
        theirs = np.where(side.told, side.sizes, -1)
        sizes = np.maximum(sizes, np.where(at >= 0, theirs[at], -1))
    return first.ids, np.maximum(sizes, 0)


def why_not_alike(sides: Sequence[TokenLists]) -> str:
    """Return why the tokens of sides are not the same ones; empty where they are."""
    first, *others = sides
    for side in others:
        at = positions(first.ids, side.ids)
        both = (at >= 0) & first.told & side.told[at]
        other = both & (first.sizes != side.sizes[at])
        if other.any():
            ids = first.ids.filter(pa.array(other)).to_pylist()
            return (
                f"the sides cut {len(ids)} of {int(both.sum())} documents into other "
                f"tokens ({some(ids)})"
            )
    return ""


def why_untold(sides: Sequence[TokenLists], answers: Sequence[Predictions]) -> str:
    """Return why tokens are unknown that a side has predicted; empty if none are.

    They would count as wrong, and OLD's could not break.
    """
    for side, own in zip(sides, answers, strict=True):
        untold = ~np.isnan(own.numbers("nll")) & ~side.told
        if untold.any():
            ids = side.ids.filter(pa.array(untold)).to_pylist()
            return (
                f"a side has nats of {len(ids)} documents and tells nothing of their "
                f"tokens ({some(ids)})"
            )
    return ""


def why_other_numbers(sides: Sequence[TokenLists]) -> str:
    """Return why a number does not name the same token on all sides; empty if it may.

    Where two sides are right about a token, both name it as their top one. With other
    vocabularies even being right says little: a small one makes many words its unknown
    token, which is easily predicted.
    """
    if any((own != theirs).any() for own, theirs in _tops_of_right(sides)):
        return "the sides number tokens otherwise, so their vocabularies differ"
    return ""


def why_unknown_numbers(sides: Sequence[TokenLists]) -> str:
    """Return why nothing shows that numbers name the same tokens; empty if it does."""
    if all(len(own) for own, _ in _tops_of_right(sides)):
        return ""
    return (
        "no token is right on both sides, so nothing shows that one number is one token"
    )


def _tops_of_right(sides: Sequence[TokenLists]) -> Iterator[tuple[Ints, Ints]]:
    """Yield the top tokens of the first side and of another where both are right."""
    first, *others = sides
    for side in others:
        at = positions(first.ids, side.ids)
        rows = np.flatnonzero((at >= 0) & first.told & side.told[at])
        own, theirs = first.places(rows), side.places(at[rows])
        right = (first.ranks[own] == 1) & (side.ranks[theirs] == 1)
        yield first.top[own[right]], side.top[theirs[right]]


def _sizes(lists: pa.ChunkedArray) -> Ints:
    return np.asarray(pc.fill_null(pc.list_value_length(lists), 0), np.int64)


def _whole(lists: pa.ChunkedArray, name: str) -> Ints:
    """Return the numbers inside lists, one list after the other."""
    if not pa.types.is_list(lists.type) and not pa.types.is_large_list(lists.type):
        raise DataError(f"{name} must list a whole number a token; got {lists.type}")
    chunks = [chunk.flatten() for chunk in lists.chunks]
    numbers = pa.chunked_array(chunks, lists.type.value_type)
    try:
        found = numbers.cast(pa.int64())
    except pa.ArrowException as error:
        raise DataError(f"{name} must list whole numbers: {error}") from error
    if found.null_count:
        raise DataError(f"{name} lists {found.null_count} values that are no number")
    return np.asarray(found, np.int64)
