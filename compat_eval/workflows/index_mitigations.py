"""Mitigations of encoders on an index: adapters and cascades, as roles of the panel."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.index_matrix.roles import asked_on
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import digest
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource
from compat_eval.core.recorded import Recorded
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.embeddings.bridge import (
    Bridged,
    BridgeSettings,
    Bridging,
)
from compat_eval.mitigations.embeddings.pairs import VectorPairs, content
from compat_eval.mitigations.mitigation import Bridge, Recipe, settings_of
from compat_eval.mitigations.spec import MitigationSpec
from compat_eval.runner.ask import Effort
from compat_eval.runner.cache import Cache
from compat_eval.suite.examples import inputs_at, places_of
from compat_eval.suite.suite import Suite
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.vectors import Vectors
from compat_eval.workflows.indexed_sides import (
    IndexedSides,
    as_answers,
    embedded_side,
    ranked_side,
    vectors_of,
)
from compat_eval.workflows.mitigations import MitigationAnswers, slug_of
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions
from compat_eval.workflows.recipes import open_recipe
from compat_eval.workflows.sides import open_side

_DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True, kw_only=True)
class _IndexMitigations:
    """What bridges work with, in one comparison.

    Attributes:
        suite: Has the documents, and the splits that adapters are fitted on.
        indexed: The vectors of both encoders.
        sources: The two encoders, `old` and `new`, opened.
        asked: What is asked.
        options: How they are run.
        cache: Where answers are stored.
        progress: Follows the work.

    """

    suite: Suite
    indexed: IndexedSides
    sources: Mapping[str, ModelSource]
    asked: Questions
    options: Options
    cache: Cache | None
    progress: Progress | None

    def answers(self) -> Iterator[MitigationAnswers]:
        """Yield what NEW's queries find over each bridge that was asked for.

        Raises:
            UsageError: One is no bridge, or is given twice.
            DataError: One would be fitted on what it is judged with.

        """
        names: set[str] = set()
        for text in self.options.mitigate:
            spec = MitigationSpec.parse(text).seeded(self.options.seed)
            if not (spec.bridges or _trains_encoders(spec)):
                raise UsageError(
                    f"--mitigate {spec.method} is for models that answer; these are "
                    f"encoders on an index, for which there are {', '.join(_suited())}"
                )
            name = f"{spec.method}{_written(spec)}"
            if name in names:
                raise UsageError(f"--mitigate {name} is given twice")
            names.add(name)
            yield (
                self._answered(name, spec)
                if spec.bridges
                else self._trained(name, spec)
            )

    def _trained(self, name: str, spec: MitigationSpec) -> MitigationAnswers:
        """Train an encoder, and return what is found with it on the index that stays.

        Raises:
            UsageError: It cannot be trained, or stands on no side of this comparison.

        """
        stands = _stands_for(name, spec)
        run = open_recipe(
            spec,
            self.sources["old"],
            self.sources["new"],
            suite=self.suite,
            options=self.options,
            further=[self._opened(name, one.reference) for one in spec.further],
        )
        model = self._opened(name, run.train(None, self.cache, self.progress))
        search, embedded = self.indexed.search, self.indexed.embedded
        effort = Effort()
        made = effort.timed(
            lambda: embedded_side(
                spec.method,
                model,
                search,
                options=self.options,
                cache=self.cache,
                progress=self.progress,
            ),
            len(search.queries),
        )
        made, notes = replace(made, name=name), run.notes
        asks, on = made, embedded["old"]
        if stands == "index":
            asks, on = embedded["new"], made
            notes = (*notes, "NEW asks an index that is OLD's, transformed.")
        return MitigationAnswers(
            role=f"{asked_on('new', 'old')}+{slug_of(name)}",
            facts={
                "name": name,
                "method": spec.method,
                "options": spec.told_options,
                "cost": spec.cost(),
                "trained": True,
                "chosen": None,
                "index": {"maps": "index"} if stands == "index" else {},
                **({"notes": list(notes)} if notes else {}),
            },
            side=ranked_side(asks, on, search),
            effort=effort,
            training_seconds=run.seconds,
        )

    def _opened(self, name: str, reference: str) -> ModelSource:
        found = open_side(
            reference, asked=self.asked, options=self.options, what=f"--mitigate {name}"
        )
        if isinstance(found, Recorded):
            raise UsageError(f"--mitigate {name}: {reference} is no model")
        return found

    def _answered(self, name: str, spec: MitigationSpec) -> MitigationAnswers:
        bridge = spec.mitigation
        assert isinstance(bridge, Bridge)
        settings = settings_of(bridge, spec.options)
        notes: list[str] = []
        effort = Effort()
        n_queries = len(self.indexed.search.queries)
        bridged: Bridged = effort.timed(
            lambda: bridge.cross(self._bridging(notes), settings), n_queries
        )
        old, new = (self.indexed.embedded[role] for role in ("old", "new"))
        facts = {
            "name": name,
            "method": spec.method,
            "options": spec.told_options,
            "cost": spec.cost(),
            "trained": False,
            "chosen": None,
            "index": dict(bridged.told),
            **({"notes": notes} if notes else {}),
        }
        options = sorted(spec.told_options.items())
        said = [spec.method, options, old.fingerprint, new.fingerprint]
        side = Recorded(
            name=f"{name} of {new.name}",
            predictions=as_answers(new.queries.ids, bridged.found),
            examples=Examples(self.indexed.search.queries.table.select(["id"])),
            fingerprint=digest(said),
            provenance={"kind": "search by vectors", "mitigation": name},
        )
        return MitigationAnswers(
            role=f"{asked_on('new', 'old')}+{slug_of(name)}",
            facts=facts,
            side=side,
            effort=effort,
        )

    def _bridging(self, notes: list[str]) -> Bridging:
        search, embedded = self.indexed.search, self.indexed.embedded
        old, new = embedded["old"], embedded["new"]
        queries = search.queries

        def new_documents(ids: Sequence[str]) -> Vectors:
            rows = pc.index_in(pa.array(ids), value_set=new.documents.ids).to_numpy()
            kept = new.documents.ids.take(pa.array(rows))
            return replace(new.documents, ids=kept, values=new.documents.values[rows])

        def pairs(source: str, target: str, settings: BridgeSettings) -> VectorPairs:
            return self._pairs(source, target, settings, notes)

        return Bridging(
            old_queries=old.queries,
            new_queries=new.queries,
            old_documents=old.documents,
            new_documents=new_documents,
            inputs=_texts(queries),
            pairs=pairs,
            search=lambda asked, among, depth: ExactIndex.of(
                among, search.metric
            ).search(asked, depth, without_itself=search.own_corpus, across=True),
            depth=search.depth,
            metric=search.metric,
        )

    def _pairs(
        self, source: str, target: str, settings: BridgeSettings, notes: list[str]
    ) -> VectorPairs:
        """Return the vectors of both encoders of texts to fit on."""
        where, texts = self._texts_to_fit_on(settings)
        judged = {content(one) for one in _texts(self.indexed.search.queries).values()}
        inputs = _texts(texts)
        seen = [content(inputs[one]) in judged for one in texts.ids.to_pylist()]
        if any(seen):
            texts = self._without_judged(texts, np.array(seen), where, settings, notes)
        if len(texts) > settings.pairs:
            rng = np.random.default_rng(settings.seed)
            drawn = np.sort(rng.permutation(len(texts))[: settings.pairs])
            texts = texts.take(drawn)
        notes.append(f"It was fitted on {len(texts)} texts of {where}.")
        found = {
            role: self._vectors(role, texts, of_documents=where == _DOCUMENTS)
            for role in (source, target)
        }
        return VectorPairs.of(found[source], found[target], _texts(texts))

    def _vectors(self, role: str, texts: Examples, *, of_documents: bool) -> Vectors:
        side = self.indexed.embedded[role]
        if of_documents:
            rows = pc.index_in(
                texts.ids.combine_chunks(), value_set=side.documents.ids
            ).to_numpy()
            return replace(
                side.documents,
                ids=side.documents.ids.take(pa.array(rows)),
                values=side.documents.values[rows],
            )
        return vectors_of(
            self.sources[role],
            texts,
            part="query",
            model=side.fingerprint,
            options=self.options,
            cache=self.cache,
            progress=self.progress,
        )

    def _without_judged(
        self,
        texts: Examples,
        seen: np.ndarray,
        where: str,
        settings: BridgeSettings,
        notes: list[str],
    ) -> Examples:
        """Leave out texts that are judged, or refuse them."""
        ids = texts.ids.filter(pa.array(seen)).to_pylist()
        cure = "add overlap=drop, or fit on others with fit_on=SPLIT"
        if settings.overlap == "refuse" or seen.all():
            all_of = "all" if seen.all() else str(len(ids))
            raise DataError(
                f"an adapter would be fitted on what it is judged with: {all_of} of "
                f"the {len(texts)} texts of {where} are also queries ({some(ids)}); "
                + (cure if not seen.all() else "fit on others with fit_on=SPLIT")
            )
        notes.append(f"{len(ids)} texts of {where} are also queries and were left out.")
        return texts.take(~seen)

    def _texts_to_fit_on(self, settings: BridgeSettings) -> tuple[str, Examples]:
        """Return what texts are called, and the texts."""
        suite, judged = self.suite, self.options.split
        where = settings.fit_on
        if where is None:
            dev = suite.dev_split(besides=judged)
            train = "train" if "train" in suite.data and judged != "train" else None
            where = dev or train or _DOCUMENTS
        if where == _DOCUMENTS and where not in suite.data:
            return where, self.indexed.search.documents
        if where == judged:
            raise UsageError(
                f"an adapter is not fitted on split {where}, on which it is judged"
            )
        if where not in suite.data:
            raise UsageError(
                f"fit_on={where}: suite {suite.name} has the splits "
                f"{', '.join(suite.data)}, and `{_DOCUMENTS}` is its index"
            )
        places = places_of(suite, self.options.data_dir, offline=self.options.offline)
        return f"split {where}", inputs_at(suite, where, places)


def _texts(examples: Examples) -> dict[str, str]:
    ids, inputs = examples.ids.to_pylist(), examples.column("input").to_pylist()
    return dict(zip(ids, inputs, strict=True))


def _written(spec: MitigationSpec) -> str:
    given = ",".join(f"{name}={value}" for name, value in sorted(spec.given.items()))
    return f":{given}" if given else ""


def _trains_encoders(spec: MitigationSpec) -> bool:
    recipe = spec.mitigation
    return isinstance(recipe, Recipe) and recipe.stands_for is not None


def _stands_for(name: str, spec: MitigationSpec) -> str:
    """Return on which side what is trained stands.

    Raises:
        UsageError: On none, or a setting is left to dev.

    """
    recipe = spec.mitigation
    assert isinstance(recipe, Recipe)
    assert recipe.stands_for is not None
    if spec.to_choose:
        raise UsageError(
            f"--mitigate {spec.method}: write a value for "
            f"{' and '.join(spec.to_choose)}; on an index nothing is chosen on dev"
        )
    stands = recipe.stands_for(settings_of(recipe, spec.options))
    if stands is None:
        raise UsageError(
            f"--mitigate {name}: what it trains stands on no side of this comparison "
            "alone; keep it with compat-eval mitigate"
        )
    return stands


def _suited() -> list[str]:
    known = [(name, MITIGATIONS.load(name)) for name in sorted(MITIGATIONS.builtin)]
    return [
        name
        for name, one in known
        if isinstance(one, Bridge)
        or (isinstance(one, Recipe) and one.stands_for is not None)
    ]


def bridged(
    found: IndexedSides,
    sources: Mapping[str, ModelSource],
    **how: Any,  # noqa: ANN401
) -> tuple[MitigationAnswers, ...]:
    """Return what NEW's queries find over every bridge; see `_IndexMitigations`.

    Raises:
        UsageError: A side is no encoder.

    """
    if found.index is None or {"old", "new"} - found.embedded.keys():
        raise UsageError(
            "--mitigate on a suite with documents is for one OLD and one NEW that embed"
        )
    if found.embedded["old"].fingerprint == found.embedded["new"].fingerprint:
        raise UsageError("OLD and NEW are one encoder, so there is nothing to bridge")
    return tuple(_IndexMitigations(indexed=found, sources=sources, **how).answers())
