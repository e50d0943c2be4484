"""A text as the numbers of hash buckets: words, word pairs and pieces of words.

No vocabulary is kept, so every text has features. Pieces of words let unseen
and misspelt words share features with known ones (the idea of Bojanowski et
al., "Enriching Word Vectors with Subword Information", TACL 2017).
"""

import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class HashedText:
    """One encoded text.

    Attributes:
        buckets: Bucket of each of its features; never empty.

    """

    buckets: Sequence[int]

    def __len__(self) -> int:
        return len(self.buckets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashing:
    """How texts become buckets.

    Attributes:
        n_buckets: How many buckets there are.
        shortest: Fewest letters of a piece of a word.
        longest: Most letters of a piece of a word.

    """

    n_buckets: int
    shortest: int
    longest: int

    def encode(self, text: str) -> HashedText:
        """Return a text's features; a text without words has one of its own.

        Examples:
            >>> hashing = Hashing(n_buckets=100, shortest=3, longest=4)
            >>> hashing.encode("Play") == hashing.encode("play ")
            True
            >>> len(hashing.encode("to be"))  # words, <to>, <to, to>, …, one pair
            9

        """
        words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
        buckets = [b for word in words for b in _of_word(word, self)]
        buckets += [_hash(f"{a} {b}", self.n_buckets) for a, b in pairwise(words)]
        return HashedText(buckets or [_hash("", self.n_buckets)])


@lru_cache(maxsize=100_000)
def _of_word(word: str, hashing: Hashing) -> tuple[int, ...]:
    framed = f"<{word}>"
    pieces = [
        framed[start : start + size]
        for size in range(hashing.shortest, hashing.longest + 1)
        for start in range(len(framed) - size + 1)
    ]
    return tuple(_hash(piece, hashing.n_buckets) for piece in (word, *pieces))


def _hash(feature: str, n_buckets: int) -> int:
    return zlib.crc32(feature.encode("utf-8", "surrogatepass")) % n_buckets
