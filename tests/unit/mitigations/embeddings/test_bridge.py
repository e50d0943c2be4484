"""Bridges from NEW's queries to an index, on spaces that are known."""

from collections.abc import Sequence

import numpy as np
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.embeddings.bridge import BridgeSettings, Bridging
from compat_eval.mitigations.embeddings.pairs import VectorPairs
from compat_eval.mitigations.mitigation import Bridge, settings_of
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.index import Metric, Neighbours
from compat_eval.vectors.vectors import Vectors

RNG = np.random.default_rng(3)
ROTATION = np.linalg.qr(RNG.normal(size=(6, 6)))[0]
DOCUMENTS, QUERIES, TEXTS = (RNG.normal(size=(n, 6)) for n in (30, 8, 40))


def of(rows: np.ndarray, mark: str, model: str) -> Vectors:
    names = [f"{mark}{at}" for at in range(len(rows))]
    values = rows if model == "old" else rows @ ROTATION.T
    return Vectors.of(names, values, model=model, normalised=False)


def search(queries: Vectors, documents: Vectors, depth: int) -> Neighbours:
    return ExactIndex.of(documents).search(queries, depth, across=True)


def bridging(
    metric: Metric = "cosine", inputs: dict[str, str] | None = None
) -> Bridging:
    def pairs(source: str, target: str, _: BridgeSettings) -> VectorPairs:
        texts = {f"t{at}": f"text {at}" for at in range(len(TEXTS))}
        return VectorPairs.of(of(TEXTS, "t", source), of(TEXTS, "t", target), texts)

    def embed(names: Sequence[str]) -> Vectors:
        every = of(DOCUMENTS, "d", "new")
        rows = [every.ids.to_pylist().index(name) for name in names]
        return Vectors.of(
            list(names), every.values[rows], model="new", normalised=False
        )

    return Bridging(
        old_queries=of(QUERIES, "q", "old"),
        new_queries=of(QUERIES, "q", "new"),
        old_documents=of(DOCUMENTS, "d", "old"),
        new_documents=embed,
        inputs=inputs or {"q0": "a query"},
        pairs=pairs,
        search=search,
        depth=5,
        metric=metric,
    )


def crossed(name: str, **options: object) -> Neighbours:
    bridge = MITIGATIONS.load(name)
    assert isinstance(bridge, Bridge)
    found: Neighbours = bridge.cross(bridging(), settings_of(bridge, options)).found
    return found


EXACT = search(of(QUERIES, "q", "old"), of(DOCUMENTS, "d", "old"), 5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("procrustes", {"centred": False}),
        ("procrustes", {"centred": False, "maps": "index"}),
        ("ridge", {"penalty": 1e-9}),
        ("low-rank", {"penalty": 1e-9, "rank": 6}),
        ("residual", {"epochs": 1, "rate": 1e-9, "skip": "ridge"}),
        ("slerp", {"share": 0.0}),
        ("cascade", {"candidates": 30}),
    ],
)
def test_a_rotated_space_is_led_back(name: str, options: dict[str, object]) -> None:
    found = crossed(name, **options)

    if name in {"residual", "ridge", "low-rank"}:  # means of few texts are not exact
        assert found.names()[0][0] == EXACT.names()[0][0]
    else:
        assert found.names() == EXACT.names()


def test_scores_come_back_to_old_s_scale_and_ranks_stay() -> None:
    plain = crossed("mlp", epochs=3, hidden=8)
    scaled = crossed("mlp", epochs=3, hidden=8, calibrate=True)

    assert scaled.names() == plain.names()
    assert (np.diff(scaled.scores, axis=1) <= 0).all()


def test_scores_that_are_no_cosines_are_not_calibrated() -> None:
    bridge = MITIGATIONS.load("ridge")
    settings = settings_of(bridge, {"calibrate": True})

    with pytest.raises(UsageError, match="cosines"):
        bridge.cross(bridging("dot"), settings)


def test_an_adapter_that_saw_a_query_is_refused() -> None:
    bridge = MITIGATIONS.load("ridge")
    judged = bridging(inputs={"q0": "TEXT  3"})

    with pytest.raises(DataError, match="fitted on 1 of the inputs"):
        bridge.cross(judged, settings_of(bridge, {}))
