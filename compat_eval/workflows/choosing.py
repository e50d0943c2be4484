"""Which setting of a mitigation to use: tried on dev, chosen by the stated rule."""

from dataclasses import dataclass, replace
from typing import Any

from compat_eval.comparison.panel import NEW, OLD, Panel
from compat_eval.comparison.update import Update
from compat_eval.comparison.vocabulary import evened
from compat_eval.core.errors import UsageError
from compat_eval.core.estimate import defined
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.choice import Tried, chosen
from compat_eval.mitigations.composite import Composite
from compat_eval.mitigations.treatment import Treatment
from compat_eval.runner.cache import Cache
from compat_eval.runner.predict import predict
from compat_eval.runner.progress import Progress
from compat_eval.statistics.families.flips import (
    QUANTITIES,
    accuracy_new,
    nfi,
    nfr,
    pfr,
)
from compat_eval.statistics.flips import evidence
from compat_eval.suite.suite import DEV_NAMES, Suite
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What dev chose, and from what.

    Attributes:
        treatment: The method with that setting.
        option: Name of the option.
        value: The setting.
        split: The split it was chosen on.
        n_examples: How many examples that has.
        delta: How much accuracy a setting might lose.
        harmless: Whether the chosen one is shown to lose no more; else it is the one
            that may lose least.
        untreated: NEW itself on dev, by level: `accuracy`, `nfr`, `nfi`, `pfr`.
        tried: Each setting on dev, likewise, and what it may lose; see `Tried`.

    """

    treatment: Treatment
    option: str
    value: float
    split: str
    n_examples: int
    delta: float
    harmless: bool
    untreated: dict[str, dict[str, float | None]]
    tried: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields; the treatment is said elsewhere."""
        return {
            "option": self.option,
            "value": self.value,
            "split": self.split,
            "n_examples": self.n_examples,
            "delta": self.delta,
            "harmless": self.harmless,
            "untreated": self.untreated,
            "tried": list(self.tried),
        }


def choose(
    composite: Composite,
    *,
    dev: Questions,
    options: Options,
    cache: Cache | None,
    progress: Progress | None,
) -> Choice:
    """Try every setting of an option on dev, and choose one.

    Each setting loads the members anew, unless they are held.

    Args:
        composite: A mitigation with an option that is to be chosen.
        dev: What is asked to choose.
        options: How models are run; `split` is what dev is called.
        cache: Where answers are stored.
        progress: Follows the work.

    """
    examples = dev.examples
    assert examples is not None
    settings = options.runner_settings(dev.task.kind)

    def answered(source: ModelSource) -> Predictions:
        found = predict(
            source, examples, settings=settings, cache=cache, progress=progress
        )
        return evened(found, "prediction", options.normalise)

    panel = Panel.aligned(
        examples,
        {OLD: answered(composite.old), NEW: answered(composite.new)},
        task=dev.task,
        name=dev.name,
        levels=dev.levels,
        seed=options.seed,
    )
    name = composite.treatment.to_choose
    assert name is not None
    tried, shown = [], []
    for treatment in composite.treatment.settings():
        value = treatment.options[name]
        reference = f"{composite.reference} {name}={value}"
        source = replace(composite, treatment=treatment, reference=reference)
        under = panel.with_role(reference, answered(source))
        from_old = Update(panel=under, new_role=reference)
        from_new = Update(panel=under, old_role=NEW, new_role=reference)
        tried.append(_tried(value, from_old, from_new))
        lows = {k: defined(low) for k, low in tried[-1].accuracy_low.items()}
        shown.append({"value": value, "levels": _point(from_old), "accuracy_low": lows})
    best = chosen(tried, delta=composite.treatment.delta)
    return Choice(
        treatment=composite.treatment.with_setting(best.setting),
        option=name,
        value=best.setting,
        split=options.split,
        n_examples=len(examples),
        delta=composite.treatment.delta,
        harmless=best.worst_low >= -composite.treatment.delta,
        untreated=_point(Update(panel=panel)),
        tried=tuple(shown),
    )


def dev_split_of(
    suite: Suite | None, treatment: Treatment, *, cure: str, besides: str | None = None
) -> str:
    """Return the split on which a treatment's setting is chosen.

    Args:
        suite: Whose split.
        treatment: With an option that is to be chosen.
        cure: What a user can do where there is none, for the message.
        besides: The split that is compared on; settings are not chosen there.

    Raises:
        UsageError: There is no suite, or it has no such split.

    """
    auto = f"{treatment.method}: {treatment.to_choose}=auto"
    if suite is None:
        raise UsageError(
            f"{auto} is chosen on the dev split of a suite; give --suite, or a value"
        )
    found = suite.dev_split(besides=besides)
    if found is None:
        other = f" other than {besides}" if besides is not None else ""
        raise UsageError(
            f"{auto} is chosen on a split called {' or '.join(DEV_NAMES)}{other}; "
            f"suite {suite.name} has {', '.join(suite.data)}. {cure}"
        )
    return found


def _tried(value: float, from_old: Update, from_new: Update) -> Tried:
    """Return what a setting breaks of OLD, and what it may lose against NEW."""
    change = QUANTITIES["accuracy_change"]
    return Tried(
        setting=value,
        nfi={
            level: float(nfi(from_old.table(level).totals)) for level in from_old.levels
        },
        accuracy_low={
            level: evidence(from_new.table(level), change).estimate().low
            for level in from_new.levels
        },
    )


def _point(update: Update) -> dict[str, dict[str, float | None]]:
    found = {}
    for level in update.levels:
        row = update.table(level).totals
        found[level] = {
            "accuracy": defined(float(accuracy_new(row))),
            "nfr": defined(float(nfr(row))),
            "nfi": defined(float(nfi(row))),
            "pfr": defined(float(pfr(row))),
        }
    return found
