"""The keys of a suite file, as pydantic models."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from compat_eval.core.examples import CLASSES_SLICE
from compat_eval.core.text import did_you_mean
from compat_eval.suite.data.source import Location, Scalar, Source, Texts
from compat_eval.suite.yaml.gates import GatesFile
from compat_eval.suite.yaml.strict import Problem, Strict, got, told

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Split = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


SAME_SPLIT = "same"
"""In place of a corpus's split: that of the queries."""


def _listed(value: object) -> object:
    if isinstance(value, dict | Source):
        return [value]
    if not isinstance(value, list | tuple) or not value:
        raise told(f"must be a source or a list of sources; got {got(value)}")
    return value


_Sources = Annotated[tuple[Source, ...], Field(strict=False), BeforeValidator(_listed)]


def _named(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise told(f"must be a column's name or position; got {got(value)}")
    return value


_ColumnName = Annotated[
    str | int,
    BeforeValidator(_named),
    WithJsonSchema({"type": ["string", "integer"]}),
]


class Column(Strict):
    """Which column of the data holds something."""

    shorthand: ClassVar[str | None] = "column"
    shorthand_types: ClassVar[tuple[type, ...]] = (str, int)

    column: _ColumnName
    """Name of the column, or its position from 0. `meta.lang` reaches into an
    object; `data[].text` collects from a list of objects (needs join)."""
    join: str | None = None
    """What stands between the collected texts; usually nothing ("") or a blank."""
    media: bool = False
    """For input: whether it holds images or recordings: their bytes, or paths of files
    below the folder of the data file."""

    def defects(self) -> Iterator[Problem]:
        """Yield a path into a list without `join`."""
        collects = isinstance(self.column, str) and "[]" in self.column
        if collects and self.join is None:
            yield ("join",), 'is required where [] collects a list; add join: ""'


class Fields(Strict):
    """Which columns mean what."""

    input: Column
    """The text, or what the task kind reads."""
    gold: Column | None = None
    """The right answer."""
    id: Column | None = None
    """A name for each example, unique in its split. Without one, examples are
    named by a hash of their input and gold."""
    cluster: Column | None = None
    """Examples with one value are not independent: a dialogue, a user, a document."""
    weight: Column | None = None
    """How much an example counts; a positive number."""


class Slice(Strict):
    """A group of examples that is also counted by itself."""

    shorthand: ClassVar[str | None] = "of"
    kinds: ClassVar[tuple[str, ...]] = (
        "equals",
        "groups",
        "groups_from",
        "words",
        "before",
    )

    of: str = "input"
    """Name of a column of the data, or `input` or `gold` as mapped by fields.
    Alone, each of its values is a slice."""
    equals: list[Scalar] | None = None
    """Slices `yes` and `no`: whether the value is one of these."""
    groups: dict[str, list[Scalar]] | None = None
    """Slice to the values that belong to it; other values are in no slice."""
    groups_from: Location | None = None
    """The same from a JSON file: {slice: [values]} or {value: slice}."""
    words: Annotated[tuple[int, ...], Field(strict=False)] | None = None
    """Bins by the number of words: [4, 8] gives the slices 0-4, 5-8 and 9+."""
    before: Annotated[str, StringConstraints(min_length=1)] | None = None
    """Slices by what stands before the first of this: "-" makes email of email-12;
    values without it are in no slice."""

    def defects(self) -> Iterator[Problem]:
        """Yield rules that exclude one another, and bins without order."""
        kinds = [kind for kind in self.kinds if getattr(self, kind) is not None]
        if len(kinds) > 1:
            yield (), f"has {' and '.join(kinds)}; a slice has one of them"
        if self.words is not None:
            rising = all(
                a < b for a, b in zip(self.words, self.words[1:], strict=False)
            )
            if not self.words or self.words[0] < 1 or not rising:
                yield (
                    ("words",),
                    f"must be rising numbers of at least 1; got {list(self.words)}",
                )
        members = [str(v) for group in (self.groups or {}).values() for v in group]
        twice = sorted({v for v in members if members.count(v) > 1})
        if twice:
            yield ("groups",), f"put {', '.join(twice)} into more than one slice"


class Labels(Strict):
    """What labels there are, and what models may call them."""

    names: Texts = ()
    """Every label of the suite; a gold label that is not listed is an error."""
    map: dict[str, str] = Field(default_factory=dict)
    """Label name of a model to the suite's name for it, such as {old: new}."""

    def defects(self) -> Iterator[Problem]:
        """Yield labels listed twice, and targets that are no label."""
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            yield ("names",), f"list {', '.join(twice)} more than once"
        for source, target in self.map.items():
            if self.names and target not in self.names:
                wanted = did_you_mean(target, list(self.names))
                yield ("map", source), f"leads to {target!r}, no label; {wanted}"


class CorpusFields(Strict):
    """Which columns of the documents mean what."""

    id: Column
    """A name for each document: what judgements call it."""
    input: Column
    """Its text, image or recording."""
    title: Column | None = None
    """What stands before the text, after which a blank follows."""
    label: Column | None = None
    """With match: label, the document's label."""


class Corpus(Strict):
    """The documents that queries are asked of, for models that embed."""

    data: _Sources | None = None
    """A source, or a list of sources that are joined in order."""
    fields: CorpusFields | None = None
    """With data: which columns mean what."""
    split: Split | None = None
    """In place of data, with match: label: the split whose examples are the documents,
    or `same` for that of the queries, where no query finds itself."""
    match: Literal["judgements", "label"] = "judgements"
    """What makes a document relevant: that it was judged so, or that it has the query's
    label (fields.gold)."""
    metric: Literal["cosine", "dot", "l2"] = "cosine"
    """How alike two vectors are: cosine, dot, or l2 (minus their distance)."""

    @classmethod
    def contradictions(cls, raw: dict[str, Any]) -> Iterator[Problem]:
        """Yield what does not fit together."""
        if ("data" in raw) == ("split" in raw):
            have = "both" if "data" in raw else "none"
            yield (), f"needs exactly one of data, split; got {have}"
        if "data" in raw and "fields" not in raw:
            yield ("fields",), "is required with data; add id and input"
        if "split" in raw and "fields" in raw:
            yield ("fields",), "belong to data; the split's own fields are read"
        if "split" in raw and raw.get("match") != "label":
            yield ("match",), "must be label where the documents are a split"

    def defects(self) -> Iterator[Problem]:
        """Yield labels that are missing, or that nobody reads."""
        if self.fields is None:
            return
        if self.match == "label" and self.fields.label is None:
            yield ("fields", "label"), "is required with match: label; add it"
        if self.match != "label" and self.fields.label is not None:
            yield ("fields", "label"), "belongs to match: label; remove it"


class TaskRule(Strict):
    """The task kind and its options."""

    shorthand: ClassVar[str | None] = "kind"

    kind: str
    """Such as classification."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What the task kind accepts."""


class SuiteFile(GatesFile):
    """One suite: examples, what is right, what is counted, and what is demanded."""

    name: Name
    """Short and stable; run directories are named by it."""
    version: Annotated[str, StringConstraints(min_length=1)] = "1"
    """Raise it when an example, a gold answer or a gate changes. In quotes."""
    description: str = ""
    """One line for people."""
    licence: str = ""
    """Licence of the data."""
    homepage: str = ""
    """Where the data are described."""
    task: TaskRule
    """The task kind, such as classification."""
    levels: Texts = ()
    """The levels to compare; the default is all that the task kind has."""
    data: dict[Split, _Sources]
    """Split to its source, or a list of sources that are joined in order. `test`
    is what models are compared on; `train`, `dev` and variants such as
    `train-small` are for methods that train."""
    fields: Fields
    """Which columns mean what."""
    judgements: dict[Split, _Sources] = Field(default_factory=dict)
    """For retrieval: split to its judgements, where these stand in files of their own
    (format: qrels). Queries of a split without any judgement are left out."""
    corpus: Corpus | None = None
    """For retrieval: the documents. Models that embed rank them; files and models that
    rank by themselves need none."""
    repeats: Literal["number", "error"] = "number"
    """Without fields.id: whether exact repeats of an example are told apart by a
    number, or are an error."""
    slices: dict[Split, Slice] = Field(default_factory=dict)
    """Slice name to its rule."""
    labels: Labels | None = None
    """For classification: label names and their aliases."""

    @classmethod
    def contradictions(cls, raw: dict[str, Any]) -> Iterator[Problem]:
        """Yield what does not fit together across the file."""
        yield from super().contradictions(raw)
        data = raw.get("data")
        if isinstance(data, dict) and "test" not in data:
            yield ("data", "test"), "is required but missing; add it"
        slices = raw.get("slices") or {}
        gates = raw.get("gates")
        for at, rule in enumerate(gates if isinstance(gates, list) else []):
            wanted = rule.get("slice") if isinstance(rule, dict) else None
            name = wanted.partition("=")[0] if isinstance(wanted, str) else None
            if name == CLASSES_SLICE or not isinstance(slices, dict):
                continue
            if name is not None and name not in slices:
                hint = did_you_mean(name, list(slices))
                yield (
                    ("gates", at, "slice"),
                    f"names no slice of this suite: {wanted!r}; {hint}",
                )

    def defects(self) -> Iterator[Problem]:
        """Yield what does not suit the kind of task."""
        if self.labels is not None and self.task.kind != "classification":
            yield ("labels",), f"are for classification; the task is {self.task.kind}"
        for name in ("corpus", "judgements"):
            if getattr(self, name) and self.task.kind != "retrieval":
                yield (name,), f"is for retrieval; the task is {self.task.kind}"
        yield from self._judged_twice()

    def _judged_twice(self) -> Iterator[Problem]:
        """Yield what says twice which documents are relevant, or where it is not."""
        by_label = self.corpus is not None and self.corpus.match == "label"
        gold = self.fields.gold is not None
        if by_label and not gold:
            yield ("fields", "gold"), "is required with match: label: the query's label"
        if by_label and self.judgements:
            yield ("judgements",), "say what match: label says; remove one of them"
        if self.judgements and gold and not by_label:
            yield ("judgements",), "say what fields.gold says; remove one of them"
        if self.judgements and self.fields.id is None:
            yield ("fields", "id"), "is required with judgements: they name queries"
        for split in self.judgements:
            if split not in self.data:
                yield ("judgements", split), f"names no split: {split!r}"
        lacking = [split for split in self.data if split not in self.judgements]
        if self.judgements and lacking == ["test"]:
            yield ("judgements", "test"), "is required but missing; add it"
        named = None if self.corpus is None else self.corpus.split
        if named not in (None, SAME_SPLIT, *self.data):
            wanted = did_you_mean(str(named), [*self.data, SAME_SPLIT])
            yield ("corpus", "split"), f"names no split: {named!r}; {wanted}"
