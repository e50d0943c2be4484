"""The conformance kit over every built-in way to open a model."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.examples import Examples
from compat_eval.core.protocols import Embeds, ModelSource
from compat_eval.testing import (
    check_changed_content,
    check_encoder,
    check_model,
    check_refuses,
    check_source,
)
from compat_eval.vectors.files import write_vectors
from compat_eval.vectors.index import GivesVectors
from compat_eval.vectors.vectors import Vectors
from tests.unit.adapters import treebank

pytestmark = pytest.mark.torch

TEXTS = ["play some music", "book a table for two please", "weather", "play a", ""]
GOLD = ["play", "book", "weather", "play", "book"]
VOCABULARY = "[PAD] [UNK] [CLS] [SEP] [MASK] play some music book a table weather"
CODE = "def make():\n    return lambda texts: [text[:4] for text in texts]  # {}\n"


class Silence:
    def start(self, label: str, *, total: int, done: int = 0) -> None: ...
    def advance(self, count: int) -> None: ...
    def note(self, message: str) -> None: ...
    def stop(self) -> None: ...


def tokenizer_and_labels(directory: Path) -> dict[str, Any]:
    from transformers import BertTokenizer

    vocab = {word: number for number, word in enumerate(VOCABULARY.split())}
    BertTokenizer(vocab=vocab, model_max_length=16).save_pretrained(directory)
    names = sorted(set(GOLD))
    return {
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
        "max_position_embeddings": 16,
        "vocab_size": len(vocab),
    }


def hf(directory: Path, seed: int) -> str:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        **tokenizer_and_labels(directory),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=37,
        initializer_range=0.5,
    )
    torch.manual_seed(seed)
    BertForSequenceClassification(config).save_pretrained(directory)
    return str(directory)


def onnx(directory: Path, seed: int) -> str:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save

    config = {**tokenizer_and_labels(directory), "model_type": "bert"}
    (directory / "config.json").write_text(json.dumps(config))
    words = np.random.default_rng(seed).normal(size=(12, 3)).astype(np.float32)
    words[0] = 0.0  # padding
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["words", "input_ids"], ["rows"], axis=0),
            helper.make_node("ReduceSum", ["rows", "axis"], ["logits"], keepdims=0),
        ],
        "words",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "t"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])],
        [
            numpy_helper.from_array(words, "words"),
            numpy_helper.from_array(np.array([1]), "axis"),
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    save(model, directory / "model.onnx")
    return str(directory)


def sklearn(directory: Path, seed: int) -> str:
    import skops.io
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=1.0 + seed))
    path = directory / "model.skops"
    skops.io.dump(model.fit(TEXTS, GOLD), path)
    return str(path)


def python(directory: Path, seed: int) -> str:
    # A module's name is part of where it is, so the place is the same for both.
    code = directory.parent / "conforming_model.py"
    code.write_text(CODE.format(seed))
    sys.modules.pop("conforming_model", None)
    return "conforming_model:make"


def compat(directory: Path, seed: int) -> str:
    from compat_eval.models.training.train import train_model

    ids = [str(number) for number in range(len(TEXTS))]
    train_model(
        "embedding-bag",
        Examples(pa.table({"id": ids, "input": TEXTS, "gold": GOLD})),
        None,
        seed=seed,
        out=directory,
        config={"n_buckets": 200, "width": 8, "epochs": 2},
        progress=Silence(),
    )
    return str(directory)


def spacy(directory: Path, seed: int) -> str:
    from tests.unit.adapters.tiny_spacy import save_pipeline

    return str(save_pipeline(directory, seed=seed, steps=3))


def stanza(directory: Path, seed: int) -> str:
    from tests.unit.adapters.tiny_stanza import save_parser

    return str(save_parser(directory, seed=seed, steps=3))


def st(directory: Path, seed: int) -> str:
    import torch
    from transformers import BertConfig, BertModel

    told = tokenizer_and_labels(directory)
    config = BertConfig(
        vocab_size=told["vocab_size"],
        max_position_embeddings=16,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        initializer_range=0.5,
    )
    torch.manual_seed(seed)
    BertModel(config).save_pretrained(directory)
    kinds = {"": "Transformer", "1_Pooling": "Pooling"}
    modules = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.{k}"}
        for at, (path, k) in enumerate(kinds.items())
    ]
    (directory / "modules.json").write_text(json.dumps(modules))
    (directory / "1_Pooling").mkdir(exist_ok=True)
    pooling = json.dumps({"pooling_mode": "mean"})
    (directory / "1_Pooling" / "config.json").write_text(pooling)
    return str(directory)


def vectors_of(seed: int) -> tuple[list[str], Any]:
    import numpy as np

    rows = np.random.default_rng(seed).normal(size=(5, 4)).astype(np.float32)
    return [str(number) for number in range(5)], rows


def vectors(directory: Path, seed: int) -> str:
    ids, rows = vectors_of(seed)
    made = Vectors.of(ids, rows, model="m1", normalised=False)
    write_vectors(directory / "v.npy", made)
    return str(directory / "v.npy")


def faiss(directory: Path, seed: int) -> str:
    package = pytest.importorskip("faiss", reason="faiss-cpu is not installed")
    index = package.IndexFlatIP(4)
    index.add(vectors_of(seed)[1])
    package.write_index(index, str(directory / "v.faiss"))
    return f"{directory}/v.faiss#model=m1"


def sqlite_vec(directory: Path, seed: int) -> str:
    apsw = pytest.importorskip("apsw", reason="apsw is not installed")
    pytest.importorskip("sqlite_vec", reason="sqlite-vec is not installed")
    ids, rows = vectors_of(seed)
    connection = apsw.Connection(str(directory / "v.db"))
    connection.execute("CREATE TABLE docs (id TEXT, embedding BLOB)")
    blobs = [row.tobytes() for row in rows]
    pairs = list(zip(ids, blobs, strict=True))
    connection.executemany("INSERT INTO docs VALUES (?, ?)", pairs)
    connection.close()
    return f"{directory}/v.db#model=m1"


ELSEWHERE = {"pgvector": "tests/unit/adapters/stores/test_pgvector.py has its server"}
EMBED = ("st",)
GIVE_VECTORS = ("faiss", "sqlite-vec", "vectors")

MAKERS: dict[str, Callable[[Path, int], str]] = {
    "compat": compat,
    "faiss": faiss,
    "hf": hf,
    "onnx": onnx,
    "python": python,
    "sklearn": sklearn,
    "spacy": spacy,
    "sqlite-vec": sqlite_vec,
    "st": st,
    "stanza": stanza,
    "vectors": vectors,
}
INPUTS: dict[str, list[Any]] = {
    "spacy": treebank.inputs(),
    "stanza": treebank.inputs(),
}


@pytest.fixture(params=sorted(MAKERS))
def scheme(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    for package in ("torch", "transformers", "skops.io", "onnxruntime", "onnx"):
        pytest.importorskip(package)
    if request.param in INPUTS:
        pytest.importorskip(request.param)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return str(request.param)


def made(scheme: str, directory: Path, seed: int = 0) -> ModelSource:
    directory.mkdir(exist_ok=True)
    location = MAKERS[scheme](directory, seed)
    source: ModelSource = ADAPTERS.load(scheme)(location, ModelOptions())
    return source


def test_every_built_in_scheme_is_checked_here() -> None:
    assert sorted([*MAKERS, *ELSEWHERE]) == sorted(ADAPTERS.builtin)


def test_its_source_keeps_the_contract(scheme: str, tmp_path: Path) -> None:
    check_source(made(scheme, tmp_path / "model"))


def test_its_model_keeps_the_contract(scheme: str, tmp_path: Path) -> None:
    source = made(scheme, tmp_path / "model")
    if scheme in GIVE_VECTORS:
        assert isinstance(source, GivesVectors)
        found = source.given("document", pa.array(["3", "0"]))
        assert found.ids.to_pylist() == ["3", "0"]
    elif scheme in EMBED:
        model = source.load()
        assert isinstance(model, Embeds)
        check_encoder(model, TEXTS)
    else:
        check_model(source.load(), INPUTS.get(scheme, TEXTS))


def test_its_fingerprint_sees_new_content_in_the_same_place(
    scheme: str, tmp_path: Path
) -> None:
    before = made(scheme, tmp_path / "model", seed=0).fingerprint()
    shutil.rmtree(tmp_path / "model")

    after = made(scheme, tmp_path / "model", seed=1).fingerprint()

    check_changed_content(before, after)


def test_it_names_what_is_not_there(scheme: str) -> None:
    open_source = ADAPTERS.load(scheme)

    check_refuses(
        lambda: open_source("./not_there:make", ModelOptions()), naming="not_there"
    )
