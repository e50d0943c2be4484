"""The words of flipped sentences: where gold, old and new hang each of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.core.grades import CELLS
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.table import positions
from compat_eval.report.flips import Flip
from compat_eval.report.results import Results
from compat_eval.statistics.families.flips import cell_codes
from compat_eval.suite.suite import recorded_task
from compat_eval.tasks.dependency.grade import GradedWords
from compat_eval.tasks.dependency.task import Dependency

Mark: TypeAlias = Literal["kept", "broken", "fixed", "missed", "uncounted"]

_LABELLED = ("las", "lcm")


@dataclass(frozen=True, slots=True)
class Arc:
    """What a word hangs below.

    Attributes:
        head: Number of the head in the sentence, from 1; 0 for the root, -1 for none.
        relation: Its relation; empty where none is known or none was graded.

    """

    head: int
    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedWord:
    """One word of a sentence that both sides parsed.

    Attributes:
        text: The word.
        mark: The cell of its arc; `uncounted` where the level leaves it out.
        gold: Where it hangs.
        old: Where old hangs it; `None` without an answer.
        new: Where new hangs it; likewise.

    """

    text: str
    mark: Mark
    gold: Arc
    old: Arc | None
    new: Arc | None


Sentence: TypeAlias = tuple[ParsedWord, ...]


def parses(results: Results, flips: Sequence[Flip]) -> Mapping[str, Sentence]:
    """Return the words of flipped sentences by id.

    Nothing where the run is not of parses, was graded by its files, or lacks the
    words. A sentence that one side lacks altogether is left out.
    """
    if not flips or not _parsed(results, flips[0].level.name):
        return {}
    task = recorded_task(results.run.manifest)
    if not isinstance(task, Dependency):
        return {}
    wanted = pa.chunked_array([pa.array([flip.id for flip in flips], pa.string())])
    rows = positions(wanted, results.examples.ids)
    rows = rows[~(results.old.missing() | results.new.missing())[rows]]
    examples, old, new = (
        results.examples.take(rows),
        results.old.take(rows),
        results.new.take(rows),
    )
    level = flips[0].level.name
    marks = _marks(task, examples, (old, new), level)
    labelled = level in _LABELLED
    columns = zip(
        examples.ids.to_pylist(),
        examples.column("input").to_pylist(),
        examples.column("gold").to_pylist(),
        old.column("prediction").to_pylist(),
        new.column("prediction").to_pylist(),
        strict=True,
    )
    return {
        sentence_id: _sentence(sentence["words"], trees, marks, labelled=labelled)
        for sentence_id, sentence, *trees in columns
    }


def _parsed(results: Results, level: str) -> bool:
    graded = any(CORRECT_PREFIX + level in side for side in (results.old, results.new))
    whole = level in ("lcm", "ucm")
    if results.task.kind != "dependency" or (graded and not whole):
        return False
    if not {"input", "gold"} <= set(results.examples.table.column_names):
        return False
    given = results.examples.column("input").type
    return bool(pa.types.is_struct(given) and given.get_field_index("words") >= 0)


def _marks(
    task: Dependency,
    examples: Examples,
    sides: tuple[Predictions, Predictions],
    level: str,
) -> Iterator[Mark]:
    """Yield the mark of each word, sentence by sentence."""
    old, new = (
        task.right_words(GradedWords.of(examples, side, task.relations), level)
        for side in sides
    )
    counted = task.counted(examples, level)
    for code, counts in zip(cell_codes(old, new), counted, strict=True):
        yield CELLS[code] if counts else "uncounted"  # type: ignore[misc]


def _sentence(
    words: Sequence[str],
    trees: Sequence[Mapping[str, Any] | None],
    marks: Iterator[Mark],
    *,
    labelled: bool,
) -> Sentence:
    gold, old, new = (_arcs(tree, len(words), labelled=labelled) for tree in trees)
    return tuple(
        ParsedWord(
            text=word,
            mark=next(marks),
            gold=gold[at] or Arc(-1, ""),
            old=old[at],
            new=new[at],
        )
        for at, word in enumerate(words)
    )


def _arcs(
    tree: Mapping[str, Any] | None, size: int, *, labelled: bool
) -> Sequence[Arc | None]:
    if tree is None or tree["heads"] is None:
        return [None] * size
    arcs = zip(tree["heads"], tree["deprels"], strict=True)
    return [Arc(head, (relation or "") if labelled else "") for head, relation in arcs]
