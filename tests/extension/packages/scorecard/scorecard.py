"""Score cards of a made-up tool: a head line, then a line an answer.

scorecard 2<TAB>TASK<TAB>MODEL
ID<TAB>GOLD<TAB>ANSWER<TAB>ok or -
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.readers.logs.log import Log
from compat_eval.suite.data.formats.packed import head

_CELLS = ("id", "gold", "prediction", "correct")


class Scorecard:
    """A file of one task and one model."""

    def recognises(self, path: Path) -> bool:
        """Whether a file begins as a score card."""
        return head(path, 10) == b"scorecard "

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the one task, as the head line names it."""
        return (_lines(path)[0][1],)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the graded answers; nothing in a card is to be chosen."""
        del choices
        (scorer, _, model), *rows = _lines(path)
        if not rows or any(len(row) != len(_CELLS) for row in rows):
            raise DataError(f"{shown}: a line of a score card has {len(_CELLS)} cells")
        columns = dict(zip(_CELLS, map(list, zip(*rows, strict=True)), strict=True))
        columns["correct"] = [mark == "ok" for mark in columns["correct"]]
        facts = {"tool": "scorecard", "scorer": scorer, "task": task, "model": model}
        return Log(table=pa.table(columns), facts=facts)


def _lines(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()]
