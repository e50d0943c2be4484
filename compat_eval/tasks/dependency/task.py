"""Dependency parsing: heads and relations of words, and whole trees.

Levels: `uas` and `las` (a unit is a word: its head, its head and relation),
`ucm` and `lcm` (a unit is a sentence: all its heads, all heads and relations).

Sources: Cai et al., "Measuring and Reducing Model Update Regression in
Structured Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976
(levels; `bcr-paper` follows their released evaluation code).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, cells, chosen
from compat_eval.core.picture import Picture
from compat_eval.core.places import Places
from compat_eval.core.predictions import Predictions
from compat_eval.core.statistic import Statistic
from compat_eval.tasks.dependency.facets import (
    sentence_facets,
    word_facets,
    word_places,
)
from compat_eval.tasks.dependency.grade import (
    GradedWords,
    are_trees,
    moved_heads,
    moved_relations,
)
from compat_eval.tasks.dependency.official import official_metrics
from compat_eval.tasks.dependency.picture import (
    LEGEND,
    WordCell,
    have_words,
    picture,
    sentences,
)
from compat_eval.tasks.dependency.remarks import (
    refuse_no_trees,
    remarks_on_punctuation,
    remarks_on_relations,
    remarks_on_trees,
)
from compat_eval.tasks.dependency.trees import Relations

_Punctuation: TypeAlias = Literal["exclude", "include"]

_WORDS = ("uas", "las")
_CELLS: tuple[WordCell, ...] = ("kept", "broken", "fixed", "missed")

_OF_WORDS = Level("", "word", "words", example="sentence", examples="sentences")
_OF_TREES = Level("", "sentence", "sentences", example="sentence", examples="sentences")

LEVELS = (
    replace(_OF_WORDS, name="las", title="Labelled attachment (LAS)"),
    replace(_OF_WORDS, name="uas", title="Unlabelled attachment (UAS)"),
    replace(_OF_TREES, name="lcm", title="Whole trees, labelled (LCM)"),
    replace(_OF_TREES, name="ucm", title="Whole trees, unlabelled (UCM)"),
)

_CHOICES = {
    "punctuation": ("exclude", "include"),
    "tree_punctuation": ("exclude", "include"),
    "relations": ("full", "universal"),
    "root_relation": ("compare", "ignore"),
    "not_trees": ("wrong", "refuse"),
}

PRESETS: dict[str, dict[str, object]] = {
    "bcr-paper": {
        "punctuation": "exclude",
        "tree_punctuation": "include",
        "punctuation_tags": ("PUNCT", "SYM"),
        "relations": "full",
        "root_relation": "ignore",
    },
    "official": {
        "punctuation": "include",
        "tree_punctuation": "include",
        "relations": "universal",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """Which heads and relations count as right.

    Attributes:
        punctuation: Whether punctuation counts at the levels `uas` and `las`.
        tree_punctuation: Whether it counts at `ucm` and `lcm`.
        punctuation_tags: Gold universal parts of speech that are punctuation.
        relations: `full` relations, or `universal`: without subtype.
        root_relation: Whether `lcm` compares the root's own relation.
        not_trees: Whether an answer that is no tree with one root is wrong at every
            level, or stops the comparison.

    """

    punctuation: _Punctuation = "exclude"
    tree_punctuation: _Punctuation = "exclude"
    punctuation_tags: tuple[str, ...] = ("PUNCT",)
    relations: Relations = "full"
    root_relation: Literal["compare", "ignore"] = "compare"
    not_trees: Literal["wrong", "refuse"] = "wrong"
    kind: str = "dependency"
    levels: tuple[Level, ...] = LEVELS

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Say which words (`uas`, `las`) or sentences (`ucm`, `lcm`) are right.

        No answer is wrong. A sentence without counted words is right as a tree.

        Raises:
            UsageError: There is no such level.
            DataError: A prediction has not as many heads as gold has words.

        """
        asked = chosen(self.kind, self.levels, levels)
        words = GradedWords.of(examples, predictions, self.relations)
        return {
            level: self._graded(words, level, self.counted(examples, level))
            for level in asked
        }

    def right_words(self, words: GradedWords, level: str) -> Bools:
        """Return which words a level has right, itself or in whole trees."""
        if level in ("uas", "ucm"):
            return words.heads
        if level == "lcm" and self.root_relation == "ignore":
            return words.heads & (words.relations | words.root)
        return words.heads & words.relations

    def counted(self, examples: Examples, level: str) -> Bools:
        """Return which gold words count at a level; shape (n_words,)."""
        which = self.punctuation if level in _WORDS else self.tree_punctuation
        return self._counted(examples, which)

    def changed(
        self, examples: Examples, old: Predictions, new: Predictions, level: str
    ) -> Bools | None:
        """Return which words or sentences have other arcs; `None` without trees.

        Other heads at `uas` and `ucm`, other heads or relations at `las` and `lcm`;
        of a sentence, any of its counted words.

        Raises:
            DataError: A prediction has not as many heads as gold has words.

        """
        if not are_trees(examples, old, new):
            return None
        before, after = (
            GradedWords.of(examples, side, self.relations) for side in (old, new)
        )
        moved = moved_heads(old, new, (before, after))
        if level in ("las", "lcm"):
            other = moved_relations(old, new, (before, after), self.relations)
            free = level == "lcm" and self.root_relation == "ignore"
            moved |= other & ~before.root if free else other
        counted = self.counted(examples, level)
        if level in _WORDS:
            return moved[counted]
        within = np.concatenate([[0], np.cumsum(moved & counted)])[before.offsets]
        return np.asarray((np.diff(within) > 0) | (before.whole != after.whole))

    def remarks(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterator[str]:
        """Tell of answers that are no tree, and of conventions that differ from gold's.

        Raises:
            DataError: An answer is no tree, and those are to be refused.

        """
        if not are_trees(examples, old, new):
            return
        for name, side in (("OLD", old), ("NEW", new)):
            if self.not_trees == "refuse":
                refuse_no_trees(name, side)
            yield from remarks_on_trees(name, side)
            yield from remarks_on_relations(
                name, examples, side, subtypes=self.relations == "full"
            )
        if "exclude" in (self.punctuation, self.tree_punctuation):
            yield from remarks_on_punctuation(examples, self.punctuation_tags)

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return the official F1 scores that the predictions allow.

        All thirteen where the predictions were read from CoNLL-U; UAS, LAS and
        CLAS where they are heads and relations of the gold words.
        """
        return official_metrics(predictions)

    def facets(self, examples: Examples, level: str) -> pa.Table:
        """Return relation, part of speech and lengths of each gold unit."""
        if level not in _WORDS:
            return sentence_facets(examples)
        return word_facets(examples, self.counted(examples, level), self.relations)

    def places(self, examples: Examples, level: str) -> Places | None:
        """Return where the counted words stand in sentence and gold tree."""
        if level not in _WORDS:
            return None
        return word_places(examples, self.counted(examples, level))

    def show(self, answer: object) -> str:
        """Return a sentence as its words, a tree as `relation←head` for each word."""
        if not isinstance(answer, dict):
            return "" if answer is None else str(answer)
        if "words" in answer:
            return " ".join(answer["words"] or ())
        return _shown_tree(answer)

    @property
    def picture_legend(self) -> str:
        """How drawn parses are read."""
        return LEGEND

    def pictures(
        self, examples: Examples, old: Predictions, new: Predictions, level: str
    ) -> Iterator[Picture | None]:
        """Yield drawings of the parses; none where words or trees are not known."""
        if not are_trees(examples, old, new) or not have_words(examples):
            yield from [None] * len(examples)
            return
        right = (
            self.right_words(GradedWords.of(examples, side, self.relations), level)
            for side in (old, new)
        )
        codes = cells(self.levels[0], *map(Grades.per_example, right))
        flipped = zip(codes, self.counted(examples, level), strict=True)
        yield from map(
            picture,
            sentences(
                (one["words"] for one in examples.column("input").to_pylist()),
                old.column("prediction").to_pylist(),
                new.column("prediction").to_pylist(),
                (_CELLS[code] if counts else "uncounted" for code, counts in flipped),
                labelled=level in ("las", "lcm"),
            ),
        )

    def _graded(self, words: GradedWords, level: str, counted: Bools) -> Grades:
        right = self.right_words(words, level)
        if level in _WORDS:
            before = np.concatenate([[0], np.cumsum(counted)])
            return Grades(right[counted], before[words.offsets])
        wrong = np.concatenate([[0], np.cumsum(~right & counted)])[words.offsets]
        return Grades.per_example((np.diff(wrong) == 0) & words.whole)

    def _counted(self, examples: Examples, punctuation: _Punctuation) -> Bools:
        gold = examples.column("gold").combine_chunks()
        n_words = len(pc.struct_field(gold, "heads").flatten())
        if punctuation == "include":
            return np.ones(n_words, np.bool_)
        tags = pc.struct_field(examples.column("input").combine_chunks(), "upos")
        among = pc.is_in(tags.flatten(), value_set=pa.array(self.punctuation_tags))
        return ~np.asarray(among, np.bool_)


def dependency(*, preset: str | None = None, **options: object) -> Dependency:
    """Return the task with a preset's options, or given ones.

    Args:
        preset: `bcr-paper` (words: no PUNCT and SYM; trees: with punctuation,
            and without the root's own relation) or `official` (all words,
            relations without subtype); `None` for the defaults.
        options: Fields of `Dependency`; they override the preset's.

    Raises:
        UsageError: A preset, an option or its value is unknown.

    """
    if preset is not None and preset not in PRESETS:
        raise UsageError(
            f"dependency has no preset {preset!r}; there are {', '.join(PRESETS)}"
        )
    known = {f.name for f in fields(Dependency)} - {"kind", "levels"}
    chosen = {**PRESETS.get(preset or "", {}), **options}
    for name, value in chosen.items():
        if name not in known:
            raise UsageError(
                f"dependency has no option {name!r}; there are preset, "
                f"{', '.join(sorted(known))}"
            )
        if name in _CHOICES and value not in _CHOICES[name]:
            raise UsageError(
                f"dependency: {name} must be {' or '.join(_CHOICES[name])}, "
                f"got {value!r}"
            )
    if "punctuation_tags" in chosen:
        chosen["punctuation_tags"] = _tags(chosen["punctuation_tags"])
    return Dependency(**chosen)  # type: ignore[arg-type]


def _shown_tree(tree: Mapping[str, Any]) -> str:
    """Return each word's number, relation and head.

    Examples:
        >>> _shown_tree({"heads": [0, 1], "deprels": ["root", "advmod"]})
        '1:root←0 2:advmod←1'

    """
    arcs = zip(tree["heads"] or (), tree["deprels"] or (), strict=True)
    return " ".join(
        f"{i}:{'?' if relation is None else relation}←{'?' if head < 0 else head}"
        for i, (head, relation) in enumerate(arcs, start=1)
    )


def _tags(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise UsageError(
            f"dependency: punctuation_tags must be a list of tags, got {value!r}"
        )
    return tuple(map(str, value))
