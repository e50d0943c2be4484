"""Examples on a terminal: what was asked, and what both models answered."""

import os
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from compat_eval.core.grades import Level
from compat_eval.report import numbers, words
from compat_eval.report.flips import FLIPPED, Answer, Flip
from compat_eval.report.sentences import answer_details
from compat_eval.report.tally import units_said
from compat_eval.report.text import ELLIPSIS, clip, visible

_STYLES = {"broken": "red", "fixed": "green"}
_LENGTH, _ID_LENGTH, _TAG_LENGTH = 300, 300, 100


def print_examples(
    console: Console,
    examples: Sequence[Flip],
    *,
    most: int | None,
    of: int,
    trees: Mapping[str, Sequence[str]],
    counts: str,
    full: bool,
) -> None:
    """Print some examples, and say how many there are.

    Args:
        console: Where to.
        examples: Those that fit.
        most: How many are printed at most; `None` for all.
        of: How many there are before anything was chosen.
        trees: What to print instead of gold and answers, by the example's id.
        counts: How many of those that fit broke and were fixed, in words.
        full: Whether texts are printed whole.

    """
    length = None if full else _LENGTH
    shown = examples if most is None else examples[:most]
    for one in shown:
        console.print(_example(one, trees.get(one.id), length))
    flipped = [one for one in examples if one.cell in FLIPPED]
    noun = "flip" if len(flipped) == len(examples) else "example"
    verb = "fits" if len(examples) == 1 else "fit"
    fit = f"{numbers.count(len(examples))} of {numbers.counted(of, noun)} {verb}"
    fit += f": {counts}" if flipped else ""
    rest = len(examples) - len(shown)
    more = f"; {numbers.count(rest)} more with --all" if rest else ""
    console.print(Text(f"{fit}{more}."))
    if not full and any(map(_is_long, shown)):
        console.print(Text("Texts are cut; --full, or --id ID --full, shows them."))


def _is_long(one: Flip) -> bool:
    texts = (one.input, one.gold, one.old.text, one.new.text)
    return any(len(text) > _LENGTH for text in texts)


def _line(text: object, length: int | None) -> str:
    """Return a text in one visible line; what is cut off is counted."""
    written = str(text)
    kept = clip(written, len(written) if length is None else length)
    rest = f" {ELLIPSIS} {numbers.counted(kept.missing, 'more character')}"
    shown = visible(kept.text, one_line=length is not None)
    return _inert(shown) + rest * bool(kept.missing)


def _inert(text: str) -> str:
    """Return a text that is no command to the log of a job on GitHub.

    A line that begins with two colons is one there, whoever wrote it.
    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    return text.replace("::", ": :").replace("##[", "# #[")


def _example(one: Flip, tree: Sequence[str] | None, length: int | None) -> Text:
    style = _STYLES.get(one.cell, "default")
    symbol = words.CELL_SYMBOLS[one.word]
    head = Text(f"{symbol} {one.word} ", style=f"bold {style}")
    head.append(_line(one.id, _ID_LENGTH), style="bold")
    tags = [units_said(one), *(_line("=".join(t), _TAG_LENGTH) for t in one.slices)]
    tags += ["noise band"] if one.noise_band else []
    head.append("".join(f"  {tag}" for tag in tags if tag), style="dim")
    if one.input:
        head.append(f"\n  {_line(one.input, length)}", style="default")
    if tree is not None:
        return head.append("".join(f"\n  {line}" for line in tree)).append("\n")
    if one.level.needs_gold:
        head.append("\n  gold  ", style="dim")
        head.append(_line(one.gold, length))
    for name, answer in (("old", one.old), ("new", one.new)):
        head.append(f"\n  {name}   ", style="dim")
        head.append(_answer(answer, one.level, length))
    return head.append("\n")


def _answer(answer: Answer, level: Level, length: int | None) -> Text:
    text = Text(_line(answer.text, length))
    if answer.right is not None:
        mark, style = ("✓", "green") if answer.right else ("✗", "red")
        text = Text(f"{mark} ", style=style)
        said = _line(answer.text, length) if answer.text else "no answer"
        text.append(said, style="default")
    for detail in answer_details(answer, level):
        text.append(f"  {detail}", style="dim")
    if answer.error is not None:
        text.append(f"  error: {_line(answer.error, length)}", style="dim")
    return text
