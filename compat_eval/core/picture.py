"""Pictures of what two answers to one example treat differently.

A task kind makes them and every report can show them, so no report knows a task kind.
Texts are the data's own; whoever shows them makes them harmless.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions

Mark: TypeAlias = Literal["", "broken", "fixed", "wrong"]
"""How a part of a picture is marked."""

SYMBOLS: Mapping[Mark, str] = {"": "", "broken": "▼", "fixed": "▲", "wrong": "✗"}
"""One character for each mark, so that none is told by its colour alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartChange:
    """One part of an example that flipped, such as a word.

    Attributes:
        mark: `broken` or `fixed`.
        part: What flipped.
        old: What old makes of it; right where it broke.
        new: What new makes of it; right where it was fixed.

    """

    mark: Mark
    part: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """Lines that look alike, as one SVG path.

    Attributes:
        look: Class names: a cell, and `wrong` where the side is.
        path: The path's commands.

    """

    look: str
    path: str


@dataclass(frozen=True, slots=True)
class DrawnText:
    """A piece of text in a drawing, centred at a place."""

    x: float
    y: float
    text: str
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Lines and texts, laid out in SVG user units.

    Attributes:
        width: In user units.
        height: In user units.
        title: What it is, for who does not see it.
        strokes: The lines.
        labels: Small texts.
        words: Texts of running size.

    """

    width: float
    height: float
    title: str
    strokes: tuple[Stroke, ...]
    labels: tuple[DrawnText, ...]
    words: tuple[DrawnText, ...]


@dataclass(frozen=True, slots=True)
class TreeLine:
    """One line of a tree that is written from top to bottom.

    Attributes:
        depth: How many nodes stand above.
        label: The node's label; empty for words alone.
        words: The words.
        mark: Of the node.

    """

    depth: int
    label: str
    words: str
    mark: Mark = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTree:
    """Gold or an answer as indented lines.

    Attributes:
        name: Gold, Old or New.
        lines: From top to bottom; none where the answer is no tree.
        instead: What was said that is no tree.
        verdict: `right`, `wrong` or nothing; who shows it says so.
        more: How many lines are left out, in words; likewise.

    """

    name: str
    lines: tuple[TreeLine, ...]
    instead: str = ""
    verdict: Literal["", "right", "wrong"] = ""
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What stands in place of gold and both answers as text.

    Attributes:
        draw: Draws it, which takes time: a page has room for few. `None` where it
            cannot be drawn.
        changes: What flipped; it also stands where nothing is drawn.

    """

    draw: Callable[[], Drawing | tuple[WrittenTree, ...] | None]
    changes: tuple[PartChange, ...] = ()


@runtime_checkable
class MakesPictures(Protocol):
    """A task kind whose answers are better seen than read."""

    @property
    def picture_legend(self) -> str:
        """How its pictures are read, after "red broke, green was fixed"."""

    def pictures(
        self, examples: Examples, old: Predictions, new: Predictions, level: str
    ) -> Iterator[Picture | None]:
        """Yield the picture of each example, row by row; `None` where there is none."""
