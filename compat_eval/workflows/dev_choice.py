"""Settings that are chosen on dev: those of combinations and of recipes alike."""

from dataclasses import replace

from compat_eval.comparison.panel import NEW, OLD, Panel
from compat_eval.comparison.vocabulary import evened
from compat_eval.core.errors import UsageError
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress, Silence
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.choosing import DevChoice, choose
from compat_eval.mitigations.combined import CombinedSource
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Predict
from compat_eval.suite.suite import DEV_NAMES, Suite
from compat_eval.workflows.options import Options
from compat_eval.workflows.progress import SweepProgress
from compat_eval.workflows.questions import Questions, questions, require_examples
from compat_eval.workflows.recipes import RecipeRun


def chosen_on_dev(
    source: CombinedSource | RecipeRun,
    *,
    options: Options,
    cache: Cache | None,
    progress: Progress | None,
) -> DevChoice:
    """Return which setting dev chooses; `options.split` is what dev is called.

    What was trained and answered stays in the cache: after an interruption only what
    is missing is done.

    Raises:
        UsageError: A recipe would learn from the split on which it is chosen.

    """
    if isinstance(source, RecipeRun):
        source.refuse_to_learn_from(options.split)
    dev = questions(options)
    examples = require_examples(dev, "NEW")
    spec = source.spec
    shown = SweepProgress(
        progress or Silence(), name=spec.method, total=len(spec.candidates())
    )

    def answered(one: ModelSource) -> Predictions:
        found = ask(
            one,
            examples,
            Predict(),
            settings=options.runner_settings(dev.task.kind),
            cache=cache,
            progress=shown,
        )
        return evened(found, "prediction", options.normalise)

    def under(one: MitigationSpec) -> Predictions:
        words = ", ".join(f"{name}={one.options[name]}" for name in spec.to_choose)
        with shown.setting(words):
            return answered(
                model_of(replace(source, spec=one), dev, cache=cache, progress=shown)
            )

    panel = Panel.aligned(
        examples,
        {OLD: answered(source.old), NEW: answered(source.new)},
        task=dev.task,
        name=dev.name,
        levels=dev.levels,
        seed=options.seed,
    )
    return choose(spec, panel, answered=under, split=options.split)


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
        spec: With options that are to be chosen.
        cure: What a user can do where there is none, for the message.
        besides: The split that is compared on; settings are not chosen there.

    Raises:
        UsageError: There is no suite, or it has no such split.

    """
    auto = f"{spec.method}: {', '.join(f'{one}=auto' for one in spec.to_choose)}"
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
