"""Encoders as ONNX graphs: pooled here as anywhere else, or by the graph."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.onnx.source import open_source, recognises
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import ReadsByPart

pytestmark = pytest.mark.torch

TEXTS = ["book a table for two", "play music", "play"]
WORDS = np.random.default_rng(0).normal(size=(19, 3)).astype(np.float32)


@pytest.fixture
def exported(bert: Path, tmp_path: Path) -> Path:
    """Each token's row of a table, and as `sentence_embedding` the first token's."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    directory = tmp_path / "exported"
    shutil.copytree(bert, directory)
    (directory / "model.safetensors").unlink()
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["last_hidden_state"]),
        helper.make_node(
            "Gather", ["last_hidden_state", "first"], ["sentence_embedding"], axis=1
        ),
    ]
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "t"])
    shapes: dict[str, list[Any]] = {
        "last_hidden_state": ["n", "t", 3],
        "sentence_embedding": ["n", 3],
    }
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    kept = [numpy_helper.from_array(WORDS, "words")]
    kept.append(numpy_helper.from_array(np.array(0), "first"))
    graph = helper.make_graph(nodes, "words", [ids], outputs, kept)
    opset = [helper.make_opsetid("", 17)]
    made = helper.make_model(graph, opset_imports=opset, ir_version=9)
    onnx.save(made, directory / "model.onnx")
    return directory


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("mean", lambda ids: WORDS[ids].mean(axis=0)),
        ("max", lambda ids: WORDS[ids].max(axis=0)),
        ("pooled", lambda ids: WORDS[ids[0]]),
        (
            "mean,normalise",
            lambda ids: WORDS[ids].mean(0) / np.linalg.norm(WORDS[ids].mean(0)),
        ),
    ],
)
def test_texts_become_vectors(how: str, expected: Any, exported: Path) -> None:
    source = open_source(f"{exported}#{how}", ModelOptions())
    assert isinstance(source, ReadsByPart)
    model: Any = source.load()
    items = model.encode(TEXTS)

    found = model.embed(items)

    rows = [expected(list(item.ids)) for item in items]
    np.testing.assert_allclose(found, rows, atol=1e-6)
    assert recognises(Path(f"{exported}#{how}"))


def test_a_graph_without_the_output_is_told(exported: Path) -> None:
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(exported / "model.onnx")
    del graph.graph.output[1]
    onnx.save(graph, exported / "model.onnx")

    with pytest.raises(ModelError, match=r"\(texts, width\).*name a pooling"):
        open_source(f"{exported}#pooled", ModelOptions()).load()
