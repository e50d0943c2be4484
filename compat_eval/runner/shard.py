"""A share of a run, so that several processes can do one run together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from compat_eval.core.errors import UsageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shard:
    """Share `index` of `count`, counted from 1.

    Shares are taken from the planned batches, every `count`-th one, so that a
    batch has the same members as in an undivided run, and so has its answer.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise UsageError(
                "a shard is i/n with i from 1 to n, such as 2/4; "
                f"got {self.index}/{self.count}"
            )

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read `i/n`.

        Examples:
            >>> Shard.parse("2/4")
            Shard(index=2, count=4)

        Raises:
            UsageError: The text is not of that form, or i is not from 1 to n.

        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip(), re.ASCII)
        if match is None:
            raise UsageError(
                f"a shard is i/n with i from 1 to n, such as 2/4; got {text!r}"
            )
        return cls(int(match[1]), int(match[2]))

    def of(self, things: Sequence[T]) -> Sequence[T]:
        """Return this share of a sequence.

        Examples:
            >>> Shard(2, 3).of("abcdef")
            'be'

        """
        return things[self.index - 1 :: self.count]

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"
