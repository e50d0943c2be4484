"""What a log of another tool says, and how one is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The answers of one task, as another tool logged them.

    Attributes:
        table: A row an answer, in our columns: `id`, `input`, `gold`, `prediction`,
            `score`, `margin`, `correct` (graded by the tool), `error`, `cluster`;
            `repeat` where an example was answered several times; `score.<name>` for
            values of a scorer that are not right or wrong. `question` identifies what
            was asked where `input` tells more than that, such as a whole prompt.
            Further columns are slices.
        facts: What decides a grade, by short names: tool, version, task, scorer,
            few-shot examples, digest of the prompts, revision of the data, model, …
        notes: What a reader of the comparison must know, in sentences.
        kind: The kind of task that the answers are of, with the settings that grade
            them where the tool did not, as in `generation:match=sql`.
        used: Which of the choices were applied; further ones choose rows.
        files: The files that hold the rows; the path itself where it is one file.

    """

    table: "pa.Table"
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kind: str = "classification"
    used: frozenset[str] = frozenset()
    files: tuple[Path, ...] = ()


class LogReader(Protocol):
    """Reads the logs of one tool; made without arguments."""

    def recognises(self, path: Path) -> bool:
        """Whether a file or folder is such a log: by its names and first bytes."""

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the names of the tasks that a log holds.

        Raises:
            DataError: The log is damaged.

        """

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Read the answers of one task.

        Args:
            path: A file or folder that `recognises`.
            task: One of `tasks`.
            choices: What the user chose where a log holds several things, such as
                `filter` or `scorer` (`--keep`), and `metric`, which grades.
            shown: What messages call the log.

        Raises:
            UsageError: Something must be chosen; the message has the whole option.
            DataError: The log is damaged.

        """
