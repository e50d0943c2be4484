"""Recipes that train a model in NEW's place: checked, trained once, found again."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compat_eval.core.errors import OutputError, UsageError
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import canonical_json, digest
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress, Silence
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.combined import code_of_method
from compat_eval.mitigations.mitigation import Recipe, Training, settings_of
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.mitigations.train.earlier import EarlierTraining, earlier_training
from compat_eval.models.training.data import hold_out
from compat_eval.models.training.train import contents_of
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.suite.examples import load_examples
from compat_eval.suite.suite import Suite
from compat_eval.workflows.options import Options

_MARK = ".mitigation.json"
_HELD_OUT = "held out"


@dataclass(slots=True, weakref_slot=True, kw_only=True, eq=False)
class RecipeRun:
    """A recipe with the models and the suite that it reads.

    Attributes:
        spec: The recipe and its settings.
        old: The teacher.
        new: The model in whose place another is trained.
        suite: Has the examples to learn from.
        options: How models are run.
        further: Further teachers, in the order of `spec.further`.

    """

    spec: MitigationSpec
    old: ModelSource
    new: ModelSource
    suite: Suite
    options: Options
    further: tuple[ModelSource, ...] = ()
    _folder: Path | None = field(default=None, init=False)

    @property
    def members(self) -> tuple[ModelSource, ...]:
        """The models that may be asked."""
        return (self.old, *self.further)

    def fingerprint(self) -> str:
        """Return a SHA-256 of the models, the recipe and its settings."""
        options = dict(self.spec.options)
        members = [self.old.fingerprint(), self.new.fingerprint()]
        members += [
            f"{named.role} {one.fingerprint()}"
            for named, one in zip(self.spec.further, self.further, strict=True)
        ]
        method = self.spec.method
        code = [] if method in MITIGATIONS.builtin else [code_of_method(method)]
        return digest(["recipe", 1, method, options, members, *code])

    def check(self) -> None:
        """Refuse what cannot be trained, before anything runs.

        Raises:
            UsageError: The suite lacks a split.

        """
        split, dev = self._splits(earlier_training(self.new))
        for name in (split, dev):
            if name not in (*self.suite.data, "none", _HELD_OUT):
                raise UsageError(
                    f"{self.spec.method}: suite {self.suite.name} has no split "
                    f"{name!r} to learn from; it has {', '.join(self.suite.data)}. "
                    "Name one with split= or dev="
                )

    def place(self) -> Path:
        """Return where the model is kept, the same for the same training."""
        if self.options.cache is None:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="compat-eval-"))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder / "model"
        suite = [self.suite.name, self.suite.version, self.options.seed]
        key = digest([self.fingerprint(), suite])
        return self.options.cache / "trained" / key[:2] / key

    def train(self, out: Path, cache: Cache | None, progress: Progress | None) -> str:
        """Train the model, or find it trained; return its reference.

        Raises:
            UsageError: NEW does not say how it was trained.
            OutputError: `out` holds another model.

        """
        recipe = self.spec.mitigation
        assert isinstance(recipe, Recipe)
        settings = settings_of(recipe, self.spec.options)
        training = self._training(recipe, settings.train_seed, out, cache, progress)
        identity = {
            "recipe": self.fingerprint(),
            "seed": training.seed,
            **contents_of("train", training.examples),
            **contents_of("dev", training.dev),
            **contents_of("answers", training.answers),
        }
        done = _finished(out, identity)
        if done is not None:
            return done
        reference = recipe.train(training, settings)
        _mark(out, identity, reference)
        return reference

    def _training(
        self,
        recipe: Recipe,
        seed: int | None,
        out: Path,
        cache: Cache | None,
        progress: Progress | None,
    ) -> Training:
        """Return what the recipe learns from, with what OLD answers to it."""
        shown = progress or Silence()
        earlier = earlier_training(self.new)
        split, aside = self._splits(earlier)
        if self.options.mitigate and split == self.options.split:
            shown.note(
                f"{self.spec.method} learns from split {split}, the one that it is "
                "tried on: what it shows there says nothing of other examples"
            )
        examples, dev = self._examples(split, aside)
        if earlier is not None and not earlier.knew(examples):
            shown.note(
                f"NEW was trained on other examples than split {split} of suite "
                f"{self.suite.name}; what differs is not the teacher's doing alone"
            )

        def answered(model: ModelSource, asked: Examples) -> Predictions:
            return ask(
                model,
                asked,
                recipe.asks,
                settings=self.options.runner_settings(self.suite.task.kind),
                cache=cache,
                progress=progress,
            )

        further: dict[str, list[ModelSource]] = {}
        for named, one in zip(self.spec.further, self.further, strict=True):
            further.setdefault(named.role, []).append(one)
        if seed is None:
            seed = self.options.seed if earlier is None else earlier.seed
        return Training(
            examples=examples,
            answers=answered(self.old, examples),
            further=further,
            ask=answered,
            dev=dev,
            task=self.suite.task,
            data=f"{self.suite.name} {self.suite.version} {split}, dev {aside}",
            old=self.old,
            new=self.new,
            seed=seed,
            out=out,
            progress=shown,
            cache=cache,
        )

    def _splits(self, earlier: EarlierTraining | None) -> tuple[str, str]:
        """Return what to train on, and what to stop by."""
        options = self.spec.options
        split = options["split"] or (earlier and earlier.split) or "train"
        dev = options["dev"] or (earlier and earlier.dev)
        return split, dev or self.suite.dev_split(besides=split) or _HELD_OUT

    def _examples(self, split: str, dev: str) -> tuple[Examples, Examples | None]:
        def load(name: str) -> Examples:
            found = load_examples(
                self.suite,
                name,
                data_dir=self.options.data_dir,
                offline=self.options.offline,
            ).with_gold()
            # Clusters and slices are for those who compare.
            aside = [f"{SLICE_PREFIX}{slice_}" for slice_ in found.slice_names]
            return found.without(["cluster", *aside])

        examples = load(split)
        if dev == _HELD_OUT:
            return hold_out(examples)
        return examples, None if dev == "none" else load(dev)


def open_recipe(
    spec: MitigationSpec,
    old: ModelSource,
    new: ModelSource,
    *,
    suite: Suite | None,
    options: Options,
    further: Sequence[ModelSource] = (),
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
    )
    found.check()
    return found


def _finished(out: Path, identity: Mapping[str, Any]) -> str | None:
    """Return the reference of a model that was trained there before.

    Raises:
        OutputError: It is another one.

    """
    try:
        told = read_json(out / _MARK)
        before, reference = told["identity"], str(told["reference"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{out / _MARK} is damaged; delete {out}") from error
    if before != identity:
        raise OutputError(
            f"{out} holds a model that was trained from other models, examples or "
            "settings; choose a new directory, or delete it"
        )
    return reference.replace("{out}", str(out))


def _mark(out: Path, identity: Mapping[str, Any], reference: str) -> None:
    told = {"identity": identity, "reference": reference.replace(str(out), "{out}")}
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / _MARK, f"{canonical_json(told)}\n".encode())
