"""How many examples hold units that flipped.

Where an example has several units, such as the words of a sentence, some may break
and others be fixed; such an example counts as both.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from compat_eval.report import numbers, words
from compat_eval.report.flips import Flip, units_flipped
from compat_eval.report.source import the_task
from compat_eval.runs.directory import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Examples with flipped units at a level.

    Attributes:
        broken: How many hold a broken unit.
        fixed: How many hold a fixed unit.
        both: How many hold both.

    """

    broken: int
    fixed: int
    both: int

    @property
    def examples(self) -> int:
        """How many there are, each counted once."""
        return self.broken + self.fixed - self.both


def tally(run: Run, level: str) -> Tally:
    """Count the examples of a run in which units flipped.

    Raises:
        UsageError: The run was not graded at that level.

    """
    lost, won = units_flipped(run, level)
    return Tally(
        broken=int(np.count_nonzero(lost)),
        fixed=int(np.count_nonzero(won)),
        both=int(np.count_nonzero((lost > 0) & (won > 0))),
    )


def tally_of(flips: Iterable[Flip]) -> Tally:
    """Count some of the flips."""
    cells = [flip.cells for flip in flips]
    return Tally(
        broken=sum("broken" in one for one in cells),
        fixed=sum("fixed" in one for one in cells),
        both=sum(len(one) > 1 for one in cells),
    )


def in_parts(run: Run, level: str) -> bool:
    """Whether examples of a run have several units at a level."""
    task = the_task(run.comparison)
    return bool(task["levels"][level]["units"] != task["n_examples"])


def examples_said(found: Tally, level: str, *, parts: bool) -> str:
    """Say how many examples hold what.

    Args:
        found: The counts.
        level: Which unit is right or wrong.
        parts: Whether examples have several units at the level.

    Examples:
        >>> examples_said(Tally(broken=3, fixed=2, both=1), "las", parts=True)
        '3 sentences with broken words and 2 with fixed words; 1 with both'
        >>> examples_said(Tally(broken=1, fixed=2, both=0), "lcm", parts=False)
        '1 sentence broken and 2 fixed'

    """
    if not parts:
        broken = numbers.counted(found.broken, *_both(words.noun, level))
        return f"{broken} broken and {numbers.count(found.fixed)} fixed"
    unit = words.noun(level, 2)
    said = (
        f"{numbers.counted(found.broken, *_both(words.whole, level))} with broken "
        f"{unit} and {numbers.count(found.fixed)} with fixed {unit}"
    )
    both = f"; {numbers.count(found.both)} with both"
    return said + (both if found.both else "")


def units_said(flip: Flip) -> str:
    """Say how many units of a flip broke and were fixed; nothing for a single one."""
    if flip.broken + flip.fixed == 1:
        return ""
    first, *rest = (
        (number, cell)
        for cell, number in (("broken", flip.broken), ("fixed", flip.fixed))
        if number
    )
    head = f"{numbers.counted(first[0], *_both(words.noun, flip.level))} {first[1]}"
    return ", ".join([head, *(f"{numbers.count(n)} {cell}" for n, cell in rest)])


def _both(noun: Callable[[str, int], str], level: str) -> tuple[str, str]:
    return noun(level, 1), noun(level, 2)
