"""Recipes that train a model in NEW's place: checked, trained once, found again."""

import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.arrays import Bools
from compat_eval.core.errors import CapabilityError, ModelError, UsageError, some
from compat_eval.core.examples import LABEL, SLICE_PREFIX, Examples
from compat_eval.core.fingerprint import digest
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress, Silence
from compat_eval.core.protocols import ModelSource, answers_labels
from compat_eval.core.recorded import Recorded
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.combined import code_of_method
from compat_eval.mitigations.mitigation import Recipe, Training, settings_of
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.mitigations.train.earlier import EarlierTraining, earlier_training
from compat_eval.mitigations.train.overlap import overlapping
from compat_eval.models.training.data import hold_out
from compat_eval.models.training.train import contents_of
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Embed, Predict
from compat_eval.suite.examples import load_examples
from compat_eval.suite.suite import Suite
from compat_eval.workflows.kept_training import KeptTraining, copy, finished, mark
from compat_eval.workflows.options import Options
from compat_eval.workflows.progress import NamedProgress
from compat_eval.workflows.questions import Questions
from compat_eval.workflows.sides import open_side

_HELD_OUT = "held out"
_MOST_IDS = 50
_NO_ANSWERS = Predictions(pa.table({"id": pa.array([], pa.string())}))


@dataclass(slots=True, weakref_slot=True, eq=False)
class SharedWork:
    """What the recipes of a command share: loaded splits, and a folder without a cache.

    The folder is gone with the last of them.
    """

    splits: dict[str, Examples] = field(default_factory=dict)
    overlaps: dict[str, Bools] = field(default_factory=dict)
    _folder: Path | None = None

    def folder(self) -> Path:
        """Return a folder of this process."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="compat-eval-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder


@dataclass(slots=True, kw_only=True, eq=False)
class RecipeRun:
    """A recipe with the models and the suite that it reads.

    Attributes:
        spec: The recipe and its settings.
        old: The teacher.
        new: The model in whose place another is trained.
        suite: Has the examples to learn from.
        options: How models are run.
        further: Further teachers, in the order of `spec.further`.
        shared: What stays when other settings and recipes are tried.
        notes: What a reader must know of the training; known when it is done.
        seconds: How long the training took, likewise.

    """

    spec: MitigationSpec
    old: ModelSource
    new: ModelSource
    suite: Suite
    options: Options
    further: tuple[ModelSource, ...] = ()
    shared: SharedWork = field(default_factory=SharedWork)
    notes: tuple[str, ...] = field(default=(), init=False)
    seconds: float | None = field(default=None, init=False)

    @property
    def members(self) -> tuple[ModelSource, ...]:
        """The models that may be asked."""
        chosen = (self.new,) if self.spec.to_choose else ()
        return (self.old, *chosen, *self.further)

    @property
    def judged(self) -> str:
        """The split that shows what the model is worth; it must not be learned from."""
        return self.options.split if self.options.mitigate else "test"

    def fingerprint(self) -> str:
        """Return a SHA-256 of the models, the recipe and its settings."""
        members = [self.old.fingerprint(), self.new.fingerprint()]
        members += [
            f"{named.role} {one.fingerprint()}"
            for named, one in zip(self.spec.further, self.further, strict=True)
        ]
        method = self.spec.method
        code = [] if method in MITIGATIONS.builtin else [code_of_method(method)]
        return digest(["recipe", 1, method, self._decided(), members, *code])

    def _decided(self) -> dict[str, Any]:
        """Return the settings, with those of NEW's training where none are given."""
        earlier = earlier_training(self.new)
        split, dev = self._splits(earlier)
        overlap = self.spec.options["overlap"]
        return {
            **self.spec.options,
            "split": split,
            "dev": dev,
            "train_seed": self._seed(earlier),
            "overlap": "drop" if overlap == "drop" else "keep",
        }

    def check(self) -> None:
        """Refuse what cannot be trained, or would show nothing, before anything runs.

        Raises:
            UsageError: The suite lacks a split; OLD or NEW does not suit; or what would
                be learned from is compared on, too.

        """
        split, dev = self._splits(earlier_training(self.new))
        for name in (split, dev):
            if name not in (*self.suite.data, "none", _HELD_OUT):
                raise UsageError(
                    f"{self.spec.method}: suite {self.suite.name} has no split "
                    f"{name!r} to learn from; it has {', '.join(self.suite.data)}. "
                    "Name one with split= or dev="
                )
        recipe = self.spec.mitigation
        assert isinstance(recipe, Recipe)
        if recipe.check is not None:
            recipe.check(recipe.name, self.old, self.new, self._settings())
        if self.spec.options["overlap"] == "refuse":
            self._refuse_overlap(split)
            if self._learns_from(dev):
                self._refuse_overlap(dev)

    def _settings(self) -> Any:  # noqa: ANN401 - of the recipe
        """Return the settings; where dev chooses some, the first that it may."""
        spec = self.spec.candidates()[0] if self.spec.to_choose else self.spec
        return settings_of(spec.mitigation, spec.options)

    def _learns_from(self, dev: str) -> bool:
        """Whether examples of dev are learned from, and not only stopped by."""
        recipe = self.spec.mitigation
        assert isinstance(recipe, Recipe)
        if recipe.learns_dev is None or dev not in self.suite.data:
            return False
        return recipe.learns_dev(self._settings())

    def _refuse_overlap(self, split: str) -> None:
        ids = self._repeated(split)
        if ids:
            raise UsageError(
                f"{self.spec.method}: {len(ids)} of the {len(self._split(split))} "
                f"examples of split {split} are among those of split {self.judged}, by "
                f"id or by what they ask and say ({some(ids, limit=_MOST_IDS)}). What "
                "is learned from them shows nothing of other examples: write "
                f"{self.spec.method}:overlap=drop to learn without them, or "
                "overlap=allow to keep them"
            )

    def _overlap(self, split: str) -> Bools:
        """Return which examples of a split are among those compared."""
        if split not in self.shared.overlaps:
            self.shared.overlaps[split] = overlapping(
                self._split(split), self._split(self.judged)
            )
        return self.shared.overlaps[split]

    def refuse_to_learn_from(self, dev: str) -> None:
        """Refuse to choose settings on the split that is learned from.

        Raises:
            UsageError: It is that split.

        """
        split, _ = self._splits(earlier_training(self.new))
        if split == dev:
            raise UsageError(
                f"{self.spec.method} learns from split {dev}, so its settings cannot "
                "be chosen there; name another with split=, or give them values"
            )

    def trained(
        self, asked: Questions, cache: Cache | None, progress: Progress | None
    ) -> ModelSource:
        """Train the model in the cache folder, or find it there, and open it.

        Raises:
            ModelError: What was trained is no model.

        """
        reference = self.train(None, cache, progress)
        method = self.spec.method
        found = open_side(reference, asked=asked, options=self.options, what=method)
        if isinstance(found, Recorded):
            raise ModelError(f"{method} returned {reference}, which is no model")
        return found

    def train(
        self, out: Path | None, cache: Cache | None, progress: Progress | None
    ) -> str:
        """Train the model, or find it trained; return its reference.

        Args:
            out: Its directory; `None` for a place in the cache folder, the same for the
                same training. What is trained there already is copied.
            cache: Where answers are stored; `None` for nowhere.
            progress: Follows the work.

        Raises:
            UsageError: NEW does not say how it was trained.
            OutputError: `out` holds another model.

        """
        recipe = self.spec.mitigation
        assert isinstance(recipe, Recipe)
        settings = settings_of(recipe, self.spec.options)
        shown = progress or Silence()
        training = self._training(recipe, cache, shown)
        identity = {
            "recipe": self.fingerprint(),
            "seed": training.seed,
            **contents_of("train", training.examples),
            **contents_of("dev", training.dev),
            **contents_of("answers", training.answers),
        }
        kept = self._place(identity)
        place = kept if out is None else out
        done = finished(place, identity)
        if done is None and out is not None and finished(kept, identity):
            copy(kept, out)
            done = finished(out, identity)
        if done is None:
            called = NamedProgress(shown, str(kept), self.spec.method)
            start = time.perf_counter()
            reference = recipe.train(
                replace(training, out=place, aside=self._aside(place), progress=called),
                settings,
            )
            done = KeptTraining(reference, time.perf_counter() - start)
            mark(place, identity, done)
        self.seconds = done.seconds
        return done.reference

    def _place(self, identity: Mapping[str, Any]) -> Path:
        """Return where the model is kept, the same for the same training."""
        key = digest(identity)
        if self.options.cache is None:
            return self.shared.folder() / key
        return self.options.cache / "trained" / key[:2] / key

    def _aside(self, place: Path) -> Path:
        """Return where what other trainings may use again is kept."""
        cache = self.options.cache
        return place / ".aside" if cache is None else cache / "trained" / "aside"

    def _training(
        self, recipe: Recipe, cache: Cache | None, shown: Progress
    ) -> Training:
        """Return what the recipe learns from, with what OLD answers to it."""
        earlier = earlier_training(self.new)
        split, aside = self._splits(earlier)
        drop = self.spec.options["overlap"] == "drop"
        examples, dev = self._examples(split, aside, drop=drop)
        self.notes = tuple(self._notes(examples, dev, earlier))
        for note in self.notes:
            shown.note(f"{self.spec.method}: {note}")

        def answered(model: ModelSource, asked: Examples) -> Predictions:
            try:
                return ask(
                    model,
                    asked,
                    recipe.asks or Predict(),
                    settings=self.options.runner_settings(self.suite.task.kind),
                    cache=cache,
                    progress=shown,
                )
            except CapabilityError as error:
                raise CapabilityError(
                    f"{recipe.name}: {model.reference}: {error}. What needs no more "
                    f"than answers: {', '.join(_by_answers_alone())}"
                ) from error

        further: dict[str, list[ModelSource]] = {}
        for named, one in zip(self.spec.further, self.further, strict=True):
            further.setdefault(named.role, []).append(one)
        return Training(
            examples=examples,
            answers=_NO_ANSWERS
            if recipe.asks is None
            else answered(self.old, examples),
            further=further,
            ask=answered,
            load=self._examples,
            dev=dev,
            task=self.suite.task,
            data=f"{self.suite.name} {self.suite.version} {split}, dev {aside}",
            old=self.old,
            new=self.new,
            seed=self._seed(earlier),
            out=Path(),
            aside=Path(),
            progress=shown,
            cache=cache,
            data_dir=self.options.data_dir,
            offline=self.options.offline,
        )

    def _notes(
        self, examples: Examples, dev: Examples | None, earlier: EarlierTraining | None
    ) -> Iterator[str]:
        """Yield what a reader must know of the training."""
        split, aside = self._splits(earlier)
        learned = (split, aside) if self._learns_from(aside) else (split,)
        for name in learned:
            repeated = self._repeated(name)
            if repeated:
                does = "it learns without them"
                if self.spec.options["overlap"] != "drop":
                    does = "it learns from them, too (overlap=allow)"
                yield (
                    f"{len(repeated)} examples of split {name} are among those of "
                    f"split {self.judged} ({some(repeated)}); {does}."
                )
        if dev is not None and aside == self.judged:
            yield f"The training stops early by split {aside}, on which it is compared."
        elif aside in self.suite.data and aside not in learned:
            repeated = self._repeated(aside)
            if repeated:
                yield (
                    f"The training stops early by split {aside}, of which "
                    f"{len(repeated)} examples are among those of split {self.judged} "
                    f"({some(repeated)})."
                )
        if earlier is not None and not earlier.knew(examples):
            yield self._other_examples(earlier, split)
        yield from self._label_notes(examples)

    def _other_examples(self, earlier: EarlierTraining, split: str) -> str:
        """Say that NEW was not trained on what the recipe learns from."""
        told = "was trained on other examples than"
        if earlier.train_sha256 is None:
            told = "does not tell whether it was trained on"
        return (
            f"NEW {told} split {split} of suite {self.suite.name}; what differs "
            "may not be the teacher's doing alone."
        )

    def _repeated(self, split: str) -> list[str]:
        """Return which examples of a split are compared, too."""
        ids = self._split(split).take(self._overlap(split)).ids
        return [str(one) for one in ids.to_pylist()]

    def _label_notes(self, examples: Examples) -> Iterator[str]:
        """Say which labels OLD cannot teach.

        Raises:
            UsageError: It can teach none.

        """
        known = set(self.old.describe().get("labels") or ())
        recipe = self.spec.mitigation
        assert isinstance(recipe, Recipe)
        # Vectors teach whatever labels OLD has.
        teaches_labels = not isinstance(recipe.asks, Embed)
        if not (known and teaches_labels and answers_labels(self.suite.task)):
            return
        gold = set(examples.column("gold").to_pylist())
        unknown = sorted(gold - known)
        if unknown == sorted(gold):
            raise UsageError(
                f"{self.spec.method}: OLD knows none of the {len(gold)} labels that "
                f"are learned ({some(unknown)}), so it has nothing to teach; map "
                "labels that are only spelled differently with --label-map"
            )
        if unknown:
            yield (
                f"OLD does not know {len(unknown)} of the {len(gold)} labels "
                f"({some(unknown)}); of these gold alone is learned."
            )

    def _seed(self, earlier: EarlierTraining | None) -> int:
        """Return the random seed: the one given, that of NEW, or that of the run."""
        given = self.spec.options["train_seed"]
        if given is not None:
            return int(given)
        return self.options.seed if earlier is None else earlier.seed

    def _splits(self, earlier: EarlierTraining | None) -> tuple[str, str]:
        """Return what to train on, and what to stop by."""
        options = self.spec.options
        split = options["split"] or (earlier and earlier.split) or "train"
        dev = options["dev"] or (earlier and earlier.dev)
        return split, dev or self.suite.dev_split(besides=split) or _HELD_OUT

    def _split(self, name: str) -> Examples:
        """Return examples with gold, without what is for those who compare."""
        if name not in self.shared.splits:
            found = load_examples(
                self.suite,
                name,
                data_dir=self.options.data_dir,
                offline=self.options.offline,
            )
            if any(level.needs_gold for level in self.suite.task.levels):
                found = found.with_gold()
            if LABEL in found.table.column_names:  # where labels say what matches
                label = found.column(LABEL)
                found = found.without([LABEL]).with_column("gold", label)
            aside = [f"{SLICE_PREFIX}{slice_}" for slice_ in found.slice_names]
            self.shared.splits[name] = found.without(["cluster", *aside])
        return self.shared.splits[name]

    def _examples(
        self, split: str, dev: str, *, drop: bool = False
    ) -> tuple[Examples, Examples | None]:
        examples = self._split(split)
        if drop:
            examples = examples.take(~self._overlap(split))
        if not len(examples):
            raise UsageError(
                f"{self.spec.method}: all examples of split {split} are among those "
                f"of split {self.judged}; name another with split="
            )
        if dev == _HELD_OUT:
            return hold_out(examples)
        if dev == "none":
            return examples, None
        aside = self._split(dev)
        if drop and self._learns_from(dev):
            aside = aside.take(~self._overlap(dev))
        return examples, aside


def open_recipe(
    spec: MitigationSpec,
    old: ModelSource,
    new: ModelSource,
    *,
    suite: Suite | None,
    options: Options,
    further: Sequence[ModelSource] = (),
    shared: SharedWork | None = None,
) -> RecipeRun:
    """Return a recipe with what it reads, with nothing loaded yet.

    Raises:
        UsageError: There is no suite to learn from, or it lacks a split.

    """
    if suite is None:
        raise UsageError(
            f"{spec.method} learns from the splits of a suite; give --suite"
        )
    found = RecipeRun(
        spec=spec,
        old=old,
        new=new,
        suite=suite,
        options=options,
        further=tuple(further),
        shared=shared or SharedWork(),
    )
    found.check()
    return found


def _by_answers_alone() -> list[str]:
    """Return the recipes that need of OLD only what any model gives."""
    known = [MITIGATIONS.load(name) for name in sorted(MITIGATIONS.builtin)]
    return [
        one.name
        for one in known
        if isinstance(one, Recipe) and isinstance(one.asks, Predict)
    ]
