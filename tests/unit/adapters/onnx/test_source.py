import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.huggingface import source as huggingface
from compat_eval.adapters.onnx.source import open_source, recognises
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import ModelSource, Predicts

pytestmark = pytest.mark.torch

TEXTS = ["book a table for two", "play music", "what is the weather", "play", ""]


def words_graph(
    words: Any,
    path: Path,
    *,
    inputs_are: str = "INT64",
    tokens: int | str = "t",
    end: str = "Identity",
    name: str = "logits",
) -> None:
    """A bag of words: sum of the tokens' embeddings, written as an ONNX graph."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["rows"], axis=0),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["rows", "mask3"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "tokens"], ["sums"], keepdims=0),
        helper.make_node(end, ["sums"], [name]),
    ]
    kind = getattr(TensorProto, inputs_are)
    inputs = [
        helper.make_tensor_value_info(name, kind, ["n", tokens])
        for name in ("input_ids", "attention_mask")
    ]
    kind = TensorProto.INT64 if end == "ArgMax" else TensorProto.FLOAT
    output = helper.make_tensor_value_info(name, kind, ["n", None])
    graph = helper.make_graph(
        nodes,
        "words",
        inputs,
        [output],
        [
            numpy_helper.from_array(words, "words"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "tokens"),
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)


@pytest.fixture
def export(bert: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write such a graph beside a tokenizer; return the directory."""

    def write(**graph: Any) -> Path:
        directory = tmp_path / "-".join(["exported", *map(str, graph.values())])
        shutil.copytree(bert, directory)
        (directory / "model.safetensors").unlink()
        words = np.random.default_rng(0).normal(size=(19, 3)).astype(np.float32)
        words_graph(words, directory / "model.onnx", **graph)
        return directory

    return write


@pytest.fixture
def exported(export: Callable[..., Path]) -> Path:
    return export()


def test_it_is_a_source_of_a_model(exported: Path) -> None:
    source = open_source(str(exported), ModelOptions())
    as_promised: ModelSource = source

    assert isinstance(source.load(), Predicts)
    assert json.loads(json.dumps(as_promised.describe())) == source.describe()
    assert source.describe()["labels"] == ["book", "play", "weather"]


def test_answers_are_those_of_the_graph(exported: Path) -> None:
    from scipy.special import softmax
    from transformers import AutoTokenizer

    words = np.random.default_rng(0).normal(size=(19, 3)).astype(np.float32)
    tokenizer = AutoTokenizer.from_pretrained(exported)
    expected = np.array([words[tokenizer(text)["input_ids"]].sum(0) for text in TEXTS])
    model = open_source(str(exported), ModelOptions()).load()

    table = model.predict(model.encode(TEXTS))

    names = np.array(["book", "play", "weather"])[expected.argmax(1)]
    assert table["prediction"].to_pylist() == names.tolist()
    assert len(set(names)) > 1
    best = softmax(expected.astype(float), axis=1).max(1)
    assert table["score"].to_numpy() == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(
    "graph",
    [
        {"inputs_are": "INT32"},
        {"end": "Softmax", "name": "probabilities"},
        {"end": "Softmax", "name": "output_0"},
        {"name": "output_0"},
    ],
)
def test_answers_are_the_same_however_it_was_exported(
    graph: dict[str, str], export: Callable[..., Path]
) -> None:
    plain, other = (
        open_source(str(directory), ModelOptions()).load()
        for directory in (export(), export(**graph))
    )
    expected = plain.predict(plain.encode(TEXTS))

    table = other.predict(other.encode(TEXTS))

    assert table["error"].null_count == len(TEXTS)
    assert table["prediction"].to_pylist() == expected["prediction"].to_pylist()
    for column in ("score", "margin"):
        assert table[column].to_numpy() == pytest.approx(
            expected[column].to_numpy(), abs=1e-6
        )


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ({"end": "ArgMax", "name": "label"}, "gives label as tensor.int64.; expected"),
        ({"tokens": 16}, r"takes texts of exactly 16 tokens.*dynamic_axes"),
    ],
)
def test_what_cannot_be_asked_or_read_is_refused(
    graph: dict[str, Any], message: str, export: Callable[..., Path]
) -> None:
    with pytest.raises(ModelError, match=message):
        open_source(str(export(**graph)), ModelOptions()).load()


def test_probabilities_that_are_none_are_refused(export: Callable[..., Path]) -> None:
    directory = export(name="probabilities")
    model = open_source(str(directory), ModelOptions()).load()

    with pytest.raises(ModelError, match="'probabilities' holds no probabilities"):
        model.predict(model.encode(TEXTS))


def test_an_answer_does_not_depend_on_its_neighbours(exported: Path) -> None:
    model = open_source(str(exported), ModelOptions()).load()
    items = model.encode(TEXTS)

    together = model.logits(items)
    alone = np.concatenate([model.logits([item]) for item in items])

    assert np.abs(together - alone).max() <= 1e-5


def test_an_input_that_is_no_text_is_an_error_of_its_own(exported: Path) -> None:
    model = open_source(str(exported), ModelOptions()).load()

    table = model.predict(model.encode([None, "play"]))

    assert table["prediction"].is_null().to_pylist() == [True, False]
    assert "got null" in table["error"][0].as_py()


def test_a_real_export_answers_like_its_origin(bert: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    directory = Path(shutil.copytree(bert, tmp_path / "exported"))
    origin = huggingface.open_source(str(bert), ModelOptions()).load()
    network = origin.network
    items = origin.encode(TEXTS)
    [(_, padded)] = origin.encoder.batches(items)
    batch = {k: torch.from_numpy(v) for k, v in padded.items()}
    names = ["input_ids", "attention_mask", "token_type_ids"]

    class Plain(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, ids: Any, mask: Any, segments: Any) -> Any:
            answers = self.network(
                input_ids=ids, attention_mask=mask, token_type_ids=segments
            )
            return answers.logits

    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Plain().eval(),
            tuple(batch[name] for name in names),
            directory / "model.onnx",
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "n", 1: "t"} for name in names},
            dynamo=False,
        )
    model = open_source(str(directory), ModelOptions(threads=1)).load()

    found = model.logits(model.encode(TEXTS))

    assert found == pytest.approx(origin.logits(items), abs=1e-4)


def test_a_damaged_graph_is_named(exported: Path) -> None:
    path = exported / "model.onnx"
    path.write_bytes(path.read_bytes()[:50])

    with pytest.raises(ModelError, match=r"model\.onnx: cannot be read"):
        open_source(str(exported), ModelOptions()).load()


def test_a_graph_that_takes_no_tokens_is_refused(exported: Path) -> None:
    import onnx

    graph = onnx.load(exported / "model.onnx")
    for node in graph.graph.node:
        node.input[:] = ["pixels" if i == "input_ids" else i for i in node.input]
    graph.graph.input[0].name = "pixels"
    onnx.save(graph, exported / "model.onnx")

    with pytest.raises(ModelError, match=r"takes pixels, attention_mask"):
        open_source(str(exported), ModelOptions()).load()


def test_fewer_outputs_than_labels_are_refused(exported: Path) -> None:
    config = json.loads((exported / "config.json").read_text())
    config["id2label"]["3"] = "extra"
    (exported / "config.json").write_text(json.dumps(config))
    model = open_source(str(exported), ModelOptions()).load()

    with pytest.raises(ModelError, match=r"shape \(1, 3\); expected \(1, 4\)"):
        model.predict(model.encode(["play"]))


def test_the_fingerprint_is_of_content(exported: Path, tmp_path: Path) -> None:
    elsewhere = Path(shutil.copytree(exported, tmp_path / "elsewhere"))
    first = open_source(str(exported), ModelOptions()).fingerprint()

    assert open_source(str(elsewhere), ModelOptions()).fingerprint() == first
    other = np.random.default_rng(1).normal(size=(19, 3)).astype(np.float32)
    words_graph(other, elsewhere / "model.onnx")
    assert open_source(str(elsewhere), ModelOptions()).fingerprint() != first


def keep_apart(directory: Path, name: str) -> Path:
    """Move the tensors out of the graph, into a file of this name."""
    onnx = pytest.importorskip("onnx")
    path = directory / "model.onnx"
    onnx.save(
        onnx.load(path),
        path,
        save_as_external_data=True,
        location=name,
        size_threshold=0,
        convert_attribute=True,
    )
    return directory / name


@pytest.mark.parametrize("name", ["model.onnx_data", "weights.bin", "w"])
def test_tensors_in_another_file_count_whatever_its_name(
    name: str, exported: Path
) -> None:
    beside = keep_apart(exported, name)
    source = open_source(str(exported), ModelOptions())
    first = source.fingerprint()
    data = bytearray(beside.read_bytes())
    data[5] ^= 1
    beside.write_bytes(bytes(data))

    assert source.describe()["weights"] == ["model.onnx", name]
    assert source.fingerprint() != first
    beside.unlink()
    with pytest.raises(ModelError, match="which is not there"):
        open_source(str(exported), ModelOptions())


@pytest.mark.parametrize("name", ["../weights", "/data/weights", "a/../../weights"])
def test_tensors_outside_the_folder_are_refused(name: str, exported: Path) -> None:
    keep_apart(exported, "x" * len(name))
    path = exported / "model.onnx"
    path.write_bytes(path.read_bytes().replace(b"x" * len(name), name.encode()))

    with pytest.raises(ModelError, match="outside its folder"):
        open_source(str(exported), ModelOptions())


def test_a_file_that_is_no_graph_is_refused(exported: Path) -> None:
    for content in (b"", b"other", b"\x3a\xff\xff\x01x"):
        (exported / "model.onnx").write_bytes(content)
        with pytest.raises(ModelError, match="cannot be read as an ONNX graph"):
            open_source(str(exported), ModelOptions())


def test_what_cannot_be_opened_is_refused(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no such file.*Expected model\.onnx"):
        open_source(str(tmp_path / "nothing"), ModelOptions())
    with pytest.raises(ModelError, match="bfloat16"):
        open_source(str(exported), ModelOptions(dtype="bfloat16"))


def test_directories_and_files_are_recognised(exported: Path) -> None:
    assert recognises(exported)
    assert recognises(exported / "model.onnx")
    assert not recognises(exported / "config.json")
    assert not huggingface.recognises(exported)
