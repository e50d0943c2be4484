"""Answers as lines: samples and how often each was given, or where texts differ."""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from compat_eval.core.picture import Picture, TreeLine, WrittenTree
from compat_eval.core.text import clipped

LEGEND = (
    "Of several answers each stands on a line with how often it was given, ✗ where it "
    "is wrong. Of long answers only the lines that differ are shown."
)
_SHORT = 240
_LONGEST = 110
_MOST_LINES, _MOST_DIFFERED = 12, 400

_Sampled = Sequence[tuple[str | None, bool]]
"""The samples of one example, with whether each is right."""


def sampled(gold: object, old: _Sampled, new: _Sampled) -> Picture:
    """Return how the samples of both sides are shown."""
    return Picture(draw=partial(_of_samples, gold, old, new))


def compared(gold: object, old: str | None, new: str | None) -> Picture | None:
    """Return where two long answers differ; `None` where they are better read whole."""
    if max(len(old or ""), len(new or "")) <= _SHORT:
        return None
    return Picture(draw=partial(_of_texts, gold, old or "", new or ""))


def _of_samples(gold: object, old: _Sampled, new: _Sampled) -> tuple[WrittenTree, ...]:
    sides = {"Old": old, "New": new}
    return (
        _gold(gold),
        *(WrittenTree(name=x, lines=tuple(_counted(one))) for x, one in sides.items()),
    )


def _counted(samples: _Sampled) -> Iterator[TreeLine]:
    for (text, right), times in Counter(samples).most_common():
        words = "no answer" if text is None else _ending(text)
        yield TreeLine(0, f"{times} ×", words, "" if right else "wrong")


def _ending(text: str) -> str:
    """Return the end of a text on one line: there the answer stands."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"…{line[-_LONGEST:]}"


def _of_texts(gold: object, old: str, new: str) -> tuple[WrittenTree, ...]:
    one, other = (text.splitlines()[:_MOST_DIFFERED] for text in (old, new))
    changes = difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return (
        _gold(gold),
        WrittenTree(
            name="Old",
            lines=tuple(_differing(one, [(t, a, b) for t, a, b, _, _ in changes])),
        ),
        WrittenTree(
            name="New",
            lines=tuple(_differing(other, [(t, a, b) for t, _, _, a, b in changes])),
        ),
    )


def _differing(
    lines: Sequence[str], parts: Sequence[tuple[str, int, int]]
) -> Iterator[TreeLine]:
    """Yield the lines that only one text has, and how many both have between them."""
    left = _MOST_LINES
    for what, start, end in parts:
        if what == "equal":
            if end > start:
                yield TreeLine(0, "=", f"{end - start} lines that both have")
            continue
        for line in lines[start : min(end, start + left)]:
            yield TreeLine(0, "≠", _ending(line))
        if end - start > left:
            yield TreeLine(0, "≠", f"{end - start - left} more lines")
        left = max(0, left - (end - start))


def _gold(gold: object) -> WrittenTree:
    given = gold if isinstance(gold, list) else [gold]
    lines = [TreeLine(0, "", clipped(str(one), _LONGEST)) for one in given]
    return WrittenTree(name="Gold", lines=tuple(lines[:_MOST_LINES]))
