"""One side of a comparison: predictions that are read, or made by a model."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from compat_eval.adapters import ADAPTERS
from compat_eval.comparison.vocabulary import spelled
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import CLASSES_SLICE, LABEL, SLICE_PREFIX, Examples
from compat_eval.core.normalise import AS_WRITTEN, normalised
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import (
    ModelSource,
    Task,
    answer_columns,
    answers_labels,
)
from compat_eval.core.recorded import Recorded, Request
from compat_eval.core.table import positions
from compat_eval.core.text import nearest
from compat_eval.readers import READERS
from compat_eval.readers.files import read_rows
from compat_eval.readers.table import is_table
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions, require_examples

if TYPE_CHECKING:
    from compat_eval.runner.ask import Effort
    from compat_eval.runner.cache import Cache
    from compat_eval.runner.questions import Question
    from compat_eval.runner.shards import Shard

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from compat_eval.core.errors import ModelError
from compat_eval.core.registry import Registry

SCHEMES = MappingProxyType(
    {
        "preds": "a prediction file (jsonl, json, csv, tsv, parquet)",
        "baseline": "what production answered: a name, or a .baseline file",
        "run": "a role of an earlier run directory, as DIR#old, DIR#new, DIR#v1, …",
        "hf": "a classifier or causal language model of Hugging Face: directory or id; "
        "an encoder as DIR#mean, DIR#cls,normalise, …",
        "st": "an encoder of sentence-transformers: directory or id",
        "sklearn": "a scikit-learn model, or features such as LSA, saved with skops",
        "onnx": "a directory with model.onnx; an encoder as DIR#mean or DIR#pooled",
        "vectors": "vectors that exist: a .npy, .safetensors or .parquet file",
        "faiss": "vectors in an index of FAISS",
        "pgvector": "vectors in a table of PostgreSQL with pgvector",
        "sqlite-vec": "vectors in a table of an SQLite file",
        "spacy": "a parser in a spaCy pipeline: a directory or an installed package",
        "stanza": "a parser of Stanza: its .pt file, or the directory of one",
        "compat": "a model that compat-eval trained: DIR, or DIR#TASK of several tasks",
        "python": "a function that returns a model, as package.module:factory",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A model reference, taken apart.

    Attributes:
        text: What the user wrote.
        scheme: Name of an adapter or a reader.
        location: What follows the scheme.

    """

    text: str
    scheme: str
    location: str

    @property
    def recorded(self) -> bool:
        """Whether it names predictions rather than a model."""
        return self.scheme in READERS.names()


_CHANGED = (
    "files or code of the model changed while it ran, or it imports modules whose "
    "names it computes; its fingerprint may not be that of the model that answered."
)

Side: TypeAlias = str | ModelSource | Recorded | pa.Table
"""What OLD or NEW may be: a reference; from Python an open model, side, or table."""


def open_side(
    side: Side, *, asked: Questions, options: Options, what: str
) -> ModelSource | Recorded:
    """Open a model without loading it, or read a prediction file.

    Raises:
        ModelError: The reference cannot be opened, or the model's labels and the
            suite's do not fit.
        DataError: A prediction file breaks its contract.

    """
    if isinstance(side, pa.Table):
        name = what.lower()
        return read_rows(side, _request(name, asked=asked, options=options, role=name))
    if not isinstance(side, str):
        return side
    reference = resolve(side)
    if reference.recorded:
        return _read(reference, asked=asked, options=options, role=what)
    require_examples(asked, what)
    return _open(reference, asked=asked, options=options)


def answers(
    opened: ModelSource | Recorded,
    *,
    asked: Questions,
    options: Options,
    cache: "Cache | None",
    progress: Progress | None,
    shard: "Shard | None" = None,
    effort: "Effort | None" = None,
    question: "Question | None" = None,
) -> Recorded:
    """Return a side's predictions, running its model where it is one.

    A model is asked for what its task grades, or `question`.
    """
    if isinstance(opened, Recorded):
        renames = label_map_of(asked, options)
        return _spelled(_limited(opened, asked), asked, options, renames=renames)
    from compat_eval.runner.ask import ask  # noqa: PLC0415
    from compat_eval.runner.loaded import SharedModel  # noqa: PLC0415

    examples = require_examples(asked, opened.reference)
    before = opened.fingerprint()
    predictions = ask(
        opened,
        examples,
        question or question_of(asked.task),
        settings=options.runner_settings(asked.task.kind),
        cache=cache,
        progress=progress,
        shard=shard,
        effort=effort,
    )
    side = recorded(opened, predictions, examples)
    if side.fingerprint != before or (
        isinstance(opened, SharedModel) and opened.has_changed
    ):
        side = replace(side, notes=(_CHANGED,))
    # A model was opened with the label map, and answers with the suite's names.
    return _spelled(side, asked, options)


def question_of(task: Task) -> "Question":
    """Return what models are asked whose answers a task grades."""
    from compat_eval.runner.questions import LogLikelihood, Predict  # noqa: PLC0415

    if answer_columns(task)[0] == LogLikelihood.column:
        return LogLikelihood()
    return Predict()


def _spelled(
    side: Recorded,
    asked: Questions,
    options: Options,
    *,
    renames: Mapping[str, str] | None = None,
) -> Recorded:
    if not answers_labels(asked.task):
        return side
    return spelled(side, label_map=renames or {}, forms=options.normalise)


def recorded(
    source: ModelSource, predictions: Predictions, examples: Examples
) -> Recorded:
    """Return a model's predictions as one side."""
    from compat_eval.mitigations.train.earlier import trained_on  # noqa: PLC0415

    learned = trained_on(source)
    told = {"trained_on": learned} if learned else {}
    return Recorded(
        name=source.reference,
        predictions=predictions,
        examples=Examples(examples.table.select(["id"])),
        fingerprint=source.fingerprint(),
        provenance={"kind": "model", **source.describe(), **told},
    )


def _read(
    reference: Reference, *, asked: Questions, options: Options, role: str
) -> Recorded:
    if options.aa:
        raise UsageError(
            f"--aa runs a model twice, and {reference.text} holds predictions only; "
            "leave --aa out, or name the model"
        )
    request = _request(reference.text, asked=asked, options=options, role=role)
    found = READERS.load(reference.scheme)(reference.location, request)
    assert isinstance(found, Recorded)
    return found


def _request(name: str, *, asked: Questions, options: Options, role: str) -> Request:
    return options.request(
        name,
        role=role,
        kind=asked.task.kind,
        proposed=options.task is None and options.suite is None,
        answers=answer_columns(asked.task),
        level=asked.task.levels[0].name,
        label_map=label_map_of(asked, options),
        examples=asked.whole,
    )


def _open(reference: Reference, *, asked: Questions, options: Options) -> ModelSource:
    opener = ADAPTERS.load(reference.scheme)
    mapped = label_map_of(asked, options)
    source: ModelSource = opener(reference.location, options.model_options(mapped))
    labels = source.describe().get("labels")
    # Other kinds may call answers with different names the same.
    as_written = tuple(options.normalise) == AS_WRITTEN
    if labels and asked.labels and answers_labels(asked.task) and not as_written:
        said = {normalised(label, options.normalise) for label in labels}
        from compat_eval.adapters.labels import refuse_unknown_labels  # noqa: PLC0415

        refuse_unknown_labels(said, asked.labels, reference=reference.text)
    return source


def label_map_of(asked: Questions, options: Options) -> Mapping[str, str]:
    """Return the suite's names of models' labels; the user's word comes first."""
    suite = asked.suite
    of_suite = suite.labels.map if suite is not None and suite.labels else {}
    return {**of_suite, **options.label_map}


def _limited(side: Recorded, asked: Questions) -> Recorded:
    """Keep the rows that a limited run asks for."""
    if not asked.partial or asked.examples is None:
        return side
    kept = positions(side.predictions.ids, asked.examples.ids) >= 0
    return replace(
        side,
        predictions=side.predictions.take(kept),
        examples=side.examples.take(kept),
    )


def label_spaces(
    old: ModelSource | Recorded, new: ModelSource | Recorded, gold: Sequence[str]
) -> dict[str, list[str]] | None:
    """Return in which labels two models differ, from each other and from the gold.

    `None` where either side's labels are not known.
    """
    known = [
        set() if isinstance(one, Recorded) else set(one.describe().get("labels") or ())
        for one in (old, new)
    ]
    if not all(known):
        return None
    return {
        "only_old": sorted(known[0] - known[1]),
        "only_new": sorted(known[1] - known[0]),
        "missing_old": sorted(set(gold) - known[0]),
        "missing_new": sorted(set(gold) - known[1]),
    }


def with_class_slice(asked: Questions, labels: Mapping[str, Any] | None) -> Questions:
    """Return the questions with a slice `classes`, where NEW has labels that OLD lacks.

    It is `old` where OLD knows the right label and `new` where only NEW does. An update
    that adds labels is fair to OLD on the former alone.

    Args:
        asked: What is asked.
        labels: What `label_spaces` returns.

    """
    added = {*(labels or {}).get("only_new", ())}
    unknown = {*(labels or {}).get("missing_old", ())}
    if not added & unknown or asked.examples is None:
        return asked
    whole = asked.whole
    return replace(
        asked,
        examples=_with_classes(asked.examples, added, unknown),
        whole=None if whole is None else _with_classes(whole, added, unknown),
    )


def _with_classes(
    examples: Examples, added: Collection[str], unknown: Collection[str]
) -> Examples:
    if CLASSES_SLICE in examples.slice_names:
        return examples
    gold = examples.column(LABEL if LABEL in examples else "gold").to_pylist()
    of = (
        dict.fromkeys(gold, "old")
        | dict.fromkeys(unknown)
        | dict.fromkeys(added, "new")
    )
    of[None] = None
    column = pa.array([of[label] for label in gold], pa.string())
    return examples.with_column(f"{SLICE_PREFIX}{CLASSES_SLICE}", column)


def is_reference(text: str) -> bool:
    """Whether a text looks like a reference, rather than an answer."""
    scheme, colon, location = text.partition(":")
    if colon and location and scheme in (*ADAPTERS.names(), *READERS.names()):
        return True
    try:
        return bool(text) and (is_table(Path(text)) or Path(text).exists())
    except (OSError, ValueError):  # a text that no file can be called
        return False


def resolve(text: str) -> Reference:
    """Take a reference apart, and find out its kind where it has no scheme.

    Raises:
        ModelError: The scheme is unknown, nothing is there, or what is there
            fits no scheme or several; the message lists the schemes.

    """
    scheme, colon, location = text.partition(":")
    if colon and scheme in (*ADAPTERS.names(), *READERS.names()):
        if not location:
            raise ModelError(f"{text!r}: nothing follows {scheme}:")
        return Reference(text=text, scheme=scheme, location=location)
    path = Path(text).expanduser()
    folder = Path(str(path).partition("#")[0])
    if not path.exists() and not folder.exists():
        raise ModelError(_nothing_there(text, scheme if colon else None))
    fitting = _fitting(path)
    if len(fitting) != 1:
        raise ModelError(_unclear(text, path, fitting))
    return Reference(text=text, scheme=fitting[0], location=text)


def _fitting(path: Path) -> list[str]:
    """Return the schemes that recognise a path.

    A file that a reader recognises is no model: no adapter has a suffix of theirs, and
    importing them all takes longer than many a comparison. Nor is a table anything but
    a file of predictions.
    """
    if path.is_file() and is_table(path):
        return ["preds"]
    recorded = list(_recognising(READERS, path))
    if recorded and path.is_file():
        return recorded
    return [*recorded, *_recognising(ADAPTERS, path)]


def _recognising(registry: Registry, path: Path) -> Iterator[str]:
    for scheme, target in registry.builtin.items():
        module = import_module(target.partition(":")[0])
        if hasattr(module, "recognises") and module.recognises(path):
            yield scheme


def _nothing_there(text: str, scheme: str | None) -> str:
    if scheme is not None and scheme.isidentifier():
        return f"unknown model scheme {scheme!r} in {text!r}.\n{_listed()}"
    hint = f" For a model on the hub write hf:{text}." if "/" in text else ""
    path = Path(text).expanduser()
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    there = f"there is no such file or directory{nearest(path.name, beside)}"
    return f"{text!r}: {there}.{hint}\n{_listed()}"


def _unclear(text: str, path: Path, fitting: list[str]) -> str:
    if fitting:
        kinds = " or ".join(fitting)
        why = f"could be {kinds}; write the scheme, as in {fitting[0]}:{text}"
    elif path.is_dir():
        names = sorted(entry.name for entry in path.iterdir())[:6]
        held = ", ".join(names) if names else "nothing"
        why = f"the directory fits no kind of model (it holds {held})"
    else:
        why = f"a {path.suffix or 'plain'} file fits no kind of model by itself"
    return f"{text!r}: {why}.\n{_listed()}"


def _listed() -> str:
    width = max(map(len, SCHEMES)) + 1
    rows = [f"  {scheme + ':':<{width}} {what}" for scheme, what in SCHEMES.items()]
    return "\n".join(["The schemes are:", *rows])
