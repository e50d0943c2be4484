"""Put OLD and NEW under a mitigation, and keep the result as one model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.files import write_whole
from compat_eval.core.fingerprint import canonical_json
from compat_eval.core.progress import Progress, Silence
from compat_eval.core.protocols import HasWeights
from compat_eval.core.recorded import Recorded
from compat_eval.mitigations.choosing import DevChoice
from compat_eval.mitigations.combined import CombinedSource
from compat_eval.mitigations.saved import MADE, Member, require_free, save, save_model
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.mitigations.train.earlier import content_of, trained_on
from compat_eval.runner.cache import Cache
from compat_eval.runner.loaded import LoadedModels
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.suite.suite import Suite
from compat_eval.workflows.dev_choice import Judged, decided, dev_split_of
from compat_eval.workflows.mitigations import under
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions, questions, require_examples
from compat_eval.workflows.recipes import RecipeRun
from compat_eval.workflows.sides import label_map_of, open_side, resolve

_JUDGED = "test"
"""The split that shows what a model is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigated:
    """A mitigation that was saved.

    Attributes:
        reference: How it is opened.
        choice: What dev chose; `None` where nothing was to choose.
        level: The suite's main level.

    """

    reference: str
    choice: DevChoice | None
    level: str


def mitigate(
    text: str,
    old: str,
    new: str,
    options: Options,
    *,
    out: Path,
    split: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Mitigated:
    """Choose what is to be chosen on dev, and save the combination, or train.

    Args:
        text: `METHOD[:option=value,…]`.
        old: Reference of the old model.
        new: Reference of the new model.
        options: With a suite.
        out: A new or empty directory.
        split: Where settings are chosen; the suite's dev split by default.
        overwrite: Whether an earlier combination in `out` may be replaced.
        progress: Follows the work.

    Raises:
        UsageError: The mitigation or an option is unknown, or a side is no model.
        CapabilityError: A model lacks the capability that the method needs.
        OutputError: The directory is taken or cannot be written.

    """
    spec = MitigationSpec.parse(text).seeded(options.seed)
    if not spec.trains:
        require_free(out, overwrite=overwrite)
    if (spec.to_choose or spec.to_learn) and split == _JUDGED:
        raise UsageError(
            f"{spec.method}: settings are not chosen on split {_JUDGED}, which shows "
            "what the model is worth; name another with --split, or give values"
        )
    options = replace(options, split=split or _dev_split(options, spec))
    asked = questions(options)
    cache = None if options.cache is None else Cache(options.cache)
    with LoadedModels() as models:
        sides = [
            open_side(side, asked=asked, options=options, what=what)
            for side, what in ((old, "OLD"), (new, "NEW"))
        ]
        shared = [
            one if isinstance(one, Recorded) else models.share(one) for one in sides
        ]
        source = under(
            spec, shared[0], shared[1], asked=asked, options=options, models=models
        )
        if isinstance(source, CombinedSource):
            source.trial.load()
        judged = Judged(_JUDGED, _judged_examples(asked.suite, spec, options))
        learns = bool(spec.to_choose or spec.to_learn)
        dev = _named(asked, options.split) if learns else {}
        source, choice, notes = decided(
            source,
            asked.suite,
            split=options.split,
            judged=judged,
            options=options,
            cache=cache,
            progress=progress,
        )
        for note in notes:
            (progress or Silence()).note(note)
        if isinstance(source, RecipeRun):
            reference = source.train(out, cache, progress)
            if dev:
                write_whole(out / MADE, canonical_json({"trained_on": dev}).encode())
            return Mitigated(reference=reference, choice=choice, level=asked.levels[0])
        if source.is_one_model:
            reference = _save_model(
                source, choice, dev=dev, out=out, overwrite=overwrite
            )
            return Mitigated(reference=reference, choice=choice, level=asked.levels[0])
        spec = source.spec
    further = [_member(o.role, o.reference, o.weight) for o in spec.further]
    save(
        out,
        spec,
        [_member("old", old), _member("new", new), *further],
        options=options.model_options(label_map_of(asked, options)),
        chosen=None if choice is None else choice.facts,
        trained_on=dev,
        overwrite=overwrite,
    )
    return Mitigated(reference=f"compat:{out}", choice=choice, level=asked.levels[0])


def _save_model(
    source: CombinedSource,
    choice: DevChoice | None,
    *,
    dev: Mapping[str, str],
    out: Path,
    overwrite: bool,
) -> str:
    """Write a model that needs no other; return its reference."""
    model = source.load()
    assert isinstance(model, HasWeights)
    made = {
        "method": source.spec.method,
        "options": source.spec.told_options,
        "members": [
            {"reference": one.reference, "fingerprint": one.fingerprint()}
            for one in source.members
        ],
        "trained_on": {**trained_on(source), **dev},
        "chosen": None if choice is None else choice.facts,
    }
    save_model(out, model, made, overwrite=overwrite)
    found = resolve(str(out))
    return f"{found.scheme}:{found.location}"


def _named(asked: Questions, split: str) -> dict[str, str]:
    """Return the examples of a split as the record of a training calls them."""
    assert asked.suite is not None
    examples = require_examples(asked, "NEW")
    known = {"input", "gold"} <= {*examples.table.column_names}
    name = f"{asked.suite.name} {asked.suite.version} {split}, dev none"
    return {name: content_of(examples) if known else ""}


def _dev_split(options: Options, spec: MitigationSpec) -> str:
    """Return the suite's dev split; any where nothing is to choose."""
    if options.suite is None:
        raise UsageError("give --suite: it says what the models answer")
    suite = load_suite(options.suite)
    if not (spec.to_choose or spec.to_learn):
        return suite.dev_split() or next(iter(suite.data))
    return dev_split_of(suite, spec, cure="Name one with --split")


def _judged_examples(
    suite: Suite | None, spec: MitigationSpec, options: Options
) -> Examples | None:
    """Return what the model will be compared on, where that matters."""
    if suite is None or _JUDGED not in suite.data:
        return None
    if not (spec.to_choose or spec.learns):
        return None
    found = load_examples(
        suite, _JUDGED, data_dir=options.data_dir, offline=options.offline
    )
    graded = any(level.needs_gold for level in suite.task.levels)
    return found.with_gold() if graded else found


def _member(role: str, text: str, weight: float | None = None) -> Member:
    reference = resolve(text)
    return Member(
        role=role,
        scheme=reference.scheme,
        location=reference.location,
        is_path=_is_path(reference.location),
        weight=weight,
    )


def _is_path(location: str) -> bool:
    """Say whether a location is on this machine, maybe with the name of a task."""
    places = {location, location.partition("#")[0] or location}
    return any(Path(place).expanduser().exists() for place in places)
