"""`sklearn:` — scikit-learn pipelines, from skops files.

A classifier answers; what only transforms, such as TF-IDF with a truncated SVD (latent
semantic analysis, Deerwester et al., 1990), embeds.
A skops file names the types it is made of, so it can be refused before it is
opened. A pickle cannot, and is refused unless asked for.
"""

import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.adapters.labels import suite_labels
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.arrays import Values
from compat_eval.core.code import ANYTHING, code_of
from compat_eval.core.errors import CapabilityError, ModelError, some
from compat_eval.core.fingerprint import file_digest, library_versions
from compat_eval.core.protocols import Predicts
from compat_eval.models.packages import package

_PICKLES = frozenset({".pkl", ".pickle", ".joblib"})
_TRUSTED = frozenset({"sklearn", "numpy", "scipy"})

_LIBRARIES = ("scikit-learn", "numpy", "scipy")

_LONGEST_VECTOR = 2**16
_LEAST = 1e-30
"""A probability below it counts as it does."""


def recognises(path: Path) -> bool:
    """Say whether a path is a skops file or a pickle."""
    return path.is_file() and path.suffix in {".skops", *_PICKLES}


def open_source(location: str, options: ModelOptions) -> "_SklearnSource":
    """Open a file without loading it.

    Raises:
        ModelError: It is not there, is a pickle that was not allowed, or was
            asked for what scikit-learn cannot do.

    """
    reference = f"sklearn:{location}"
    path = Path(location).expanduser()
    if not path.is_file():
        what = "a directory" if path.is_dir() else "not there"
        raise ModelError(f"{reference}: expected a skops file; {path} is {what}.")
    options.require_plain(
        reference, "scikit-learn models run on the processor in their own precision"
    )
    pickled = _is_pickle(path)
    if pickled and not options.allow_pickle:
        raise ModelError(
            f"{reference}: a pickle, which can run code when it is opened. Save the "
            "model with skops.io.dump, or pass --allow-pickle if you trust its origin."
        )
    return _SklearnSource(
        reference=reference, path=path, pickled=pickled, options=options
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _SklearnClassifier:
    """Answers raw inputs with `predict`, and says how sure it is where it can.

    Attributes:
        features: The pipeline's steps before the last; `None` where there are none.
        final: The classifier itself.
        names: The suite's name of each of its classes.

    """

    features: Any
    final: Any
    names: Mapping[Any, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """The suite's names of its classes, in their order."""
        return tuple(self.names.values())

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Answer a batch.

        Returns:
            Column `prediction`; with `predict_proba` also `score`, `margin`
            and `error`. A decision function is no probability and gives none.

        """
        if not items:
            return pa.table({"prediction": pa.array([], pa.string())})
        rows = self._read(items)
        answers = [self.names[answer] for answer in self.final.predict(rows).tolist()]
        if not hasattr(self.final, "predict_proba"):
            return pa.table({"prediction": pa.array(answers, pa.string())})
        from compat_eval.models.classifiers.answers import judged_table  # noqa: PLC0415

        probabilities = np.asarray(self.final.predict_proba(rows), np.float64)
        return judged_table(answers, probabilities, self.labels)

    def _read(self, items: Sequence[Any]) -> Any:  # noqa: ANN401
        """Return what the classifier itself reads of raw inputs."""
        return list(items) if self.features is None else self.features.transform(items)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SklearnProbabilities(_SklearnClassifier):
    """A classifier with probabilities, whose logarithms are its logits."""

    def logits(self, items: Sequence[Any]) -> Values:
        """Return log-probabilities, shape (n_items, n_labels).

        That of a probability of 0 is large and negative, so that it is a number.
        """
        if not items:
            return np.zeros((0, len(self.labels)))
        probabilities = np.asarray(
            self.final.predict_proba(self._read(items)), np.float64
        )
        return np.asarray(np.log(np.maximum(probabilities, _LEAST)), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SklearnFeatures:
    """Embeds raw inputs: what a fitted pipeline without a classifier makes of them.

    Attributes:
        transformer: The pipeline.
        reference: The model, for messages.

    """

    transformer: Any
    reference: str

    def embed(self, items: Sequence[Any]) -> Values:
        """Return one row an item.

        Raises:
            ModelError: A row is longer than a vector should be.

        """
        found = self.transformer.transform(items)
        if len(items) and found.shape[1] > _LONGEST_VECTOR:
            raise ModelError(
                f"{self.reference}: gives {found.shape[1]:,} numbers a text; a vector "
                f"has at most {_LONGEST_VECTOR:,}. Put a TruncatedSVD behind it"
            )
        dense = found.toarray() if hasattr(found, "toarray") else found
        return np.asarray(dense, np.float64)

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Refuse: features have vectors and no answers.

        Raises:
            CapabilityError: Always.

        """
        raise CapabilityError(f"{self.reference}: gives vectors, and no answers")


def _opened(
    model: Any,  # noqa: ANN401
    label_map: Mapping[str, str],
    *,
    reference: str,
) -> Predicts:
    """Wrap what is fitted: a classifier, or features."""
    if hasattr(model, "transform") and not hasattr(model, "predict"):
        return _SklearnFeatures(transformer=model, reference=reference)
    return classifier(model, label_map, reference=reference)


def classifier(
    model: Any,  # noqa: ANN401
    label_map: Mapping[str, str],
    *,
    reference: str,
) -> _SklearnClassifier:
    """Wrap a fitted classifier or pipeline.

    Raises:
        ModelError: It has no `predict` or no `classes_`, or gives several labels.

    """
    classes = getattr(model, "classes_", None)
    if not hasattr(model, "predict") or classes is None:
        raise ModelError(
            f"{reference}: expected a fitted classifier with `predict` and `classes_`; "
            f"got {type(model).__name__}."
        )
    if isinstance(classes, list) or np.ndim(classes) != 1:
        raise ModelError(
            f"{reference}: gives several labels at once; only models that give each "
            "input exactly one can be compared here."
        )
    own = np.asarray(classes).tolist()
    names = suite_labels([str(c) for c in own], label_map, reference=reference)
    features, final = _split(model)
    known = hasattr(final, "predict_proba")
    kind = _SklearnProbabilities if known else _SklearnClassifier
    return kind(
        features=features, final=final, names=dict(zip(own, names, strict=True))
    )


def _split(model: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Return features and classifier, so that features are computed once."""
    steps = getattr(model, "steps", None)
    if not steps or len(steps) == 1:
        return None, model
    return model[:-1], model[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SklearnSource:
    """A scikit-learn model that is known but not loaded; see `ModelSource`.

    Attributes:
        labels: The suite's names of its labels, where something beside the file
            tells them; `None` where only loading does.

    """

    reference: str
    path: Path
    pickled: bool
    options: ModelOptions
    labels: tuple[str, ...] | None = None

    def fingerprint(self) -> str:
        """Return a SHA-256 of the file, the settings, and the code it may use."""
        content = [file_digest(self.path), self._code()]
        return self.options.fingerprint("sklearn", 2, content)

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        return self.options.description(
            format="pickle" if self.pickled else "skops",
            labels=self.labels,
            weights=[self.path],
            libraries=library_versions(*_LIBRARIES),
        )

    def load(self) -> Any:  # noqa: ANN401
        """Read the model.

        Raises:
            ModelError: The file is damaged, holds types that are not trusted,
                or neither classifies nor transforms.
            MissingPackageError: scikit-learn or skops is not installed.

        """
        package("sklearn")
        model = self._unpickled() if self.pickled else self._from_skops()
        return _opened(model, self.options.label_map, reference=self.reference)

    def _code(self) -> dict[str, str]:
        # What the file's classes are is only known once it was loaded.
        return code_of(ANYTHING).files if self.options.allow_pickle else {}

    def _from_skops(self) -> Any:  # noqa: ANN401
        skops = package("skops.io")
        try:
            named = skops.get_untrusted_types(file=self.path)
        except Exception as error:  # whatever a damaged file provokes
            raise self._damaged(error) from error
        refused = [
            name
            for name in named
            if not (self.options.allow_pickle or _is_trusted(name))
        ]
        if refused:
            raise ModelError(
                f"{self.reference}: holds {some(refused, limit=10)}; only classes of "
                "scikit-learn, numpy and scipy are opened. Pass --allow-pickle if you "
                "trust the file's origin."
            )
        try:
            return skops.load(self.path, trusted=named)
        except Exception as error:  # whatever a damaged file provokes
            raise self._damaged(error) from error

    def _unpickled(self) -> Any:  # noqa: ANN401
        try:
            return package("joblib").load(self.path)
        except Exception as error:  # a pickle can raise anything
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> ModelError:
        return ModelError(
            f"{self.path}: cannot be read: {type(error).__name__}: {error}"
        )


def _is_pickle(path: Path) -> bool:
    """A skops file is a zip archive; anything else that joblib reads is a pickle."""
    with path.open("rb") as file:
        start = file.read(4)
    return path.suffix in _PICKLES or start != b"PK\x03\x04"


def _is_trusted(name: str) -> bool:
    """Say whether a dotted name is a class of a trusted package, under its own name.

    A function could be made to run with arguments from the file, and so could a class
    that a package has only imported from elsewhere. Nothing is imported because the
    file names it: with skops every public module of scikit-learn is there.
    """
    module, _, attribute = name.rpartition(".")
    if name.partition(".")[0] not in _TRUSTED:
        return False
    found = getattr(sys.modules.get(module), attribute, None)
    return inspect.isclass(found) and found.__module__ == module
