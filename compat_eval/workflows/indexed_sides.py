"""Sides that embed: their queries on their own index, and on each other's.

Each model is asked once for the vectors of queries and documents. What its queries find
on an index is an answer like any other: a role of the panel.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.compare import ComparedRoles
from compat_eval.comparison.index_decision.offered import OfferedRoles
from compat_eval.comparison.index_matrix.ranked import SIMILARITY
from compat_eval.comparison.index_matrix.roles import IndexRoles, asked_on
from compat_eval.comparison.panel import PARAGON
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import digest
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import Embeds, ModelSource, Part, ReadsByPart
from compat_eval.core.recorded import Recorded
from compat_eval.runner.ask import ask, is_answered
from compat_eval.runner.cache import Cache
from compat_eval.runner.loaded import SharedModel
from compat_eval.runner.questions import Embed
from compat_eval.suite.examples import documents_at, is_own_corpus, places_of
from compat_eval.suite.judged import refuse_unknown_documents
from compat_eval.suite.suite import Suite
from compat_eval.tasks.retrieval.task import Retrieval
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import GivesVectors, Metric, Neighbours, VectorIndex
from compat_eval.vectors.same_space import refuse_half_migrated
from compat_eval.vectors.vectors import Vectors
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions, require_examples
from compat_eval.workflows.sides import answers, recorded

_QUERY, _DOCUMENT = "query ", "document "
"""Before the ids of what is asked in one go."""

_SAMPLED = 64
"""Documents of a store that are embedded again: of an index a tenth of whose vectors
are another model's, a sample has one with a chance of .999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTask:
    """What encoders are asked, and how their vectors are searched.

    Attributes:
        queries: With inputs.
        documents: Likewise; none of them is empty.
        depth: How many documents are ranked.
        metric: How alike two vectors are.
        own_corpus: Whether the queries are the documents; none finds itself.
        judged_by_label: Whether a document is relevant that has the query's label.
        notes: What a reader must know, in sentences.

    """

    queries: Examples
    documents: Examples
    depth: int
    metric: Metric
    own_corpus: bool
    judged_by_label: bool
    notes: tuple[str, ...] = ()

    def rankings(
        self, queries: Vectors, documents: Vectors, index: VectorIndex | None = None
    ) -> Predictions:
        """Return the documents that are nearest to each query, with their scores.

        Args:
            queries: What is searched for.
            documents: What is searched.
            index: Of the documents; by default they are searched exactly.

        Raises:
            DataError: Vectors are zero or not finite, or have different dimensions.

        """
        index = index or ExactIndex.of(documents, self.metric)
        found = index.search(
            queries, self.depth, without_itself=self.own_corpus, across=True
        )
        return as_answers(queries.ids, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSide:
    """One model's vectors.

    Attributes:
        role: Of its queries on its own index.
        name: What the user wrote.
        fingerprint: Of the model.
        provenance: What it says of itself.
        trained_on: What it says that it was trained on.
        queries: One an id, in the order of the queries.
        documents: Likewise.
        index: What searches the documents; `None` for exact search.

    """

    role: str
    name: str
    fingerprint: str
    provenance: Mapping[str, Any]
    trained_on: Mapping[str, Any]
    queries: Vectors
    documents: Vectors
    index: VectorIndex | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedSides:
    """What was asked of sides of which at least one embeds.

    Attributes:
        sides: By role, every encoder's queries on every encoder's index, and what other
            sides rank by themselves.
        search: What encoders were asked.
        embedded: By version, the vectors.
        index: Which roles are encoders on indices; `None` where one side is none.
        offered: Which roles are ways to upgrade; `None` where that is no question.

    """

    sides: Mapping[str, Recorded]
    search: SearchTask
    embedded: Mapping[str, EmbeddedSide]
    index: IndexRoles | None
    offered: OfferedRoles | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in sentences."""
        uneven = [
            role
            for role, one in self.embedded.items()
            if ExactIndex.of(one.documents, self.search.metric).notes
        ]
        searched = [
            f"{role}: {note}."
            for role, one in self.embedded.items()
            for note in ([] if one.index is None else one.index.notes)
            if "approximate" in note
        ]
        notes = (*self.search.notes, *searched)
        if not uneven:
            return notes
        return (
            *notes,
            (
                f"Vectors of {' and '.join(uneven)} are not of length 1: the index "
                "divides by their lengths (cosine), and a store that ranks by dot "
                "products ranks otherwise."
            ),
        )


def search_task(suite: Suite, asked: Questions, options: Options) -> SearchTask:
    """Return what encoders are asked on a suite that has documents.

    Raises:
        DataError: Documents cannot be read, or judgements name others.

    """
    task = asked.task
    assert isinstance(task, Retrieval), "only queries have documents"
    assert suite.corpus is not None
    places = places_of(suite, options.data_dir, offline=options.offline)
    documents = documents_at(suite, options.split, places)
    queries = require_examples(asked, "the encoder")
    shown = f"suite {suite.name}, judgements of split {options.split}"
    refuse_unknown_documents(queries, documents, shown=shown)
    empty = pc.equal(documents.column("input"), "")
    notes: tuple[str, ...] = ()
    if pc.any(empty).as_py():
        ids = documents.ids.filter(empty).to_pylist()
        notes = (
            (
                f"{len(ids)} of {len(documents)} documents are empty and stand in no "
                f"index ({some(ids)})."
            ),
        )
        documents = documents.take(~np.asarray(empty, np.bool_))
    return SearchTask(
        queries=queries,
        documents=documents,
        depth=min(task.depth, len(documents)),
        metric=suite.corpus.metric,
        own_corpus=is_own_corpus(suite, options.split),
        judged_by_label=suite.corpus.match == "label",
        notes=notes,
    )


def indexed_sides(
    opened: Mapping[str, ModelSource | Recorded],
    search: SearchTask,
    *,
    asked: Questions,
    options: Options,
    cache: Cache | None,
    progress: Progress | None,
    release: Callable[[], None],
) -> IndexedSides:
    """Ask every side, one after the other, and search every index.

    Args:
        opened: By role; `paragon` is one where it was given.
        search: What encoders are asked.
        asked: What is asked.
        options: How.
        cache: Where answers are stored.
        progress: Follows the work.
        release: Lets go of the model that was asked.

    Raises:
        DataError: A vector is missing, zero, or not finite.
        CapabilityError: A side neither embeds nor ranks.

    """
    embedded: dict[str, EmbeddedSide] = {}
    sides: dict[str, Recorded] = {}
    for role, one in opened.items():
        if isinstance(one, Recorded) or not embeds(one, search, options, cache):
            sides[role] = answers(
                one, asked=asked, options=options, cache=cache, progress=progress
            )
            continue
        embedded[role] = embedded_side(
            role, one, search, options=options, cache=cache, progress=progress
        )
        release()
    runs = any("." in role for role in opened)  # of which pairs are added up
    every = len(embedded) == len(opened) and not runs
    index = _index_roles(embedded, search) if every else None
    for role in embedded if index is None else index.roles():
        queries, _, on = role.partition("/")
        sides[role] = ranked_side(embedded[queries], embedded[on or queries], search)
    return IndexedSides(sides=sides, search=search, embedded=embedded, index=index)


def embeds(
    source: ModelSource, search: SearchTask, options: Options, cache: Cache | None
) -> bool:
    """Whether a side gives vectors; a model is loaded, unless all are stored."""
    if _stored_vectors(source) is not None:
        return True
    settings = options.runner_settings("retrieval")
    parts = _asked_apart(source, search).values()
    if all(
        is_answered(one, texts, Embed(), settings=settings, cache=cache)
        for one, texts in parts
    ):
        return True
    return isinstance(source.load(), Embeds)


def embedded_side(
    role: str,
    source: ModelSource,
    search: SearchTask,
    *,
    options: Options,
    cache: Cache | None,
    progress: Progress | None,
) -> EmbeddedSide:
    """Return a model's vectors of queries and documents, asked once each.

    Raises:
        DataError: One is missing.

    """
    # As for every side: what is known of training is told where NEW's answers are.
    side = recorded(source, Predictions(pa.table({"id": search.queries.ids})), _no())
    trained_on = side.provenance.get("trained_on", {})
    index = None
    if (there := _stored_vectors(source)) is not None:
        queries = _named(there.given("query", search.queries.ids), side.fingerprint)
        documents = there.given("document", search.documents.ids)
        if there.checked_by is not None:
            again = vectors_of(
                there.checked_by,
                _sample(search.documents),
                part="document",
                model=there.checked_by.reference,
                options=options,
                cache=cache,
                progress=progress,
            )
            refuse_half_migrated(documents, again)
        index = there.index_of(documents, search.metric)
        documents = _named(documents, side.fingerprint)
    else:
        parts = [
            vectors_of(
                one,
                texts,
                part=None,
                model=side.fingerprint,
                options=options,
                cache=cache,
                progress=progress,
            )
            for one, texts in _asked_apart(source, search).values()
        ]
        queries, documents = _of_part(parts, _QUERY), _of_part(parts, _DOCUMENT)
    told = {k: v for k, v in side.provenance.items() if k != "trained_on"}
    if options.query_cost and there is None:
        told["query_cost"] = _query_cost(source, search)
    return EmbeddedSide(
        role=role,
        name=source.reference,
        fingerprint=side.fingerprint,
        provenance=told,
        trained_on=trained_on,
        queries=queries,
        documents=documents,
        index=index,
    )


def _query_cost(source: ModelSource, search: SearchTask) -> dict[str, float | None]:
    """Return what a query costs a model, measured now."""
    from compat_eval.models.encoders.operations import encoder_cost  # noqa: PLC0415

    model = _as_read(source, "query").load()
    assert isinstance(model, Embeds), "it gave vectors"
    return encoder_cost(model, search.queries.column("input").to_pylist()).to_dict()


def vectors_of(
    source: ModelSource,
    examples: Examples,
    *,
    part: Part | None,
    model: str,
    options: Options,
    cache: Cache | None,
    progress: Progress | None,
) -> Vectors:
    """Return a model's vectors of some inputs.

    Args:
        source: The model.
        examples: With inputs.
        part: As what it reads them; `None` where the source is one that does already.
        model: Identity of the encoder, whatever part it reads.
        options: How it is run.
        cache: Where answers are stored.
        progress: Follows the work.

    Raises:
        DataError: It gives none for one.

    """
    source = source if part is None else _as_read(source, part)
    found = ask(
        source,
        examples,
        Embed(),
        settings=options.runner_settings("retrieval"),
        cache=cache,
        progress=progress,
    )
    column = found.column("vector").combine_chunks()
    missing = np.asarray(column.is_null())
    if missing.any():
        ids = found.ids.filter(pa.array(missing)).to_pylist()
        why = ""
        if "error" in found:
            told = found.column("error").filter(pa.array(missing)).drop_null()
            why = f": {told[0].as_py()}" if len(told) else ""
        raise DataError(
            f"{source.reference} gave no vector for {len(ids)} of {len(examples)} "
            f"inputs ({some(ids)}){why}"
        )
    width = len(column[0])
    values = np.asarray(column.flatten(), np.float64).reshape(len(column), width)
    return Vectors.of(found.ids.to_pylist(), values, model=model, normalised=False)


def ranked_side(
    queries: EmbeddedSide, index: EmbeddedSide, search: SearchTask
) -> Recorded:
    """Return what one model's queries find on a model's index, as a side."""
    where = f" on the index of {index.name}" if queries is not index else ""
    fingerprint = queries.fingerprint
    if queries is not index:
        fingerprint = digest([queries.fingerprint, index.fingerprint])
    return Recorded(
        name=f"{queries.name}{where}",
        predictions=search.rankings(queries.queries, index.documents, index.index),
        examples=Examples(search.queries.table.select(["id"])),
        fingerprint=fingerprint,
        provenance={
            "kind": "search by vectors",
            "queries": dict(queries.provenance),
            "index": dict(index.provenance),
            **({"trained_on": queries.trained_on} if queries.trained_on else {}),
        },
    )


def with_index(
    roles: ComparedRoles, found: IndexRoles | None, options: Options
) -> ComparedRoles:
    """Return what is compared where sides are encoders on each other's index.

    Raises:
        UsageError: What should be judged is not there.

    """
    if found is None:
        if options.asks_indices:
            raise UsageError(
                "--index kept, --paragon and --backfill are for encoders: every side "
                "must embed, and the suite have documents (corpus:)"
            )
        return roles
    old, new = roles.judged
    judged = asked_on(new, old) if options.index == "kept" else new
    if judged in found.left_out:
        raise UsageError(f"--index kept: {found.left_out[judged]}")
    others = [(old, role) for role in found.roles() if role not in (old, judged)]
    chain = [pair for pair in roles.others if pair[0] != old]
    return replace(roles, judged=(old, judged), others=(*others, *chain), index=found)


def flat_doubts(
    sides: Mapping[str, Recorded], judged: tuple[str, str]
) -> Iterator[str]:
    """Yield a doubt where neither judged side tells any documents apart.

    All scores of a query are the same then, and the rankings are the order of the ids:
    nothing that either side does could break.
    """
    if all(_is_flat(sides[role].predictions) for role in judged):
        yield (
            f"{' and '.join(judged)} give all documents of a query the same score, so "
            "what they find is the order of the ids"
        )


def _is_flat(answers: Predictions) -> bool:
    if SIMILARITY not in answers.table.column_names:
        return False
    each = [scores for scores in answers.column(SIMILARITY).to_pylist() if scores]
    return bool(each) and all(
        len(scores) > 1 and min(scores) == max(scores) for scores in each
    )


def as_answers(ids: pa.StringArray, found: Neighbours) -> Predictions:
    """Return what was found as answers: rankings, and the scores of their documents."""
    there = ~np.isnan(found.scores)
    sizes = there.sum(axis=1)
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    names = found.ids.take(pa.array(found.rows[there])).cast(pa.string())
    scores = pa.array(found.scores[there].astype(np.float32))
    table = {
        "id": ids.cast(pa.string()),
        "prediction": pa.ListArray.from_arrays(offsets, names),
        SIMILARITY: pa.ListArray.from_arrays(offsets, scores),
    }
    return Predictions(pa.table(table))


def _index_roles(
    embedded: Mapping[str, EmbeddedSide], search: SearchTask
) -> IndexRoles:
    versions = tuple(role for role in embedded if role != PARAGON)
    return IndexRoles(
        versions=versions,
        n_documents=len(search.documents),
        own_corpus=search.own_corpus,
        judged_by_label=search.judged_by_label,
        paragon=PARAGON in embedded,
        left_out=dict(sorted(_apart([embedded[one] for one in versions]))),
    )


def _apart(sides: Sequence[EmbeddedSide]) -> Iterator[tuple[str, str]]:
    """Yield which queries cannot be asked on which index, and why."""
    for one in sides:
        for other in sides:
            widths = one.queries.space.dimension, other.documents.space.dimension
            if widths[0] != widths[1]:
                yield (
                    asked_on(one.role, other.role),
                    (
                        f"queries of {one.role} have {widths[0]} dimensions and the "
                        f"index of {other.role} {widths[1]}: an adapter is needed, "
                        "such as --mitigate ridge"
                    ),
                )


def _asked_apart(
    source: ModelSource, search: SearchTask
) -> dict[str, tuple[ModelSource, Examples]]:
    """Return what is asked of which reading of a model: all at once where it has one.

    Queries and documents are one table then, so that each input is asked once.
    """
    texts = {
        mark: _marked(mark, one)
        for mark, one in ((_QUERY, search.queries), (_DOCUMENT, search.documents))
    }
    queries, documents = _as_read(source, "query"), _as_read(source, "document")
    if queries.fingerprint() != documents.fingerprint():
        return {
            _QUERY: (queries, texts[_QUERY]),
            _DOCUMENT: (documents, texts[_DOCUMENT]),
        }
    whole = pa.concat_tables([one.table for one in texts.values()])
    return {_QUERY: (queries, Examples(whole))}


def _stored_vectors(source: ModelSource) -> GivesVectors | None:
    """Return a side whose vectors exist already, where this is one."""
    inner = source.source if isinstance(source, SharedModel) else source
    return inner if isinstance(inner, GivesVectors) else None


def _sample(documents: Examples) -> Examples:
    """Return some documents from everywhere in a corpus, always the same."""
    chosen = np.zeros(len(documents), np.bool_)
    places = np.linspace(0, len(documents) - 1, min(_SAMPLED, len(documents)))
    chosen[places.astype(np.int64)] = True
    return documents.take(chosen)


def _named(vectors: Vectors, model: str) -> Vectors:
    """Return vectors of a model that is known by its fingerprint, as all others are."""
    return replace(vectors, space=replace(vectors.space, model=model))


def _as_read(source: ModelSource, part: Part) -> ModelSource:
    if isinstance(source, SharedModel | ReadsByPart):
        return source.reading(part)
    return source


def _marked(mark: str, examples: Examples) -> Examples:
    ids = pc.binary_join_element_wise(mark, examples.ids.cast(pa.string()), "")
    return Examples(pa.table({"id": ids, "input": examples.column("input")}))


def _of_part(found: Sequence[Vectors], mark: str) -> Vectors:
    """Return the vectors of queries, or of documents, by their own ids."""
    for one in found:
        chosen = np.asarray(pc.starts_with(one.ids, mark), np.bool_)
        if chosen.any():
            ids = pc.utf8_slice_codeunits(one.ids.filter(pa.array(chosen)), len(mark))
            return replace(one, ids=ids, values=one.values[chosen])
    raise AssertionError("both parts were asked")


def _no() -> Examples:
    return Examples(pa.table({"id": pa.array([], pa.string())}))
