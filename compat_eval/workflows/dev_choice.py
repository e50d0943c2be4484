"""Settings that are chosen on dev: those of combinations and of recipes alike."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from compat_eval.comparison.panel import NEW, OLD, Panel
from compat_eval.comparison.vocabulary import evened
from compat_eval.core.errors import UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress, Silence
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.choosing import DevChoice, choose
from compat_eval.mitigations.combined import CombinedSource
from compat_eval.mitigations.learning import FROM_DEV, Learning
from compat_eval.mitigations.mitigation import Combination, settings_of
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.mitigations.train.earlier import earlier_training
from compat_eval.mitigations.train.overlap import overlapping
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Predict
from compat_eval.suite.data.slicing import rules_of_inputs
from compat_eval.suite.examples import load_examples
from compat_eval.suite.suite import DEV_NAMES, Suite
from compat_eval.workflows.options import Options
from compat_eval.workflows.progress import NamedProgress, SweepProgress
from compat_eval.workflows.questions import Questions, questions, require_examples
from compat_eval.workflows.recipes import RecipeRun


@dataclass(frozen=True, slots=True)
class Judged:
    """What is compared on: nothing is chosen or learned there, by whatever name.

    Attributes:
        split: What it is called.
        examples: With their gold; `None` where they are not known.
        notes: What was left out of other splits.

    """

    split: str
    examples: Examples | None
    notes: list[str] = field(default_factory=list)

    def without(self, examples: Examples, split: str, method: str) -> Examples:
        """Return the examples of a split that are not compared on.

        Raises:
            UsageError: None is left.

        """
        if self.examples is None:
            return examples
        seen = overlapping(examples, self.examples)
        ids = examples.take(seen).ids.to_pylist()
        if len(ids) == len(examples):
            raise UsageError(
                f"{method}: all {len(ids)} examples of split {split} are among those "
                f"of split {self.split} ({some(ids)}), so nothing can be chosen or "
                "learned there; give the suite a dev split of other examples, or "
                f"{method} values"
            )
        if ids:
            note = (
                f"{len(ids)} examples of split {split} are among those of split "
                f"{self.split} ({some(ids)}); it chooses and learns without them."
            )
            if note not in self.notes:
                self.notes.append(note)
        return examples.take(~seen) if ids else examples


def _known_by_heart(
    source: CombinedSource | RecipeRun, suite: Suite | None, split: str
) -> Iterator[str]:
    """Tell that NEW was trained on the split on which something is chosen."""
    earlier = earlier_training(source.new)
    if earlier is None or suite is None:
        return
    if earlier.split == split and earlier.data.startswith(f"{suite.name} "):
        yield (
            f"NEW was trained on split {split}, where it is right more often than "
            "elsewhere: what is chosen there may not suit other examples."
        )


def decided(
    source: CombinedSource | RecipeRun,
    suite: Suite | None,
    *,
    split: str | None,
    judged: Judged,
    options: Options,
    cache: Cache | None,
    progress: Progress | None,
) -> tuple[CombinedSource | RecipeRun, DevChoice | None, tuple[str, ...]]:
    """Return a mitigation with what dev chose and taught, the choice, and what to note.

    Args:
        source: OLD and NEW under it.
        suite: Has the examples.
        split: What dev is called; `None` where the suite has none and nothing is to
            choose.
        judged: What is compared on.
        options: How models are run.
        cache: Where answers are stored.
        progress: Follows the work.

    Raises:
        UsageError: All of dev is compared on, or a recipe would learn from it.

    """
    learning = _learning_of(
        source,
        suite,
        split=split,
        judged=judged,
        options=options,
        cache=cache,
        progress=progress,
    )
    choice = None
    if source.spec.to_choose:
        assert split is not None
        choice = _chosen_on_dev(
            source,
            options=replace(options, split=split),
            cache=cache,
            progress=progress,
            judged=judged,
            learning=learning,
        )
        source = replace(source, spec=choice.spec)
    spec, notes = _learned(source.spec, learning)
    if choice is not None or learning is not None:
        assert split is not None
        notes = (*_known_by_heart(source, suite, split), *judged.notes, *notes)
    return replace(source, spec=spec), choice, notes


def _chosen_on_dev(
    source: CombinedSource | RecipeRun,
    *,
    options: Options,
    cache: Cache | None,
    progress: Progress | None,
    judged: Judged,
    learning: Learning | None,
) -> DevChoice:
    """Return which setting dev chooses; `options.split` is what dev is called.

    What a setting has to learn, it learns before it is tried. What is compared on is
    left out of dev.

    What was trained and answered stays in the cache: after an interruption only what
    is missing is done.

    Raises:
        UsageError: A recipe would learn from the split on which it is chosen.

    """
    if isinstance(source, RecipeRun):
        source.refuse_to_learn_from(options.split)
    dev = questions(options)
    spec = source.spec
    examples = judged.without(require_examples(dev, "NEW"), options.split, spec.method)
    shown = SweepProgress(
        progress or Silence(), name=spec.method, total=len(spec.candidates())
    )

    def answered(one: ModelSource, called: Progress = shown) -> Predictions:
        found = ask(
            one,
            examples,
            Predict(),
            settings=options.runner_settings(dev.task.kind),
            cache=cache,
            progress=called,
        )
        return evened(found, "prediction", options.normalise)

    def under(one: MitigationSpec) -> Predictions:
        words = ", ".join(f"{name}={one.options[name]}" for name in spec.to_choose)
        with shown.setting(words):
            ready = replace(source, spec=_learned(one, learning)[0])
            model = model_of(ready, dev, cache=cache, progress=shown)
            return answered(model, NamedProgress(shown, model.reference, spec.method))

    panel = Panel.aligned(
        examples,
        {OLD: answered(source.old), NEW: answered(source.new)},
        task=dev.task,
        name=dev.name,
        levels=dev.levels,
        seed=options.seed,
    )
    return choose(spec, panel, answered=under, split=options.split)


def _learning_of(
    source: CombinedSource | RecipeRun,
    suite: Suite | None,
    *,
    split: str | None,
    judged: Judged,
    options: Options,
    cache: Cache | None,
    progress: Progress | None,
) -> Learning | None:
    """Return what a combination learns from; `None` where it learns nothing.

    Args:
        source: OLD and NEW under it.
        suite: Has the examples.
        split: What it learns from; `None` where the suite has nothing for that.
        judged: What is compared on.
        options: How models are run.
        cache: Where answers are stored.
        progress: Follows the work.

    """
    if not isinstance(source, CombinedSource) or not source.spec.learns:
        return None
    must = bool(source.spec.to_learn)
    if suite is None or split is None or not (must or split in DEV_NAMES):
        return None
    method, settings = source.spec.method, options.runner_settings(suite.task.kind)

    def of_split(name: str) -> Examples:
        if name == judged.split:
            raise UsageError(
                f"{method}: split {name} is compared on, so nothing is learned from it"
            )
        found = load_examples(
            suite, name, data_dir=options.data_dir, offline=options.offline
        ).with_gold()
        return judged.without(found, name, method)

    return Learning(
        split=split,
        examples=of_split(split),
        old=source.old,
        new=source.new,
        ask=partial(ask, settings=settings, cache=cache, progress=progress),
        of_split=of_split,
        slices=rules_of_inputs(suite.slices),
    )


def _learned(
    spec: MitigationSpec, learning: Learning | None
) -> tuple[MitigationSpec, tuple[str, ...]]:
    """Return a mitigation with what it learns under its setting, and what to note."""
    known = spec.mitigation
    if learning is None or not isinstance(known, Combination) or known.learn is None:
        return spec, ()
    plain = {n: known.settings.learned[n] for n in spec.to_learn}
    given = {n: v for n, v in spec.options.items() if v == FROM_DEV}
    settings = settings_of(known, {**spec.options, **plain, **given})
    found = known.learn(learning, settings)
    return spec.with_settings(found.values), found.notes


def model_of(
    source: CombinedSource | RecipeRun,
    asked: Questions,
    *,
    cache: Cache | None,
    progress: Progress | None,
) -> ModelSource:
    """Return OLD and NEW under a mitigation as one model: combined, or trained."""
    if isinstance(source, CombinedSource):
        return source
    return source.trained(asked, cache, progress)


def dev_split_of(
    suite: Suite | None, spec: MitigationSpec, *, cure: str, besides: str | None = None
) -> str:
    """Return the split on which a mitigation's setting is chosen.

    Args:
        suite: Whose split.
        spec: With options that are to be chosen or learned.
        cure: What a user can do where there is none, for the message.
        besides: The split that is compared on; settings are not chosen there.

    Raises:
        UsageError: There is no suite, or it has no such split.

    """
    chosen = [f"{one}=auto" for one in spec.to_choose]
    does = f"chooses {', '.join(chosen)}" if chosen else "learns"
    if suite is None:
        raise UsageError(
            f"{spec.method} {does} on the dev split of a suite; give --suite"
            f"{', or a value' * bool(chosen)}"
        )
    named = spec.options.get("split")
    if named in suite.data and not chosen:
        return str(named)
    found = suite.dev_split(besides=besides)
    if found is None:
        other = f" other than {besides}" if besides is not None else ""
        raise UsageError(
            f"{spec.method} {does} on a split called {' or '.join(DEV_NAMES)}{other}; "
            f"suite {suite.name} has {', '.join(suite.data)}. {cure}"
            f"{', or give a value' * bool(chosen)}"
        )
    return found
