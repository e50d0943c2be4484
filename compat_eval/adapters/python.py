"""`python:` — any model that Python code can make.

`python:package.module:factory` names a function without parameters. It returns
an object with `predict`, or a plain function: from a list of inputs to a list
of labels, or to a table with a column `prediction`. An encoder of a search has `embed`
alone, from a list of inputs to a matrix, and a language model `log_likelihood` or
`token_scores`. An object that has a further capability of `core.protocols` (such as
`encode` or `propose`) is taken as it is.

What decides the answers is known from the source code of the module's package,
from that of everything it imports outside installed packages, and from the
versions of the packages. A factory that reads files should say so in an attribute
`fingerprint` (a text, or a function that returns one).
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pyarrow as pa

from compat_eval.adapters.options import ModelOptions
from compat_eval.core.code import Code, code_of
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import (
    Embeds,
    Encodes,
    GivesLikelihood,
    GivesLogits,
    GivesTokenScores,
    Predicts,
    Proposes,
    Scores,
)

_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_FORM = "expected python:package.module:factory"


def recognises(path: Path) -> bool:  # noqa: ARG001 - every scheme has this form
    """Say no: code is never run unless its scheme is written."""
    return False


def open_source(location: str, options: ModelOptions) -> "_PythonSource":
    """Import the module and find the factory, without calling it.

    The current directory can be imported from.

    Raises:
        ModelError: The module cannot be imported, has no such attribute, or it
            is no function.

    """
    reference = f"python:{location}"
    name, _, attribute = location.partition(":")
    if not name or not attribute.isidentifier():
        raise ModelError(f"{reference}: {_FORM}.")
    module = _module(name, reference)
    if not hasattr(module, attribute):
        raise ModelError(
            f"{reference}: {module.__file__ or name} has no {attribute!r}; {_FORM}."
        )
    factory = getattr(module, attribute)
    if not callable(factory):
        raise ModelError(
            f"{reference}: {attribute!r} is a {type(factory).__name__}, which cannot "
            "be called; expected a function that returns a model."
        )
    code_of(name)  # from now on, the code that was imported counts
    return _PythonSource(
        reference=reference, module=module, factory=factory, options=options
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _PythonSource:
    """A factory that was not called yet; see `ModelSource`."""

    reference: str
    module: ModuleType
    factory: Callable[[], Any]
    options: ModelOptions

    def fingerprint(self) -> str:
        """Return a SHA-256 of the code, the factory's fingerprint, and the settings."""
        location = self.reference.partition(":")[2]
        content = [location, self._code().files, self._own_fingerprint()]
        return self.options.fingerprint("python", 2, content)

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance; `fingerprint_covers` says what was seen."""
        own = self._own_fingerprint()
        return self.options.description(
            format="python",
            labels=None,
            fingerprint_covers="code" if own is None else "code and its own word",
            own_fingerprint=own,
            libraries={"python": _PYTHON, **self._code().packages},
        )

    def load(self) -> Predicts:
        """Call the factory.

        Raises:
            ModelError: It raises, or returns nothing that can answer.

        """
        try:
            made = self.factory()
        except Exception as error:  # foreign code can raise anything
            raise ModelError(
                f"{self.reference}: the factory raised {type(error).__name__}: {error}"
            ) from error
        further = (Encodes, GivesLogits, Proposes, Scores)
        if isinstance(made, Predicts) and isinstance(made, further):
            return self._as_it_is(made)
        if isinstance(made, Embeds | GivesLikelihood | GivesTokenScores):
            return self._as_it_is(cast("Predicts", made))  # it is asked for those
        answer = getattr(made, "predict", made)
        if not callable(answer):
            raise ModelError(
                f"{self.reference}: the factory returned a {type(made).__name__}; "
                "expected an object with predict(inputs), or a function."
            )
        return _PythonModel(
            answer=answer, label_map=self.options.label_map, reference=self.reference
        )

    def _as_it_is(self, made: Predicts) -> Predicts:
        if self.options.label_map:
            raise ModelError(
                f"{self.reference}: a label map cannot be put on an object that "
                "encodes or scores by itself; give its labels the suite's names."
            )
        return made

    def _code(self) -> Code:
        return code_of(self.module.__name__)

    def _own_fingerprint(self) -> str | None:
        own = getattr(self.factory, "fingerprint", None)
        try:
            own = own() if callable(own) else own
        except Exception as error:  # foreign code can raise anything
            raise ModelError(
                f"{self.reference}: its fingerprint() raised {type(error).__name__}: "
                f"{error}"
            ) from error
        return None if own is None else str(own)


def _module(name: str, reference: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
        importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except Exception as error:  # a module's code can raise anything
        raise ModelError(
            f"{reference}: importing {name} raised {type(error).__name__}: {error}. "
            f"Modules are looked for in {here} and among installed packages."
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _PythonModel:
    """Answers with a function from a list of inputs to a list of labels.

    The function may also return a table with a column `prediction`, of labels or of
    what else the task reads (such as rankings: lists of document names), and more.

    Attributes:
        answer: The function.
        label_map: From its labels to the suite's.
        reference: The model, for messages.

    """

    answer: Callable[[Any], Any]
    label_map: Mapping[str, str]
    reference: str

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Answer a batch; `None` is no answer.

        Raises:
            ModelError: There is not one answer an item, or they are no labels.

        """
        given = self.answer(list(items))
        table = given if isinstance(given, pa.Table) else pa.table({})
        answers = self._answers(given, table)
        if len(answers) != len(items):
            raise ModelError(
                f"{self.reference}: gave {len(answers)} answers to {len(items)} inputs."
            )
        if "prediction" in table.column_names and pa.types.is_nested(
            table["prediction"].type
        ):
            return table  # rankings, trees and the like have no labels to be mapped
        labels = pa.array([self._label(answer) for answer in answers], pa.string())
        rest = {n: table[n] for n in table.column_names if n != "prediction"}
        return pa.table({"prediction": labels, **rest})

    def _answers(self, given: object, table: pa.Table) -> list[Any]:
        if "prediction" in table.column_names:
            return list(table["prediction"].to_pylist())
        wrong = isinstance(given, str | bytes | Mapping | AbstractSet | pa.Table)
        if wrong or not isinstance(given, Iterable):
            raise ModelError(
                f"{self.reference}: expected a list of labels, or a table with a "
                f"column 'prediction'; got {type(given).__name__}."
            )
        listed = given.tolist() if hasattr(given, "tolist") else given
        return list(listed)

    def _label(self, answer: object) -> str | None:
        if answer is None:
            return None
        if not isinstance(answer, str | int | np.integer):
            raise ModelError(
                f"{self.reference}: expected a label (a text) for each input; got "
                f"{type(answer).__name__}: {answer!r:.80}"
            )
        return self.label_map.get(str(answer), str(answer))
