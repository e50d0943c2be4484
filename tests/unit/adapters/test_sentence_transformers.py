"""Directories of sentence-transformers: the library's own vectors are the oracle."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.sentence_transformers import open_source, recognises
from compat_eval.core.arrays import Values
from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.core.protocols import Embeds, ModelSource, Part, ReadsByPart
from tests.small_encoder import write_small_encoder

pytestmark = pytest.mark.torch

TEXTS = ["play rock music", "book", "a table for two please play music play", "Rock"]
PROMPTS = {"query": "find : ", "passage": "told : "}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("encoder")
    return write_small_encoder(folder, [*TEXTS, *PROMPTS.values()])


def written(encoder: Path, out: Path, *modules: Any, **prompts: Any) -> Path:
    """Write a directory as the library does; a module is its name and its settings."""
    safetensors = pytest.importorskip("safetensors.numpy")
    shutil.copytree(encoder, out)
    network = "sentence_transformers.models.Transformer"
    listed = [{"idx": 0, "name": "0", "path": "", "type": network}]
    rng = np.random.default_rng(0)
    for at, (kind, config, shapes) in enumerate(modules, 1):
        kinds = f"sentence_transformers.models.{kind}"
        path = f"{at}_{kind}"
        listed.append({"idx": at, "name": str(at), "path": path, "type": kinds})
        folder = out / f"{at}_{kind}"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
        tensors = {k: rng.normal(size=v).astype(np.float32) for k, v in shapes.items()}
        if tensors:
            safetensors.save_file(tensors, folder / "model.safetensors")
    (out / "modules.json").write_text(json.dumps(listed))
    told = json.dumps({"max_seq_length": 8, "do_lower_case": False})
    (out / "sentence_bert_config.json").write_text(told)
    (out / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    return out


def pooling(*modes: str, **more: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    config = {"embedding_dimension": 16, "pooling_mode": list(modes), **more}
    return ("Pooling", config, {})


DENSE = (
    "Dense",
    {
        "in_features": 32,
        "out_features": 5,
        "activation_function": "torch.nn.modules.activation.Tanh",
    },
    {"linear.weight": (5, 32), "linear.bias": (5,)},
)
NORM = ("LayerNorm", {"dimension": 5}, {"norm.weight": (5,), "norm.bias": (5,)})
UNIT: tuple[str, dict[str, Any], dict[str, Any]] = ("Normalize", {}, {})


def vectors(source: ModelSource, texts: list[str] = TEXTS) -> Values:
    model: Any = source.load()
    return np.asarray(model.embed(model.encode(texts)))


@pytest.fixture(scope="module")
def library() -> Callable[[Path], Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("sentence_transformers")
    return lambda path: module.SentenceTransformer(str(path), device="cpu")


@pytest.mark.parametrize(
    "modules",
    [
        [pooling("mean"), UNIT],
        [pooling("cls")],
        [pooling("max", "mean_sqrt_len_tokens"), DENSE, NORM, UNIT],
        [pooling("weightedmean")],
        [pooling("lasttoken", include_prompt=False)],
        [pooling("mean", include_prompt=False), ("Dropout", {"dropout": 0.1}, {})],
        [("Pooling", {"word_embedding_dimension": 16}, {})],
    ],
)
def test_vectors_are_those_of_the_library(
    modules: list[Any], encoder: Path, tmp_path: Path, library: Callable[[Path], Any]
) -> None:
    path = written(encoder, tmp_path / "m", *modules, prompts=PROMPTS)
    source, oracle = open_source(str(path), ModelOptions()), library(path)

    np.testing.assert_allclose(vectors(source), oracle.encode(TEXTS), atol=2e-6)
    np.testing.assert_allclose(
        vectors(source.reading("query")), oracle.encode_query(TEXTS), atol=2e-6
    )
    told = oracle.encode(TEXTS, prompt_name="passage")
    np.testing.assert_allclose(vectors(source.reading("document")), told, atol=2e-6)


def test_what_the_library_saves_is_read(
    encoder: Path, tmp_path: Path, library: Callable[[Path], Any]
) -> None:
    first = library(written(encoder, tmp_path / "m", pooling("mean"), UNIT))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first.save(str(tmp_path / "saved"))

    found = vectors(open_source(str(tmp_path / "saved"), ModelOptions()))

    np.testing.assert_allclose(found, first.encode(TEXTS), atol=2e-6)


def test_prompts_and_layers_belong_to_the_identity(
    encoder: Path, tmp_path: Path
) -> None:
    one = open_source(
        str(written(encoder, tmp_path / "a", pooling("mean"), prompts=PROMPTS)),
        ModelOptions(),
    )
    other = open_source(
        str(written(encoder, tmp_path / "b", pooling("cls"), prompts=PROMPTS)),
        ModelOptions(),
    )
    plain = open_source(
        str(written(encoder, tmp_path / "c", pooling("mean"))), ModelOptions()
    )
    prints = {
        one.fingerprint(),
        other.fingerprint(),
        one.reading("query").fingerprint(),
    }

    assert isinstance(one, ReadsByPart)
    assert len(prints) == 3
    assert plain.fingerprint() == one.fingerprint()  # neither puts anything before
    parts: tuple[Part, ...] = ("query", "document")
    assert len({plain.reading(part).fingerprint() for part in parts}) == 1
    assert one.reading("query").describe()["prompt"] == "find : "


def test_one_network_serves_queries_and_documents(
    encoder: Path, tmp_path: Path
) -> None:
    path = written(encoder, tmp_path / "m", pooling("mean"), prompts=PROMPTS)
    source = open_source(str(path), ModelOptions())

    query, document = source.reading("query").load(), source.reading("document").load()

    assert isinstance(query, Embeds)
    assert query.texts is document.texts
    with pytest.raises(CapabilityError, match="no answers"):
        query.predict(query.encode(["play"]))


def test_code_of_a_directory_is_not_run(encoder: Path, tmp_path: Path) -> None:
    path = written(encoder, tmp_path / "m", pooling("mean"))
    rows = json.loads((path / "modules.json").read_text())
    rows[1]["type"] = "custom_pooling.Pooling"
    (path / "modules.json").write_text(json.dumps(rows))
    (path / "custom_pooling.py").write_text("raise SystemExit('was run')")

    with pytest.raises(ModelError, match="is not run"):
        open_source(str(path), ModelOptions(trust_remote_code=True))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("modules.json", "[", r"modules\.json: must list"),
        ("modules.json", "{}", r"made of nothing"),
        ("sentence_bert_config.json", '{"query_prefix": "a"}', "not computed here"),
        ("sentence_bert_config.json", '{"transformer_task": "fill-mask"}', "fill-mask"),
        ("1_Pooling/config.json", '{"pooling_mode": "middle"}', "unknown pooling"),
        ("1_Pooling/config.json", "[1]", "must hold a JSON object"),
        ("2_Dense/config.json", '{"activation_function": "os.system"}', "os.system"),
        ("2_Dense/config.json", '{"module_input_name": "tokens"}', "tokens"),
        (
            "config_sentence_transformers.json",
            '{"default_prompt_name": "q"}',
            "none of its prompts",
        ),
    ],
)
def test_what_is_damaged_or_not_known_is_told(
    name: str, text: str, message: str, encoder: Path, tmp_path: Path
) -> None:
    path = written(encoder, tmp_path / "m", pooling("mean", "cls"), DENSE)
    (path / name).write_text(text)

    with pytest.raises(ModelError, match=message):
        open_source(str(path), ModelOptions())


def test_missing_layers_and_modules_are_told(encoder: Path, tmp_path: Path) -> None:
    path = written(encoder, tmp_path / "m", pooling("mean", "cls"), DENSE)
    assert recognises(path)
    (path / "2_Dense" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        open_source(str(path), ModelOptions())

    (path / "modules.json").unlink()
    with pytest.raises(ModelError, match=r"hf:DIR#mean"):
        open_source(str(path), ModelOptions())
