import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from compat_eval.adapters.huggingface.source import open_source, recognises
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import Encodes, GivesLogits, ModelSource, Predicts

pytestmark = pytest.mark.torch

TEXTS = [
    "book a table for two",
    "play music",
    "what is the weather",
    "please play some rock music for two please please",
    "unheard words",
    "",
]


@pytest.fixture
def copied(bert: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bert, tmp_path / "model"))


def test_it_is_a_source_of_a_model_with_its_capabilities(bert: Path) -> None:
    source: ModelSource = open_source(str(bert), ModelOptions())
    model = source.load()

    assert isinstance(model, Predicts)
    assert isinstance(model, Encodes)
    assert isinstance(model, GivesLogits)
    assert model.labels == ("book", "play", "weather")


def test_items_are_as_long_as_their_tokens(bert: Path) -> None:
    model = open_source(str(bert), ModelOptions()).load()

    items = model.encode(["book a table", ""])

    assert [len(item) for item in items] == [5, 2]  # with [CLS] and [SEP]


def test_answers_equal_those_of_transformers_itself(bert: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(bert)
    network = AutoModelForSequenceClassification.from_pretrained(bert).eval()
    expected = []
    for text in TEXTS:
        with torch.no_grad():
            encoded = tokenizer(text, return_tensors="pt")
            expected.append(network(**encoded).logits[0].softmax(-1).numpy())
    model = open_source(str(bert), ModelOptions()).load()

    table = model.predict(model.encode(TEXTS))

    top = np.sort(np.array(expected), axis=1)
    names = [network.config.id2label[int(p.argmax())] for p in expected]
    assert table["prediction"].to_pylist() == names
    assert len(set(names)) > 1
    assert table["score"].to_numpy() == pytest.approx(top[:, -1], abs=1e-6)
    assert table["margin"].to_numpy() == pytest.approx(
        top[:, -1] - top[:, -2], abs=1e-6
    )
    assert table["error"].null_count == len(TEXTS)


def test_an_answer_does_not_depend_on_its_neighbours(bert: Path) -> None:
    model = open_source(str(bert), ModelOptions()).load()
    items = model.encode(TEXTS)

    together = model.logits(items)
    alone = np.concatenate([model.logits([item]) for item in items])

    assert np.abs(together - alone).max() <= 1e-5


def test_a_long_text_is_cut_and_said_to_be(bert: Path) -> None:
    model = open_source(str(bert), ModelOptions()).load()
    fits = " ".join(["play"] * 14)

    items = model.encode([fits, fits + " music"])

    assert [len(item) for item in items] == [16, 16]
    assert model.predict(items)["truncated"].to_pylist() == [False, True]


def test_pairs_of_texts_are_told_apart_by_segments(bert: Path) -> None:
    model = open_source(str(bert), ModelOptions()).load()

    items = model.encode([["play music", "book a table"], "play music book a table"])

    assert list(items[0].segments or ()) == [0] * 4 + [1] * 4
    assert model.predict(items)["error"].null_count == 2


def test_an_input_that_is_no_text_is_an_error_of_its_own(bert: Path) -> None:
    model = open_source(str(bert), ModelOptions()).load()

    table = model.predict(model.encode(["play music", None, 7]))

    assert table["prediction"].is_null().to_pylist() == [False, True, True]
    assert table["error"].to_pylist() == [
        None,
        "the input must be a text or a pair of texts; got null",
        "the input must be a text or a pair of texts; got int",
    ]


def test_a_lone_surrogate_is_no_crash(bert: Path) -> None:
    model = open_source(str(bert), ModelOptions()).load()

    assert model.predict(model.encode(["play \ud800"]))["error"].null_count == 1


def test_no_items_give_an_empty_table(bert: Path) -> None:
    model = open_source(str(bert), ModelOptions()).load()

    table = model.predict(model.encode([]))

    assert table.num_rows == 0
    assert table.column_names[:3] == ["prediction", "score", "margin"]


def test_scores_that_are_not_finite_are_errors_of_their_examples(copied: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = copied / "model.safetensors"
    tensors = load_file(weights)
    tokens = json.loads((copied / "tokenizer.json").read_text())["model"]["vocab"]
    tensors["bert.embeddings.word_embeddings.weight"][tokens["rock"]] = float("nan")
    save_file(tensors, weights, metadata={"format": "pt"})
    model = open_source(str(copied), ModelOptions()).load()

    table = model.predict(model.encode(["play music", "rock music"]))

    assert table["prediction"].is_null().to_pylist() == [False, True]
    assert "not finite" in table["error"][1].as_py()


def test_the_order_of_label_ids_does_not_matter(bert: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    permuted = Path(shutil.copytree(bert, tmp_path / "permuted"))
    order = [2, 0, 1]
    tensors = load_file(bert / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        tensors[name] = tensors[name][order].contiguous()
    save_file(tensors, permuted / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((bert / "config.json").read_text())
    names = [config["id2label"][str(old)] for old in order]
    config["id2label"] = {str(i): name for i, name in enumerate(names)}
    config["label2id"] = {name: i for i, name in enumerate(names)}
    (permuted / "config.json").write_text(json.dumps(config))
    models = [open_source(str(d), ModelOptions()).load() for d in (bert, permuted)]

    old, new = (model.predict(model.encode(TEXTS)) for model in models)

    assert models[1].labels == ("weather", "book", "play")
    assert old["prediction"] == new["prediction"]
    assert old["score"].to_numpy() == pytest.approx(new["score"].to_numpy(), abs=1e-6)


def test_a_label_map_renames(bert: Path) -> None:
    options = ModelOptions(label_map={"play": "PlayMusic"})
    model = open_source(str(bert), options).load()

    assert model.labels == ("book", "PlayMusic", "weather")


def test_bfloat16_is_done_when_asked_and_recorded(bert: Path) -> None:
    exact = open_source(str(bert), ModelOptions())
    narrow = open_source(str(bert), ModelOptions(dtype="bfloat16"))

    assert narrow.describe()["dtype"] == "bfloat16"
    assert narrow.fingerprint() != exact.fingerprint()
    model = narrow.load()
    assert str(model.network.dtype) == "torch.bfloat16"
    assert model.predict(model.encode(TEXTS))["error"].null_count == len(TEXTS)


def test_provenance_is_json_and_names_flags(bert: Path) -> None:
    fields = open_source(str(bert), ModelOptions(trust_remote_code=True)).describe()

    assert json.loads(json.dumps(fields)) == fields
    assert fields["trust_remote_code"] is True
    assert fields["labels"] == ["book", "play", "weather"]
    assert fields["weights"] == ["model.safetensors"]
    assert fields["n_parameters"] > 1000


def test_the_fingerprint_is_of_content_not_of_place(bert: Path, copied: Path) -> None:
    options = ModelOptions()

    assert open_source(str(bert), options).fingerprint() == (
        open_source(str(copied), options).fingerprint()
    )


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_the_fingerprint_changes_with_every_file_that_counts(
    copied: Path, name: str
) -> None:
    before = open_source(str(copied), ModelOptions()).fingerprint()
    path = copied / name
    path.write_text(path.read_text() + "\n")

    assert open_source(str(copied), ModelOptions()).fingerprint() != before


def test_the_fingerprint_changes_with_overwritten_weights(
    copied: Path, bert_factory: Callable[..., Path]
) -> None:
    before = open_source(str(copied), ModelOptions()).fingerprint()
    retrained = bert_factory(seed=2)
    shutil.copy(retrained / "model.safetensors", copied / "model.safetensors")

    assert open_source(str(copied), ModelOptions()).fingerprint() != before


def test_code_of_another_repository_counts_once_it_is_loaded(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = copied / "config.json"
    told = {"auto_map": {"AutoModel": "someone/else--modeling.Model"}}
    config.write_text(json.dumps({**json.loads(config.read_text()), **told}))
    trusting = open_source(str(copied), ModelOptions(trust_remote_code=True))
    plain = open_source(str(copied), ModelOptions())
    before = [source.fingerprint() for source in (trusting, plain)]
    (tmp_path / "transformers_modules").mkdir()
    (tmp_path / "transformers_modules" / "modeling.py").write_text("x = 1")
    loaded = ModuleType("transformers_modules")
    loaded.__path__ = [str(tmp_path / "transformers_modules")]
    monkeypatch.setitem(sys.modules, "transformers_modules", loaded)

    after = [source.fingerprint() for source in (trusting, plain)]

    assert [one == other for one, other in zip(before, after, strict=True)] == [
        False,
        True,
    ]


def test_a_directory_without_config_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")

    with pytest.raises(ModelError, match=r"no config\.json.*found notes\.txt"):
        open_source(str(tmp_path), ModelOptions())


def test_a_config_that_is_no_json_is_named(copied: Path) -> None:
    (copied / "config.json").write_text("{")

    with pytest.raises(ModelError, match=r"config\.json: cannot be read as JSON"):
        open_source(str(copied), ModelOptions())


@pytest.mark.parametrize("keep", [0, 4, 100, 5000, -1])
def test_weights_cut_short_are_named(copied: Path, keep: int) -> None:
    path = copied / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(
        ModelError, match=r"model\.safetensors: not a whole safetensors"
    ):
        open_source(str(copied), ModelOptions())


def test_weights_of_other_bytes_are_named(copied: Path) -> None:
    path = copied / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[8:20] = b"\xff" * 12
    path.write_bytes(data)

    with pytest.raises(ModelError, match=r"header cannot be read"):
        open_source(str(copied), ModelOptions())


def test_sizes_that_do_not_fit_the_weights_are_told_in_one_line(copied: Path) -> None:
    path = copied / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "intermediate_size": 40}))

    with pytest.raises(ModelError) as told:
        open_source(str(copied), ModelOptions()).load()

    assert str(told.value) == (
        f"hf:{copied}: its weights do not fit its config.json: "
        "bert.encoder.layer.0.intermediate.dense.bias has the shape (37) among the "
        "weights and (40) by config.json, and 5 more do not fit. Restore the file that "
        "was changed, or delete the directory and train the model again."
    )


@pytest.mark.parametrize(
    "name", ["adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"]
)
def test_an_adapter_beside_the_weights_is_refused(name: str, copied: Path) -> None:
    (copied / name).write_text("{}")

    with pytest.raises(ModelError, match=f"an adapter .{name}.*merge_and_unload"):
        open_source(str(copied), ModelOptions())


def test_a_directory_without_weights_says_so(copied: Path) -> None:
    (copied / "model.safetensors").unlink()

    with pytest.raises(ModelError, match="no weights"):
        open_source(str(copied), ModelOptions())


def test_pickled_weights_are_refused_unless_allowed(copied: Path) -> None:
    import torch
    from safetensors.torch import load_file

    tensors = load_file(copied / "model.safetensors")
    (copied / "model.safetensors").unlink()
    torch.save(tensors, copied / "pytorch_model.bin")

    with pytest.raises(ModelError, match=r"pytorch_model\.bin.*--allow-pickle"):
        open_source(str(copied), ModelOptions())
    source = open_source(str(copied), ModelOptions(allow_pickle=True))
    assert source.describe()["allow_pickle"] is True
    model = source.load()
    assert model.predict(model.encode(["play"]))["error"].null_count == 1


def test_pickled_code_does_not_run_even_when_allowed(copied: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (copied / "owned",))

    (copied / "model.safetensors").unlink()
    (copied / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))

    with pytest.raises(ModelError, match="cannot be read"):
        open_source(str(copied), ModelOptions(allow_pickle=True)).load()
    assert not (copied / "owned").exists()


def test_a_shard_that_is_not_there_is_named(copied: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (copied / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(ModelError, match=r"names model-00001-of-00002.safetensors"):
        open_source(str(copied), ModelOptions())


@pytest.mark.parametrize("problem", ["multi_label_classification", "regression"])
def test_other_problem_types_are_refused(
    copied: Path, edit_config: Callable[..., None], problem: str
) -> None:
    edit_config(copied, problem_type=problem)

    with pytest.raises(ModelError, match=problem):
        open_source(str(copied), ModelOptions())


def test_a_model_with_one_number_is_refused(
    copied: Path, edit_config: Callable[..., None]
) -> None:
    edit_config(copied, id2label={"0": "quality"}, label2id=None)

    with pytest.raises(ModelError, match="1 label"):
        open_source(str(copied), ModelOptions())


def test_an_encoder_without_a_head_is_refused(
    copied: Path, edit_config: Callable[..., None]
) -> None:
    edit_config(copied, architectures=["BertModel"])

    with pytest.raises(ModelError, match="has no classification head"):
        open_source(str(copied), ModelOptions())


def test_weights_that_lack_the_head_are_refused(copied: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(copied / "model.safetensors")
    kept = {k: v for k, v in tensors.items() if not k.startswith("classifier")}
    save_file(kept, copied / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(ModelError, match=r"lack classifier\.bias, classifier\.weight"):
        open_source(str(copied), ModelOptions()).load()


def test_generic_names_ask_for_a_map(
    copied: Path, edit_config: Callable[..., None]
) -> None:
    edit_config(
        copied, id2label={str(i): f"LABEL_{i}" for i in range(3)}, label2id=None
    )

    with pytest.raises(ModelError, match=r"LABEL_0, LABEL_1, LABEL_2.*--label-map"):
        open_source(str(copied), ModelOptions())
    named = {f"LABEL_{i}": name for i, name in enumerate(("a", "b", "c"))}
    model = open_source(str(copied), ModelOptions(label_map=named)).load()
    assert model.labels == ("a", "b", "c")


def test_a_config_without_names_has_generic_ones(
    copied: Path, edit_config: Callable[..., None]
) -> None:
    edit_config(copied, id2label=None, label2id=None)

    with pytest.raises(ModelError, match="LABEL_0, LABEL_1"):
        open_source(str(copied), ModelOptions())


def test_more_names_than_the_head_has_rows_is_refused(
    copied: Path, edit_config: Callable[..., None]
) -> None:
    names = {str(i): name for i, name in enumerate("abcd")}
    edit_config(copied, id2label=names, label2id=None)

    with pytest.raises(
        ModelError, match=r"classifier\.bias has the shape \(3\).*\(4\)"
    ):
        open_source(str(copied), ModelOptions()).load()


def test_ids_with_a_gap_are_refused(
    copied: Path, edit_config: Callable[..., None]
) -> None:
    edit_config(copied, id2label={"0": "a", "1": "b", "3": "c"}, label2id=None)

    with pytest.raises(ModelError, match="0 to 2; got 0, 1, 3"):
        open_source(str(copied), ModelOptions())


def test_two_orders_of_labels_in_one_config_are_refused(
    copied: Path, edit_config: Callable[..., None]
) -> None:
    edit_config(copied, label2id={"book": 1, "play": 0, "weather": 2})

    with pytest.raises(ModelError, match=r"disagree about book, play"):
        open_source(str(copied), ModelOptions())


def test_a_missing_tokenizer_is_named(copied: Path) -> None:
    for path in copied.glob("*token*"):
        path.unlink()

    with pytest.raises(ModelError, match=r"no tokenizer.*found config\.json"):
        open_source(str(copied), ModelOptions())


def test_a_damaged_tokenizer_is_named(copied: Path) -> None:
    (copied / "tokenizer.json").write_text("{}")

    with pytest.raises(ModelError, match=r"tokenizer in .* cannot be read"):
        open_source(str(copied), ModelOptions()).load()


def test_code_from_the_model_is_not_run_unless_asked(
    copied: Path, edit_config: Callable[..., None]
) -> None:
    edit_config(
        copied,
        model_type="own-kind",
        auto_map={
            "AutoConfig": "own.OwnConfig",
            "AutoModelForSequenceClassification": "own.Own",
        },
    )
    (copied / "own.py").write_text(f"open({str(copied / 'owned')!r}, 'w')")

    with pytest.raises(ModelError, match="--trust-remote-code"):
        open_source(str(copied), ModelOptions()).load()
    assert not (copied / "owned").exists()


def test_a_name_that_nobody_has_offline() -> None:
    with pytest.raises(ModelError, match=r"local hub cache, and offline mode forbids"):
        open_source("nobody/nothing", ModelOptions(offline=True, revision="v1"))


def test_a_name_that_the_hub_cannot_have() -> None:
    with pytest.raises(ModelError, match="neither a directory nor a name"):
        open_source("no such name", ModelOptions(offline=True))


def test_a_hub_that_refuses_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")

    def refuse(*_: object, **asked: object) -> str:
        raise OSError(f"401: {asked['revision']} is gated\nmore")

    monkeypatch.setattr(hub, "snapshot_download", refuse)

    with pytest.raises(ModelError, match=r"at revision 'v2': 401: v2 is gated$"):
        open_source("somebody/model", ModelOptions(revision="v2"))


def test_a_copy_from_the_hub_is_opened(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked: dict[str, object] = {}

    def give(name: str, **options: object) -> str:
        asked.update(options, name=name)
        return str(bert)

    monkeypatch.setattr(hub, "snapshot_download", give)

    options = ModelOptions(revision="abc", offline=True)
    source = open_source("somebody/model", options)

    assert source.labels == ("book", "play", "weather")
    assert source.describe()["revision"] == "abc"
    assert asked["local_files_only"] is True
    assert asked["revision"] == "abc"
    wanted = asked["allow_patterns"]
    assert isinstance(wanted, list)
    assert not {"*.py", "pytorch_model*.bin"} & set(wanted)


def test_a_path_that_is_not_there_is_not_looked_up_on_the_hub() -> None:
    with pytest.raises(ModelError, match="no such directory"):
        open_source("./models/typo", ModelOptions())


def test_a_file_is_no_model_directory(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("")

    with pytest.raises(ModelError, match="it is a file"):
        open_source(str(tmp_path / "weights"), ModelOptions())


def test_a_device_that_is_not_there_is_an_error(bert: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        open_source(str(bert), ModelOptions(device="cuda:99")).load()


def test_only_saved_models_are_recognised(bert: Path, tmp_path: Path) -> None:
    assert recognises(bert)
    assert not recognises(tmp_path)


@pytest.mark.parametrize(
    ("named", "of_tokenizer", "side"),
    [
        (0, "[PAD]", "right"),
        (0, "[SEP]", "right"),  # another token than the configuration names
        (3, "[PAD]", "right"),
        (None, "[PAD]", "right"),
        (None, None, "right"),
        (0, None, "right"),
        (0, "[PAD]", "left"),
    ],
)
def test_a_decoder_answers_from_the_last_token_of_each_text(
    named: int | None,
    of_tokenizer: str | None,
    side: str,
    gpt_factory: Callable[..., Path],
) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    directory = gpt_factory(named, of_tokenizer, side)
    texts = ["play music", "book a table for two", "what is the weather", "play"]
    network = AutoModelForSequenceClassification.from_pretrained(directory).eval()
    tokenizer = AutoTokenizer.from_pretrained(directory)
    with torch.inference_mode():
        alone = [
            network(**tokenizer(text, return_tensors="pt")).logits[0] for text in texts
        ]
    model = open_source(str(directory), ModelOptions()).load()

    together = model.logits(model.encode(texts))

    assert together == pytest.approx(torch.stack(alone).numpy(), abs=1e-4)
