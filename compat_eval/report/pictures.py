"""The pictures of flipped examples: as many as a page can bear, or as plain lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from types import MappingProxyType
from typing import Literal, cast

import pyarrow as pa

from compat_eval.core.picture import (
    SYMBOLS,
    Drawing,
    MakesPictures,
    PartChange,
    Picture,
    WrittenTree,
)
from compat_eval.core.predictions import CORRECT_PREFIX
from compat_eval.core.table import positions
from compat_eval.report import numbers
from compat_eval.report.flips import Flip
from compat_eval.report.results import Results
from compat_eval.report.text import ELLIPSIS, shortened
from compat_eval.runs.directory import recorded_task
from compat_eval.tasks import TASKS

MOST_DRAWN = 150
_BYTES = 400_000
_MOST_CHANGES, _MOST_LINES, _DEEPEST = 5, 60, 12
_LENGTH, _LINE_LENGTH, _PLAIN_LENGTH, _INSTEAD_LENGTH = 40, 120, 200, 300
_INDENT = "  "
_VERDICTS: Mapping[bool | None, Literal["", "right", "wrong"]] = MappingProxyType(
    {None: "", True: "right", False: "wrong"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPicture:
    """What a card shows instead of answers as text.

    Attributes:
        drawing: Lines and texts; `None` where nothing is drawn.
        trees: Gold and both answers as indented lines; empty for none.
        changes: What flipped, as much as there is room for.
        more: How much more flipped, in words.
        weight: About how many bytes it takes on a page.

    """

    drawing: Drawing | None
    trees: tuple[WrittenTree, ...]
    changes: tuple[PartChange, ...]
    more: str
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """All pictures, and what must be said about them.

    Attributes:
        of: The picture of each flip that has one, by the example's id.
        legend: How they are read; empty where there is none.
        left_out: What is not drawn, in a sentence; empty where everything is.

    """

    of: Mapping[str, ShownPicture]
    legend: str = ""
    left_out: str = ""


def pictures(results: Results, flips: Sequence[Flip]) -> Pictures:
    """Draw the first flips, as many as fit in the page's bytes.

    What is not drawn still lists what flipped, where the task kind tells.
    """
    shown: dict[str, ShownPicture] = {}
    spent = undrawn = 0
    task = _task(results, flips)
    for at, (flip, picture) in enumerate(_made(task, results, flips)):
        drawn = _drawn(picture, flip) if at < MOST_DRAWN else None
        if drawn is not None and spent + drawn.weight <= _BYTES:
            spent += drawn.weight
        else:
            undrawn += 1
            drawn = None
        if drawn or picture.changes:
            shown[flip.id] = _with_changes(picture.changes, drawn)
    if task is None or not shown:
        return Pictures(of={})
    listed = any(one.changes for one in shown.values())
    return Pictures(
        of=shown, legend=task.picture_legend, left_out=_left_out(undrawn, listed=listed)
    )


def plain_pictures(
    results: Results, flips: Sequence[Flip]
) -> Mapping[str, tuple[str, ...]]:
    """Return pictures as plain lines for a terminal, by the example's id.

    What flipped where the task kind tells, else gold and both answers as indented
    lines. Nothing for answers that are better read as text.
    """
    task = _task(results, flips)
    found = {
        flip.id: tuple(_plain(picture, flip))
        for flip, picture in _made(task, results, flips)
    }
    return {example: lines for example, lines in found.items() if lines}


def _task(results: Results, flips: Sequence[Flip]) -> MakesPictures | None:
    """Return the task where it can draw what was graded.

    Grades that the files brought say nothing of an example's units.
    """
    if not flips or results.task.kind not in TASKS.names():
        return None
    level = flips[0].level
    graded = any(
        CORRECT_PREFIX + level.name in side for side in (results.old, results.new)
    )
    if (graded and level.unit != level.example) or "gold" not in results.examples:
        return None
    if not isinstance(TASKS.load(results.task.kind)(), MakesPictures):
        return None
    return cast("MakesPictures", recorded_task(results.run.manifest))


def _made(
    task: MakesPictures | None, results: Results, flips: Sequence[Flip]
) -> Iterator[tuple[Flip, Picture]]:
    """Yield pictures of the flips that both sides answered, in their order."""
    if task is None:
        return
    old, new = results.old, results.new
    rows = positions(
        pa.chunked_array([pa.array([flip.id for flip in flips], pa.string())]),
        results.examples.ids,
    )
    here = ~(old.missing() | new.missing())[rows]
    rows, answered = rows[here], compress(flips, here)
    sides = results.examples.take(rows), old.take(rows), new.take(rows)
    for flip, picture in zip(
        answered, task.pictures(*sides, flips[0].level.name), strict=True
    ):
        if picture is not None:
            yield flip, picture


def _drawn(picture: Picture, flip: Flip) -> ShownPicture | None:
    made = picture.draw()
    if made is None:
        return None
    drawing = made if isinstance(made, Drawing) else None
    trees = () if isinstance(made, Drawing) else tuple(_shown(t, flip) for t in made)
    weight = sum(map(_tree_weight, trees))
    weight += 0 if drawing is None else _drawing_weight(drawing)
    return ShownPicture(
        drawing=drawing, trees=trees, changes=(), more="", weight=weight
    )


def _shown(tree: WrittenTree, flip: Flip) -> WrittenTree:
    answer = {"Old": flip.old, "New": flip.new}.get(tree.name)
    rest = len(tree.lines) - _MOST_LINES
    said = shortened(tree.instead, _INSTEAD_LENGTH) or "no answer"
    return replace(
        tree,
        verdict=_VERDICTS[None if answer is None else answer.right],
        lines=tuple(
            replace(
                line,
                depth=min(line.depth, _DEEPEST),
                label=shortened(line.label, _LINE_LENGTH),
                words=shortened(line.words, _LINE_LENGTH),
            )
            for line in tree.lines[:_MOST_LINES]
        ),
        instead="" if tree.lines else said,
        more=f"{ELLIPSIS} {numbers.counted(rest, 'more line')}" if rest > 0 else "",
    )


def _with_changes(
    changes: Sequence[PartChange], drawn: ShownPicture | None
) -> ShownPicture:
    listed = tuple(map(_short, changes[:_MOST_CHANGES]))
    rest = len(changes) - len(listed)
    weight = sum(len(one.part + one.old + one.new) + 110 for one in listed)
    return ShownPicture(
        drawing=None if drawn is None else drawn.drawing,
        trees=() if drawn is None else drawn.trees,
        changes=listed,
        more=f"{ELLIPSIS} {numbers.count(rest)} more" if rest else "",
        weight=weight + (0 if drawn is None else drawn.weight),
    )


def _short(change: PartChange) -> PartChange:
    return replace(
        change,
        part=shortened(change.part, _LENGTH),
        old=shortened(change.old, 2 * _LENGTH),
        new=shortened(change.new, 2 * _LENGTH),
    )


def _drawing_weight(drawing: Drawing) -> int:
    texts = (*drawing.labels, *drawing.words)
    paths = sum(len(stroke.path) + 30 for stroke in drawing.strokes)
    return 250 + paths + sum(_bytes(text.text) + 55 for text in texts)


def _tree_weight(tree: WrittenTree) -> int:
    texts = [line.label + line.words for line in tree.lines] + [tree.instead]
    return 80 + sum(_bytes(text) + 60 for text in texts)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _left_out(undrawn: int, *, listed: bool) -> str:
    if not undrawn:
        return ""
    instead = "what flipped is listed" if listed else "the answers are given as text"
    return (
        f"{numbers.counted(undrawn, 'example')} "
        f"{'is' if undrawn == 1 else 'are'} not drawn, so that this page stays small; "
        f"{instead}."
    )


def _plain(picture: Picture, flip: Flip) -> Iterator[str]:
    for one in picture.changes:
        said = f"{SYMBOLS[one.mark]} {one.part}: {one.old}, now {one.new}"
        yield shortened(said, _PLAIN_LENGTH)
    drawn = None if picture.changes else _drawn(picture, flip)
    for tree in drawn.trees if drawn else ():
        sign = {"right": " ✓", "wrong": " ✗"}.get(tree.verdict, "")
        said = f"  {tree.instead}" if tree.instead else ""
        yield f"{tree.name.lower()}{sign}{said}"
        for line in tree.lines:
            parts = (SYMBOLS[line.mark], line.label, line.words)
            yield _INDENT * (line.depth + 1) + " ".join(filter(None, parts))
        if tree.more:
            yield _INDENT + tree.more
