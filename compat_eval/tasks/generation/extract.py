"""The part of a long answer that counts: what a pattern of the user's finds.

Patterns are those of RE2, which takes time in proportion to the text whatever the
pattern; it has neither look-around nor back-references.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import UsageError

_NAME = "answer"
_LONGEST_PATTERN = 1000
_GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")


@dataclass(frozen=True, slots=True)
class Extraction:
    """A pattern whose first group is the answer; the whole match without a group.

    Attributes:
        pattern: With one named group, in the syntax of RE2.
        group: Name of that group.

    """

    pattern: str
    group: str

    @classmethod
    def of(cls, pattern: str, *, last: bool = False) -> "Extraction":
        r"""Return what a user's pattern extracts.

        Args:
            pattern: With or without a group.
            last: Whether the last match counts, not the first.

        Raises:
            UsageError: It is no pattern of RE2.

        Examples:
            >>> Extraction.of(r"#### (\d+)").of_each(["6 #### 7", "none"])
            ['7', None]

        """
        if not pattern or len(pattern) > _LONGEST_PATTERN:
            raise UsageError(
                f"generation: extract must have 1 to {_LONGEST_PATTERN:,} characters; "
                f"got {len(pattern):,}"
            )
        named, group = _with_one_group(pattern)
        found = cls(f"(?s:.*){named}" if last else named, group)
        found.of_each([""])
        return found

    def of_each(self, texts: Sequence[str | None]) -> list[str | None]:
        """Return what it finds in each text; `None` where it finds nothing.

        Raises:
            UsageError: It is no pattern of RE2.

        """
        try:
            found = pc.extract_regex(pa.array(texts, pa.string()), self.pattern)
            return list(pc.struct_field(found, self.group).to_pylist())
        except pa.ArrowException as error:
            raise UsageError(
                f"generation: extract is no pattern: {error}. Patterns are those of "
                "RE2, without look-around and back-references"
            ) from error


def _with_one_group(pattern: str) -> tuple[str, str]:
    """Name the first group, and let the others group only; RE2 wants all named."""
    named = _GROUP.search(pattern)
    if named is not None:
        return _renamed(pattern, keep=named.start()), named[1]
    opened = list(_openings(pattern))
    if not opened:
        return f"(?P<{_NAME}>{pattern})", _NAME
    return _renamed(pattern, keep=opened[0], first=f"(?P<{_NAME}>"), _NAME


def _renamed(pattern: str, *, keep: int, first: str = "") -> str:
    parts, done = [], 0
    for at in _openings(pattern):
        parts += [pattern[done:at], first if at == keep and first else "(?:"]
        done = at + 1
    return "".join([*parts, pattern[done:]])


def _openings(pattern: str) -> list[int]:
    """Return where groups without a name open."""
    found, in_class, at = [], False, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            if pattern[at + 1 : at + 2] in ("]", "^"):
                at += 2 if pattern[at + 1 : at + 3] == "^]" else 1
        elif char == "(" and pattern[at + 1 : at + 2] != "?":
            found.append(at)
        at += 1
    return found
