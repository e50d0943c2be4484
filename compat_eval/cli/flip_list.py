"""Flipped examples on a terminal, without a pager."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from compat_eval.report import numbers, words
from compat_eval.report.flips import Answer, Flip
from compat_eval.report.tally import units_said
from compat_eval.report.text import shortened

_STYLES = {"broken": "red", "fixed": "green"}
_LENGTH = 300


def print_flips(
    console: Console,
    flips: Sequence[Flip],
    *,
    limit: int | None,
    of: int,
    trees: Mapping[str, Sequence[str]],
    counts: str,
) -> None:
    """Print some flips, and say how many there are.

    Args:
        console: Where to.
        flips: Those that fit.
        limit: The most that are printed; `None` for all.
        of: How many there are before anything was chosen.
        trees: What to print instead of gold and answers, by the example's id.
        counts: How many of those that fit broke and were fixed, in words.

    """
    shown = flips if limit is None else flips[:limit]
    for flip in shown:
        console.print(_block(flip, trees.get(flip.id)))
    fit = f"{numbers.count(len(flips))} of {numbers.counted(of, 'flip')} fit: {counts}"
    rest = len(flips) - len(shown)
    more = f"; {numbers.count(rest)} more with --all" if rest else ""
    console.print(Text(f"{fit}{more}."))


def _block(flip: Flip, tree: Sequence[str] | None) -> Text:
    style = _STYLES[flip.cell]
    head = Text(f"{words.CELL_SYMBOLS[flip.cell]} {flip.cell} ", style=f"bold {style}")
    head.append(shortened(flip.id, 80), style="bold")
    tags = [units_said(flip), *(shortened("=".join(tag), 60) for tag in flip.slices)]
    tags += ["noise band"] if flip.noise_band else []
    head.append("".join(f"  {tag}" for tag in tags if tag), style="dim")
    if flip.input:
        head.append(f"\n  {shortened(flip.input, _LENGTH)}", style="default")
    if tree is not None:
        return head.append("".join(f"\n  {line}" for line in tree)).append("\n")
    head.append("\n  gold  ", style="dim").append(shortened(flip.gold, _LENGTH))
    for name, answer in (("old", flip.old), ("new", flip.new)):
        head.append(f"\n  {name}   ", style="dim").append(_answer(answer))
    return head.append("\n")


def _answer(answer: Answer) -> Text:
    mark, style = ("✓", "green") if answer.right else ("✗", "red")
    said = "no answer" if not answer.text else shortened(answer.text, _LENGTH)
    text = Text(f"{mark} ", style=style).append(said, style="default")
    if answer.score is not None:
        text.append(f"  score {numbers.decimal(answer.score, 3)}", style="dim")
    if answer.margin is not None:
        text.append(f"  margin {numbers.decimal(answer.margin, 3)}", style="dim")
    if answer.error is not None:
        text.append(f"  error: {shortened(answer.error, _LENGTH)}", style="dim")
    return text
