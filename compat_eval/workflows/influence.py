"""Which training examples caused the flips of a run: exact for models of `lqf`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.comparison.panel import NEW, OLD
from compat_eval.core.arrays import Values
from compat_eval.core.errors import CapabilityError, DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.train.earlier import EarlierTraining, earlier_training
from compat_eval.models.linearised.classifier import KIND, LinearisedClassifier
from compat_eval.models.linearised.influence import traced
from compat_eval.models.linearised.ridge import RidgeHead
from compat_eval.models.training.data import hold_out
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Embed
from compat_eval.runs.directory import Run, opened
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite

_NEEDS = (
    "influence is exact for a NEW of compat-eval train --model lqf, or mitigate lqf, "
    "whose head alone was trained (layers: 0, train_hidden: false), without protect"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """What one training example adds to a flip.

    Attributes:
        id: Of the training example.
        input: Its text.
        gold: Its label.
        added: What it adds to the lead of the right label: negative, against it.
        lead_without: The lead under the model that was never shown it; above 0 where
            the example alone caused the flip.
        known_to_old: Whether OLD was trained on the same text; `None` where that is
            not told.

    """

    id: str
    input: str
    gold: str
    added: float
    lead_without: float
    known_to_old: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipCause:
    """A flip and the training examples that spoke most for it.

    Attributes:
        id: Of the example that NEW broke.
        input: Its text.
        gold: Its label, which OLD answered.
        answered: What NEW answers.
        lead: Output of the right label less that of the answer; negative. `None` where
            NEW does not have the right label.
        examples: Those that lower the lead most first; none without a lead.

    """

    id: str
    input: str
    gold: str
    answered: str
    lead: float | None
    examples: Sequence[Influence]


def influence(
    run: Path,
    *,
    suite: str | None = None,
    flips: int | None = 5,
    examples: int = 3,
    only: str | None = None,
    cache: Path | None = None,
    data_dir: Path | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> list[FlipCause]:
    """Return what caused the flips of a run.

    Args:
        run: A run directory whose NEW is an lqf model.
        suite: That NEW was trained on; the run's by default.
        flips: How many of the examples that NEW broke, in their order; `None` for all.
        examples: How many training examples of each.
        only: Id of one broken example.
        cache: Where features are stored; `None` for nowhere.
        data_dir: Where the suite's data are looked for first.
        offline: Whether nothing may be fetched.
        progress: Follows the work.

    Raises:
        CapabilityError: NEW is no such model.
        UsageError: The example is not among what NEW broke.
        DataError: NEW or its training examples are not what they were.

    """
    with opened(run) as read:
        broken, answered = _broken(read, only)
        source = _new(read)
        old = _opened_old(read)
        named = suite or str(read.comparison["suite"])
    if flips is not None and only is None:
        broken, answered = broken.take(np.arange(len(broken)) < flips), answered[:flips]
    if not len(broken):
        return []

    def load(split: str) -> Examples:
        found = load_suite(named)
        return load_examples(found, split, data_dir=data_dir, offline=offline)

    train = _trained_on(_told(source), load)
    asked = {"cache": None if cache is None else Cache(cache), "progress": progress}
    tracer = _Tracer.of(
        source, train, _features(source, train, asked), _texts_of_old(old, load)
    )
    rows = _features(source, broken, asked)
    return [
        tracer.cause(flip, row, said, most=examples)
        for flip, row, said in zip(
            broken.table.to_pylist(), rows, answered, strict=True
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tracer:
    """NEW's head with the loss of which it is the minimum.

    Attributes:
        ridge: The loss.
        head: Shape (n_features + 1, n_labels).
        number: Of each label.
        train: The training examples, a mapping each.
        known: Texts that OLD was trained on; `None` where that is not told.

    """

    ridge: RidgeHead
    head: Values
    number: Mapping[str, int]
    train: Sequence[Mapping[str, Any]]
    known: set[str] | None

    @classmethod
    def of(
        cls, source: ModelSource, train: Examples, rows: Values, known: set[str] | None
    ) -> "_Tracer":
        """Take a model's head and what it was trained on.

        Raises:
            CapabilityError: More than the head was trained.

        """
        model = source.load()
        if not isinstance(model, LinearisedClassifier) or model.step is not None:
            raise CapabilityError(f"{source.reference}: {_NEEDS}")
        number = {label: place for place, label in enumerate(model.labels)}
        gold = [number[label] for label in train.column("gold").to_pylist()]
        linear = model.top.head
        parts = [linear.weight.detach().numpy().T, linear.bias.detach().numpy()[None]]
        return cls(
            ridge=RidgeHead(
                rows=rows,
                gold=np.array(gold),
                n_labels=len(number),
                ridge=model.loss["ridge"],
                weight=model.loss["weight"],
                target=model.loss["target"],
            ),
            head=np.concatenate(parts).astype(np.float64),
            number=number,
            train=train.table.to_pylist(),
            known=known,
        )

    def cause(
        self, flip: Mapping[str, Any], row: Values, answered: str, *, most: int
    ) -> FlipCause:
        """Return the cause of a flip.

        Args:
            flip: The example that NEW broke.
            row: Its features.
            answered: NEW's answer.
            most: How many training examples.

        """
        told = {name: flip[name] for name in ("id", "input", "gold")}
        right = self.number.get(flip["gold"])
        if right is None:
            return FlipCause(**told, answered=answered, lead=None, examples=())
        found = traced(
            self.ridge,
            self.head,
            row,
            right=right,
            answered=self.number[answered],
            most=most,
        )
        causes = [
            self._influence(self.train[place], float(added), float(without))
            for place, added, without in zip(
                found.rows.tolist(), found.added, found.without, strict=True
            )
        ]
        return FlipCause(**told, answered=answered, lead=found.lead, examples=causes)

    def _influence(
        self, example: Mapping[str, Any], added: float, without: float
    ) -> Influence:
        known = None if self.known is None else example["input"] in self.known
        return Influence(
            id=example["id"],
            input=example["input"],
            gold=example["gold"],
            added=added,
            lead_without=without,
            known_to_old=known,
        )


def _broken(run: Run, only: str | None) -> tuple[Examples, list[str]]:
    """Return the examples that NEW broke, and what it answers."""
    if run.manifest["task"]["kind"] != "classification":
        raise CapabilityError(
            f"{run.path}: influence is of classifiers; this run's task is "
            f"{run.manifest['task']['kind']}"
        )
    gold = run.examples.column("gold")
    said = {side: run.answers[side].column("prediction") for side in (OLD, NEW)}
    broken = pc.and_(pc.equal(said[OLD], gold), pc.not_equal(said[NEW], gold))
    mask = np.array(pc.fill_null(broken, fill_value=False).to_pylist(), np.bool_)
    if only is not None:
        mask &= np.array([name == only for name in run.examples.ids.to_pylist()])
        if not mask.any():
            raise UsageError(f"{run.path}: NEW broke no example {only!r}")
    answered = [
        text for text, one in zip(said[NEW].to_pylist(), mask, strict=True) if one
    ]
    return run.examples.take(mask), answered


def _new(run: Run) -> ModelSource:
    """Return NEW, opened.

    Raises:
        CapabilityError: It is no model of ours.
        DataError: It has changed.

    """
    told = run.manifest["roles"][NEW]
    source = _compat(str(told.get("reference", "")))
    if source is None:
        raise CapabilityError(f"{told.get('reference')}: {_NEEDS}")
    if source.fingerprint() != told.get("fingerprint"):
        raise DataError(
            f"{source.reference} has changed since {run.path} was written; compare "
            "again"
        )
    return source


def _opened_old(run: Run) -> ModelSource | None:
    return _compat(str(run.manifest["roles"][OLD].get("reference", "")))


def _compat(reference: str) -> ModelSource | None:
    """Return a model of ours by its reference; `None` for another."""
    location = reference.removeprefix("compat:")
    if not (Path(location).expanduser() / "training.json").is_file():
        return None
    return open_source(location, ModelOptions())


def _told(source: ModelSource) -> EarlierTraining:
    """Return how an lqf model was trained.

    Raises:
        CapabilityError: It is none, or was changed by constraints.

    """
    earlier = earlier_training(source)
    if (
        earlier is None
        or earlier.model != KIND
        or earlier.config.get("protect", "none") != "none"
    ):
        raise CapabilityError(f"{source.reference}: {_NEEDS}")
    return earlier


def _trained_on(earlier: EarlierTraining, load: Any) -> Examples:  # noqa: ANN401
    """Return what a model was trained on.

    Raises:
        DataError: It does not tell, or the suite's examples are others.

    """
    if earlier.split is None:
        raise DataError("NEW does not say which split of a suite it was trained on")
    train: Examples = load(earlier.split).with_gold()
    if earlier.dev == "held out":
        train, _ = hold_out(train)
    if not earlier.knew(train):
        raise DataError(
            f"NEW does not tell that it was trained on split {earlier.split} of this "
            "suite as it is now; name its own with --suite"
        )
    return train


def _texts_of_old(old: ModelSource | None, load: Any) -> set[str] | None:  # noqa: ANN401
    """Return the texts that OLD was trained on; `None` where that is not told."""
    earlier = None if old is None else earlier_training(old)
    if earlier is None or earlier.split is None:
        return None
    try:
        train: Examples = load(earlier.split).with_gold()
    except UsageError:  # a split of another suite
        return None
    if earlier.dev == "held out":
        train, _ = hold_out(train)
    return set(train.column("input").to_pylist()) if earlier.knew(train) else None


def _features(
    source: ModelSource, examples: Examples, asked: Mapping[str, Any]
) -> Values:
    """Return what NEW's head reads of examples, a 1 behind it."""
    answers = ask(source, examples, Embed(), **asked)
    column = answers.column(Embed.column)
    if column.null_count:
        ids = examples.ids.filter(column.is_null()).to_pylist()
        raise DataError(f"{source.reference} cannot read {some(ids)}")
    vectors = np.array(column.to_pylist(), np.float64)
    return np.asarray(np.c_[vectors, np.ones(len(vectors))])
