"""Generation: free text, read and matched with gold, or graded by whoever made it.

Levels: `sample` (a unit is one answer, right or wrong); where examples were answered
several times also `success` (the share of an example's samples that are right) and
`reliable` (the same, where only changes beyond the chance of sampling count); one for
each score that a file brings; and `judge`, where a judge was asked several times.

Sources:
    Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text",
    EMNLP 2016, https://arxiv.org/abs/1606.05250 (normalised match).
    Echterhoff et al., "MUSCLE: A Model Update Strategy for Compatible LLM Evolution",
    Findings of EMNLP 2024, https://arxiv.org/abs/2407.09435 (flips of scores).
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.grades import Grades, Level, chosen
from compat_eval.core.picture import Picture
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.reliable_change import critical_index
from compat_eval.core.statistic import Statistic
from compat_eval.core.table import bools, positions
from compat_eval.tasks.generation.extract import Extraction
from compat_eval.tasks.generation.matches import Match, Said, match_of
from compat_eval.tasks.generation.picture import LEGEND, compared, sampled
from compat_eval.tasks.generation.samples import (
    JUDGE,
    SCORE,
    SampledColumn,
    is_list,
    named,
    samples_of,
)

_ALPHA = 0.05
_SHOWN = 8
_REMEMBERED = 8
_ANSWERS = Level("sample", "example", "examples", title="Answers")
_SAMPLES = Level("sample", "sample", "samples", title="Samples")
_SUCCESS = Level(
    "success",
    "example",
    "examples",
    scale="score",
    title="Success rates",
    score_unit="success rate",
    needs_gold=False,
    worst=0.0,
)
_RELIABLE = replace(
    _SUCCESS, name="reliable", title="Success rates, beyond chance", alpha=_ALPHA
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """Free text; no answer is a wrong answer.

    Attributes:
        match: How answers are read, and when they are right.
        extraction: What of an answer is read; all of it without one.
        several: What stands between several right answers in one text of gold.
        epsilon: Scores that differ by no more are the same.
        lower: Names of the scores of which less is better.
        levels: All that answers may have; those that they have once `suited`.
        withheld: Level to the reason why these answers do not have it.

    """

    match: Match
    extraction: Extraction | None = None
    several: str = ""
    epsilon: float = 0.0
    lower: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    withheld: Mapping[str, str] = field(default_factory=dict)
    kind: str = "generation"
    _read: dict[tuple[int, int], tuple[Any, SampledColumn, list[Said | None]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def suited(
        self, examples: Sequence[Examples], answers: Sequence[Predictions]
    ) -> "Generation":
        """Return the task with the levels that these sides allow.

        Args:
            examples: What is asked, in the words of each who asks.
            answers: Of each side.

        """
        found, withheld = list[Level](), dict[str, str]()
        sampled = [samples_of(one) for one in answers]
        many = any(one is not None and (one.sizes() != 1).any() for one in sampled)
        gold = any(one.tells("gold") for one in examples)
        graded = all(f"{CORRECT_PREFIX}sample" in one for one in answers)
        if gold or graded:
            unequal = _unequal(answers, sampled) if many else ""
            if unequal:
                withheld["sample"] = unequal
            else:
                found.append(_SAMPLES if many else _ANSWERS)
            if many:
                found += [self._moved(_SUCCESS), _RELIABLE]
        found += [self._scored(name) for name in _common(answers, SCORE)]
        if all(named(one, JUDGE) for one in answers):
            found.append(self._scored("judge"))
        return replace(self, levels=tuple(found or [_ANSWERS]), withheld=withheld)

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Grade samples by gold, or as whoever made them did; and what follows.

        Raises:
            UsageError: There is no such level.
            DataError: A gold answer cannot be read.

        """
        further = [*named(predictions, SCORE)]
        further += ["judge"] if named(predictions, JUDGE) else []
        known = (*self.levels, *map(self._scored, further))
        asked = chosen(self.kind, known, levels)
        found: dict[str, Grades] = {}
        if {"sample", "success", "reliable"} & {*asked}:
            found |= self._of_samples(examples, predictions)
        for name in asked:
            if SCORE + name in predictions:
                samples = SampledColumn.of(predictions.column(SCORE + name))
                found[name] = Grades.per_example(samples.means(samples.numbers()))
        if "judge" in asked:
            means, ends = _judgements(predictions)
            found["judge"] = replace(Grades.per_example(means), ends=ends)
        return {name: found[name] for name in asked}

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return calibration error, and how often a judge agrees with itself."""
        from compat_eval.statistics.families.calibration import calibration_error  # noqa: PLC0415
        from compat_eval.statistics.families.judge import judge_agreement  # noqa: PLC0415

        found = []
        if len(named(predictions, JUDGE)) > 1:
            found.append(judge_agreement(self._agrees))
        known = f"{CORRECT_PREFIX}sample" in predictions or examples.tells("gold")
        once = {"score", "prediction"} <= {*predictions.table.column_names}
        if known and once and not is_list(predictions.column("score").type):
            found.append(calibration_error(self._are_right))
        return tuple(found)

    def _are_right(self, examples: Examples, answers: Predictions) -> Bools:
        return self.grade(examples, answers, ["sample"])["sample"].right

    def _agrees(self, answers: Predictions) -> Values:
        low, high = _judgements(answers)[1]
        twice = (~np.isnan(_by_asking(answers))).sum(axis=0) > 1
        return np.where(twice, high - low <= self.epsilon, np.nan)

    def changed(
        self, examples: Examples, old: Predictions, new: Predictions, level: str
    ) -> Bools | None:
        """Return which samples say another thing, as far as the match looks at them."""
        if level != "sample" or not {"prediction"} <= {*old.table.column_names} & {
            *new.table.column_names
        }:
            return None
        one, other = (self._said(examples, side)[1] for side in (old, new))
        if len(one) != len(other):
            return None
        pairs = zip(one, other, strict=True)
        return np.fromiter((a != b for a, b in pairs), np.bool_, len(one))

    def remarks(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterator[str]:
        """Tell what cannot be read, why a level is withheld, and how many samples."""
        for level, reason in self.withheld.items():
            yield f"Level {level} is withheld: {reason}"
        for name, side in (("OLD", old), ("NEW", new)):
            yield from self._unread(name, examples, side)
        if any(level.name == "reliable" for level in self.levels):
            yield from _of_chance(examples, old, new)
            yield from self._of_itself(examples, old)

    def doubts(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterator[str]:
        """Yield why nothing may pass: samples that one of them left out."""
        sides = [samples_of(one) for one in (old, new)]
        for name, one, other in zip(
            ("old", "new"), sides, reversed(sides), strict=True
        ):
            if one is None or other is None:
                continue
            sizes = one.sizes()
            lacking = (sizes < sizes.max(initial=1)) & (sizes < other.sizes())
            if lacking.any():
                yield (
                    f"{name} lacks samples of {np.count_nonzero(lacking)} examples, "
                    "and which ones are left out may depend on how they ended"
                )

    def check_gold(self, examples: Examples) -> None:
        """Refuse gold that the match cannot read.

        Raises:
            DataError: There is some; the message names it.

        """
        if not examples.tells("gold"):
            return
        golds, questions = _golds(examples), self._beside(examples)
        bad = [
            example
            for example, gold, question in zip(
                examples.ids.to_pylist(), golds, questions, strict=True
            )
            if gold is not None and not self._right(gold, question)
        ]
        if bad:
            raise DataError(
                f"{len(bad)} gold answers hold no {self.match.holds} ({some(bad)}), "
                f"which match={self.match.name} compares. Correct them, leave them "
                "out, or choose another match: --task generation:match=NAME"
            )

    picture_legend = LEGEND

    def pictures(
        self, examples: Examples, old: Predictions, new: Predictions, level: str
    ) -> Iterator[Picture | None]:
        """Yield each example's samples, or where its two long answers differ."""
        if not all("prediction" in side for side in (old, new)):
            yield from [None] * len(examples)
            return
        texts, right = [], []
        for side in (old, new):
            grades = self._of_samples(examples, side)["sample"]
            samples = SampledColumn.of(side.column("prediction"))
            texts.append(_lists(samples.values.to_pylist(), samples.offsets))
            right.append(_lists(grades.right.tolist(), grades.offsets))
        for gold, one, other, *graded in zip(
            _golds(examples), *texts, *right, strict=True
        ):
            if len(one) == len(other) == 1:
                yield compared(gold, one[0], other[0])
            elif len(one) == len(graded[0]) and len(other) == len(graded[1]):
                sides = (
                    zip(*x, strict=True) for x in ((one, graded[0]), (other, graded[1]))
                )
                yield sampled(gold, *map(list, sides))
            else:
                yield None

    def show(self, answer: object) -> str:
        """Return a text as it is; several samples or gold answers a line each."""
        if not isinstance(answer, list):
            return "" if answer is None else str(answer)
        counts: dict[str, int] = {}
        for one in answer:
            text = "no answer" if one is None else str(one)
            counts[text] = counts.get(text, 0) + 1
        lines = [
            f"{count} × {text}" if len(answer) > 1 and count > 1 else text
            for text, count in sorted(counts.items(), key=lambda one: -one[1])
        ]
        rest = len(lines) - _SHOWN
        return "\n".join(lines[:_SHOWN] + ([f"and {rest} others"] if rest > 0 else []))

    def _moved(self, level: Level) -> Level:
        return replace(level, epsilon=self.epsilon)

    def _scored(self, name: str) -> Level:
        return Level(
            name,
            "example",
            "examples",
            scale="score",
            title="Judge" if name == "judge" else f"Score {name}",
            score_unit="judge's score" if name == "judge" else name,
            better="lower" if name in self.lower else "higher",
            epsilon=self.epsilon,
            needs_gold=False,
            worst=None if name == "judge" or name in self.lower else 0.0,
        )

    def _of_samples(
        self, examples: Examples, predictions: Predictions
    ) -> dict[str, Grades]:
        own = f"{CORRECT_PREFIX}sample"
        texts = samples_of(predictions)
        if own in predictions:
            samples = SampledColumn.of(predictions.column(own))
            right = bools(pa.chunked_array([samples.values]))
        else:
            samples = SampledColumn.of(predictions.column("prediction"))
            right = self._grades(examples, predictions)
        shares = samples.means(right.astype(np.float64))
        if texts is not None and own not in predictions:
            answered = texts.means(np.where(texts.values.is_valid(), 1.0, np.nan))
            shares = np.where(np.isnan(answered), np.nan, shares)
        rates = replace(Grades.per_example(shares), samples=samples.sizes())
        sample = Grades(right, samples.offsets)
        return {"sample": sample, "success": rates, "reliable": rates}

    def _grades(self, examples: Examples, predictions: Predictions) -> Bools:
        samples, said = self._said(examples, predictions)
        pairs = zip(_golds(examples), self._beside(examples), strict=True)
        golds = samples.of_samples([self._right(*pair) for pair in pairs])
        found = np.zeros(len(said), np.bool_)
        for at, (one, right) in enumerate(zip(said, golds, strict=True)):
            if one is not None:
                found[at] = any(self.match.same(one, gold) for gold in right)
        return found

    def _beside(self, examples: Examples) -> list[Any]:
        """Return what is read with each text: its question, or its database."""
        for name in self.match.beside:
            for column in (name, SLICE_PREFIX + name):
                if column in examples:
                    return [one or "" for one in examples.column(column).to_pylist()]
        return [""] * len(examples)

    def _right(self, gold: object, question: str) -> list[Said]:
        """Return what each right answer says."""
        given = gold if isinstance(gold, list) else [gold]
        if isinstance(gold, str) and self.several:
            given = gold.split(self.several)
        read = (self.match.read(str(one), question) for one in given if one is not None)
        return [one for one in read if one is not None]

    def _extracted(self, texts: list[str | None]) -> list[str | None]:
        return texts if self.extraction is None else self.extraction.of_each(texts)

    def _said(
        self, examples: Examples, side: Predictions
    ) -> tuple[SampledColumn, list[Said | None]]:
        """Return what each sample says; the last answers are remembered."""
        key = id(examples.table), id(side.table)
        if key not in self._read:
            while len(self._read) >= _REMEMBERED:
                self._read.pop(next(iter(self._read)))
            samples = SampledColumn.of(side.column("prediction"))
            texts = self._extracted(samples.values.to_pylist())
            beside = samples.of_samples(self._beside(examples))
            said = [
                None if text is None else self.match.read(text, question)
                for text, question in zip(texts, beside, strict=True)
            ]
            # The tables are kept, so that no others come to stand in their place.
            self._read[key] = (examples.table, side.table), samples, said
        return self._read[key][1:]

    def _of_itself(self, examples: Examples, old: Predictions) -> Iterator[str]:
        """Tell how often old's own samples differ in being right."""
        rates = self.grade(examples, old, ["success"])["success"]
        assert rates.samples is not None, "success rates are of samples"
        several = (rates.samples > 1) & ~np.isnan(rates.scores)
        if not several.any():
            return
        k, right = rates.samples[several], (rates.scores * rates.samples)[several]
        chance = float(np.mean(right * (k - right) / (k * (k - 1))))
        yield (
            "Of two samples of old itself the first is right and the second wrong in "
            f"{100 * chance:.1f} % of cases: so many samples would break by chance "
            "alone if old were sampled again."
        )

    def _unread(
        self, name: str, examples: Examples, side: Predictions
    ) -> Iterator[str]:
        if f"{CORRECT_PREFIX}sample" in side or "prediction" not in side:
            return
        samples, said = self._said(examples, side)
        given = samples.values.is_valid().to_pylist()
        unread = sum(
            1 for one, there in zip(said, given, strict=True) if there and one is None
        )
        if unread:
            what = (
                f"no {self.match.holds}"
                if self.extraction is None
                else f"nothing that extract finds and {self.match.name} reads"
            )
            yield (
                f"{name}: {unread:,} of {sum(given):,} answers hold {what}; they are "
                "wrong."
            )


def generation(
    *,
    match: str = "normalised",
    extract: str = "",
    pick: str = "first",
    several: str = "",
    epsilon: float | str = 0.0,
    lower: str = "",
    **options: str,
) -> Generation:
    """Return the task.

    Args:
        match: How answers are matched: `exact`, `normalised` (without case, punctuation
            and articles), `prefix`, `contains`, `numeric`, `choice` or `sql`.
        extract: A pattern; only what it finds is matched.
        pick: Whether its `first` or `last` match counts.
        several: What stands between several right answers in a text of gold.
        epsilon: Scores that differ by no more are the same.
        lower: Scores of which less is better, with `+` between them.
        **options: Options of the match.

    Raises:
        UsageError: An option has no such value.

    """
    if pick not in ("first", "last"):
        raise UsageError(f"generation: pick must be first or last; got {pick!r}")
    try:
        moves = float(epsilon)
    except (TypeError, ValueError):
        moves = np.nan
    if not 0 <= moves < np.inf:
        raise UsageError(
            f"generation: epsilon must be a number from 0; got {epsilon!r}"
        )
    made = Generation(
        match=match_of(match, options),
        extraction=Extraction.of(extract, last=pick == "last") if extract else None,
        several=several,
        epsilon=moves,
        lower=tuple(filter(None, lower.split("+"))),
    )
    levels = (_ANSWERS, made._moved(_SUCCESS), _RELIABLE)  # noqa: SLF001 - its maker
    return replace(made, levels=levels)


def _lists(values: list[Any], offsets: Ints) -> list[list[Any]]:
    ends = offsets.tolist()
    return [values[a:b] for a, b in itertools.pairwise(ends)]


def _golds(examples: Examples) -> list[Any]:
    if "gold" not in examples:
        return [None] * len(examples)
    return list(examples.column("gold").to_pylist())


def _common(answers: Sequence[Predictions], prefix: str) -> list[str]:
    """Return the columns with a prefix that all sides have, as the first has them."""
    first, *others = (named(one, prefix) for one in answers)
    return [name for name in first if all(name in one for one in others)]


def _by_asking(answers: Predictions) -> Values:
    """Return what a judge said each time that it was asked, shape (n_times, n)."""
    asked = [SampledColumn.of(answers.column(JUDGE + x)) for x in named(answers, JUDGE)]
    return np.stack([one.means(one.numbers()) for one in asked])


def _judgements(answers: Predictions) -> tuple[Values, Values]:
    """Return a judge's mean score of each example, and the lowest and the highest."""
    said = _by_asking(answers)
    known = ~np.isnan(said)
    counts = known.sum(axis=0)
    means = np.full(said.shape[1], np.nan)
    np.divide(np.where(known, said, 0).sum(axis=0), counts, out=means, where=counts > 0)
    ends = [
        np.where(known, said, np.inf).min(axis=0),
        np.where(known, said, -np.inf).max(axis=0),
    ]
    return means, np.where(counts > 0, np.stack(ends), np.nan)


def _unequal(
    answers: Sequence[Predictions], sampled: Sequence[SampledColumn | None]
) -> str:
    """Return why samples cannot be paired by their number; empty where they can."""
    ids, first = answers[0].ids, sampled[0]
    for side, other in zip(answers[1:], sampled[1:], strict=True):
        if first is None or other is None:
            return "a side has no answers."
        at = positions(ids, side.ids)
        one, two = first.sizes()[at >= 0], other.sizes()[at[at >= 0]]
        differ = int(np.count_nonzero(one != two))
        if differ:
            return (
                f"samples are paired by their number, and {differ} examples have "
                f"{_range(one)} samples of one side and {_range(two)} of the other. "
                "Compared are success rates."
            )
        if (at < 0).any() and len({*one.tolist()}) > 1:
            return (
                "examples have different numbers of samples, and some have no answer."
            )
    return ""


def _range(sizes: Ints) -> str:
    low, high = int(sizes.min()), int(sizes.max())
    return str(low) if low == high else f"{low} to {high}"


def _of_chance(examples: Examples, old: Predictions, new: Predictions) -> Iterator[str]:
    """Tell what many examples at once make of reliable changes of single ones."""
    sides = [samples_of(one) for one in (old, new)]
    if sides[0] is None or sides[1] is None:
        return
    one, two = (side.sizes() for side in sides if side is not None)
    if max(one.max(initial=1), two.max(initial=1)) == 1:
        return
    if min(one.min(), two.min()) == 1:
        yield (
            "One side was sampled once: a single answer says little of an example's "
            "success rate, so many examples seem to get worse or better by chance."
        )
    most = max(
        _ALPHA if math.isfinite(critical_index(a, b, _ALPHA)) else 0.0
        for a, b in {*zip(one.tolist(), two.tolist(), strict=True)}
    )
    if not most:
        yield (
            f"{_range(one)} and {_range(two)} samples an example are too few for any "
            "single example to change reliably: level reliable shows no change."
        )
        return
    yield (
        f"Level reliable: of examples that did not change, up to {100 * _ALPHA:.0f} % "
        f"show a reliable change by chance, so up to {_ALPHA * len(examples):.0f} of "
        f"{len(examples):,} here."
    )
