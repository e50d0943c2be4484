"""Conversational semantic parsing: trees of intents and slots.

Levels: `exact_match` (a unit is an utterance: its whole tree), `span_subtree`
and `span_label` (a unit is a labelled span of the gold tree: everything below
it, or its labels alone), `intent` (the utterance's outermost intent).

Source: Cai et al., "Measuring and Reducing Model Update Regression in
Structured Prediction for NLP", NeurIPS 2022, https://arxiv.org/abs/2202.02976:
`span_label` is the definition in the text, `span_subtree` that of the released
evaluation code and the published tables. Spans are places of words, so where words or
their order do not count, these two levels and slot F1 are withheld.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

import numpy as np
import pyarrow as pa

from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, chosen
from compat_eval.core.picture import Picture
from compat_eval.core.places import Places
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.core.text import clipped
from compat_eval.statistics.families.f1 import f1, share
from compat_eval.tasks.semantic.facets import span_facets, span_places, utterance_facets
from compat_eval.tasks.semantic.picture import LEGEND, picture
from compat_eval.tasks.semantic.trees import (
    DEEPEST,
    Canonical,
    Case,
    Node,
    Order,
    Words,
    bracketed,
    labels,
    outermost,
    parse_tree,
    slots,
)

_CHOICES = {"case": get_args(Case), "words": get_args(Words), "order": get_args(Order)}

_SPANS = ("span_subtree", "span_label")
_SHOWN = 80

_OF_UTTERANCES = Level(
    "", "utterance", "utterances", example="utterance", examples="utterances"
)
_OF_SPANS = replace(_OF_UTTERANCES, unit="span", units="spans")

LEVELS = (
    replace(_OF_UTTERANCES, name="exact_match", title="Whole trees (exact match)"),
    replace(
        _OF_SPANS,
        name="span_subtree",
        title="Spans with all below them (span_subtree)",
    ),
    replace(_OF_SPANS, name="span_label", title="Spans by their labels (span_label)"),
    replace(_OF_UTTERANCES, name="intent", title="Outermost intents (intent)"),
)
_WITHOUT_PLACES = tuple(level for level in LEVELS if level.name not in _SPANS)

_WITHHELD = (
    ". Spans are places of words, which words=slots and order=ignore do not compare"
)

_Graded = Callable[[Node, Node | None], list[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Semantic:
    """Trees compared in canonical form; what is no tree is wrong throughout.

    Attributes:
        canonical: What makes two trees the same.

    """

    canonical: Canonical = field(default_factory=Canonical)
    kind: str = "semantic"
    levels: tuple[Level, ...] = LEVELS

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Say which utterances or gold spans are right.

        Raises:
            UsageError: There is no such level.
            DataError: A gold answer is no tree.

        """
        graded: dict[str, _Graded] = {
            "exact_match": self._exact_match,
            "span_subtree": self._span_subtree,
            "span_label": _span_label,
            "intent": _intent,
        }
        spans = any(level in _SPANS for level in levels or ())
        because = _WITHHELD if spans else ""
        asked = chosen(self.kind, self.levels, levels, because=because)
        pairs = list(zip(_gold(examples), _said(predictions), strict=True))
        return {
            level: _joined([graded[level](gold, said) for gold, said in pairs])
            for level in asked
        }

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return slot F1, where places of words count, and the share of no trees."""
        return (
            (SLOT_F1, INVALID_RATE) if self.canonical.keeps_places else (INVALID_RATE,)
        )

    def check_gold(self, examples: Examples) -> None:
        """Look whether every gold answer is a tree.

        Raises:
            DataError: Some are none.

        """
        _gold(examples)

    def remarks(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterator[str]:
        """Tell of answers that are no bracketed tree."""
        for name, side in (("OLD", old), ("NEW", new)):
            answered = side.take(~side.column("prediction").is_null().to_numpy())
            broken = [
                example_id
                for example_id, tree in zip(
                    answered.ids.to_pylist(), _said(answered), strict=True
                )
                if tree is None
            ]
            if broken:
                yield (
                    f"{name}: {len(broken)} of {len(examples)} answers are no "
                    f"bracketed tree ({some(broken)}), and wrong at every level."
                )

    def facets(self, examples: Examples, level: str) -> pa.Table:
        """Return intent, label, length and depth of each gold unit.

        Raises:
            DataError: A gold answer is no tree.

        """
        gold = _gold(examples)
        return span_facets(gold) if level in _SPANS else utterance_facets(gold)

    def places(self, examples: Examples, level: str) -> Places | None:
        """Return where the gold spans stand in utterance and tree.

        Raises:
            DataError: A gold answer is no tree.

        """
        return span_places(_gold(examples)) if level in _SPANS else None

    def show(self, answer: object) -> str:
        """Return an utterance as it is, a tree with untyped closers."""
        if answer is None:
            return ""
        tree = parse_tree(str(answer))
        return str(answer) if tree is None else bracketed(tree)

    @property
    def picture_legend(self) -> str:
        """How trees side by side are read."""
        return LEGEND

    def pictures(
        self, examples: Examples, old: Predictions, new: Predictions, level: str
    ) -> Iterator[Picture]:
        """Yield gold and both answers as trees, the same at every level."""
        columns = (
            keyed.column(name).to_pylist()
            for keyed, name in (
                (examples, "gold"),
                (old, "prediction"),
                (new, "prediction"),
            )
        )
        return map(picture, *columns)

    def _exact_match(self, gold: Node, said: Node | None) -> list[bool]:
        return [said is not None and self._same(gold, said)]

    def _span_subtree(self, gold: Node, said: Node | None) -> list[bool]:
        theirs = {} if said is None else outermost(said)
        return [
            span in theirs and self._same(node, theirs[span])
            for span, node in outermost(gold).items()
        ]

    def _same(self, gold: Node, said: Node) -> bool:
        if gold == said:
            return True
        one, other = self.canonical.form(gold), self.canonical.form(said)
        if self.canonical == Canonical():
            return one == other
        return bracketed(one) == bracketed(other)


def semantic(**options: object) -> Semantic:
    """Return the task with given options: fields of `Canonical`.

    Raises:
        UsageError: An option or its value is unknown.

    """
    for name, value in options.items():
        if name not in _CHOICES:
            raise UsageError(
                f"semantic has no option {name!r}; there are {', '.join(_CHOICES)}"
            )
        if value not in _CHOICES[name]:
            raise UsageError(
                f"semantic: {name} must be {' or '.join(_CHOICES[name])}, got {value!r}"
            )
    canonical = Canonical(**options)  # type: ignore[arg-type]
    if canonical.keeps_places:
        return Semantic(canonical=canonical)
    return Semantic(canonical=canonical, levels=_WITHOUT_PLACES)


def _joined(units: list[list[bool]]) -> Grades:
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in units])])
    right = np.array([unit for one in units for unit in one], np.bool_)
    return Grades(right, offsets.astype(np.int64))


def _span_label(gold: Node, said: Node | None) -> list[bool]:
    theirs = {} if said is None else labels(said)
    return [theirs.get(span) == label for span, label in labels(gold).items()]


def _intent(gold: Node, said: Node | None) -> list[bool]:
    return [said is not None and said.label == gold.label]


def _gold(examples: Examples) -> list[Node]:
    texts = examples.column("gold").to_pylist()
    trees = [None if text is None else parse_tree(text) for text in texts]
    ids = examples.ids.to_pylist()
    broken = [i for i, tree in zip(ids, trees, strict=True) if tree is None]
    if broken:
        are = "answers are" if len(broken) > 1 else "answer is"
        first = texts[trees.index(None)]
        raise DataError(
            f"{len(broken)} gold {are} no bracketed tree ({some(broken)}), first "
            f"{clipped(str(first), _SHOWN)!r}; expected one such as [IN:STOP stop "
            f"[SL:WHAT it ] ], nested at most {DEEPEST} deep"
        )
    return [tree for tree in trees if tree is not None]


def _said(predictions: Predictions) -> list[Node | None]:
    texts = predictions.column("prediction").to_pylist()
    return [None if text is None else parse_tree(text) for text in texts]


def _slot_rows(examples: Examples, predictions: Predictions) -> CodedRows:
    rows = []
    for gold, said in zip(_gold(examples), _said(predictions), strict=True):
        ours = Counter(slots(gold))
        theirs = Counter(slots(said)) if said else Counter()
        rows.append([(ours & theirs).total(), theirs.total(), ours.total()])
    return CodedRows.plain(np.array(rows, np.float64).reshape(-1, 3))


def _invalid_rows(_: Examples, predictions: Predictions) -> CodedRows:
    invalid = [tree is None for tree in _said(predictions)]
    return CodedRows(np.array(invalid, np.int64), np.array([[0.0, 1.0], [1.0, 1.0]]))


SLOT_F1 = Statistic(
    name="slot_f1",
    better="higher",
    rows=_slot_rows,
    value=f1,
    description="F1 of slots: a slot is right with its label and its words.",
    ends=(0.0, 1.0),
)

INVALID_RATE = Statistic(
    name="invalid_rate",
    better="lower",
    rows=_invalid_rows,
    value=share,
    description="Share of answers that are no bracketed tree (or missing).",
    ends=(0.0, 1.0),
)
