"""Parsers of spaCy: small ones, trained by spaCy here."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.adapters import ModelOptions
from compat_eval.adapters.spacy.source import open_source, recognises
from compat_eval.core.errors import ModelError
from tests.unit.adapters import treebank
from tests.unit.adapters.tiny_spacy import pipeline

pytest.importorskip("spacy")

OPTIONS = ModelOptions()


@pytest.fixture
def copied(spacy_parser: Path, tmp_path: Path) -> Path:
    """A trained parser of one's own."""
    return shutil.copytree(spacy_parser, tmp_path / "model")


@pytest.fixture
def edit(copied: Path) -> Callable[[str, str], Path]:
    """Replace a text in config.cfg; return the pipeline's directory."""

    def replace(before: str, after: str) -> Path:
        path = copied / "config.cfg"
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))
        return copied

    return replace


def test_it_gives_the_trees_that_spacy_gives(spacy_parser: Path) -> None:
    import spacy
    from spacy.tokens import Doc

    nlp = spacy.load(spacy_parser)
    said = treebank.answers(open_source(str(spacy_parser), OPTIONS), treebank.inputs())
    for given, answer in zip(treebank.inputs(), said, strict=True):
        starts: list[bool | int | None] = [at == 0 for at in range(len(given["words"]))]
        doc = nlp(Doc(nlp.vocab, given["words"], sent_starts=starts))
        [sentence] = doc.sents

        heads = [0 if w == sentence.root else w.head.i + 1 for w in doc]
        assert answer["heads"] == heads
        assert answer["deprels"] == [w.dep_.replace("ROOT", "root") for w in doc]


def test_a_parser_that_is_disabled_is_refused(
    edit: Callable[[str, str], Path],
) -> None:
    changed = edit("disabled = []", 'disabled = ["parser"]')

    with pytest.raises(ModelError, match=r"parser 'parser' is disabled.*config\.cfg"):
        open_source(str(changed), OPTIONS)


def test_a_pipeline_that_was_saved_with_its_parser_disabled_is_refused(
    spacy_parser: Path, tmp_path: Path
) -> None:
    import spacy

    nlp = spacy.load(spacy_parser)
    nlp.disable_pipe("parser")
    nlp.to_disk(tmp_path / "saved")

    with pytest.raises(ModelError, match="parser 'parser' is disabled"):
        open_source(str(tmp_path / "saved"), OPTIONS)


def test_spaces_after_multiword_tokens_reach_the_parser(spacy_parser: Path) -> None:
    value = {
        "words": ["they", "do", "n't", "."],
        "upos": ["PRON", "AUX", "PART", "PUNCT"],
        "mwt_first": [2],
        "mwt_last": [3],
        "mwt_misc": ["SpaceAfter=No"],
    }
    model: Any = open_source(str(spacy_parser), OPTIONS).load()

    [item] = model.encode([value])

    assert model._document(item).text == "they don't. "


def test_a_sentence_is_never_cut_in_two(spacy_parser: Path) -> None:
    words = ["she", "sleeps", ".", "a", "dog", "barks", ".", "cats", "sleep", "!"]
    source = open_source(str(spacy_parser), OPTIONS)
    [tree] = treebank.answers(source, [{"words": words, "upos": ["X"] * len(words)}])

    assert tree["heads"].count(0) == 1
    assert tree["deprels"].count("root") == 1


def test_only_what_the_parser_needs_is_loaded(tmp_path: Path) -> None:
    nlp = pipeline(steps=1, before=("sentencizer", "tok2vec"))
    nlp.add_pipe("entity_ruler")
    nlp.to_disk(tmp_path)
    shutil.rmtree(tmp_path / "entity_ruler")
    (tmp_path / "tokenizer").unlink()
    source = open_source(str(tmp_path), OPTIONS)

    assert source.describe()["components"] == ["tok2vec", "parser"]
    assert source.load().nlp.pipe_names == ["tok2vec", "parser"]


def test_relations_may_be_renamed_and_merged(spacy_parser: Path) -> None:
    named = {"nsubj": "arg", "obj": "arg", "ROOT": "top"}
    source = open_source(str(spacy_parser), ModelOptions(label_map=named))

    found = treebank.answers(source, treebank.inputs()[:1])

    assert set(found[0]["deprels"]) <= {"arg", "top"}
    assert {"arg", "top"} <= set(source.describe()["labels"])
    assert source.load().labels == source.labels


def test_a_map_for_relations_it_does_not_have_is_refused(spacy_parser: Path) -> None:
    with pytest.raises(ModelError, match=r"'dobj'.*does not have; it has ROOT"):
        open_source(str(spacy_parser), ModelOptions(label_map={"dobj": "objekt"}))


def test_relations_are_known_once_loaded_where_meta_does_not_list_them(
    copied: Path,
) -> None:
    meta = json.loads((copied / "meta.json").read_text())
    (copied / "meta.json").write_text(json.dumps({**meta, "labels": {}}))
    source = open_source(str(copied), OPTIONS)

    assert source.describe()["labels"] is None
    assert "nsubj" in source.load().labels


def test_every_file_is_in_the_fingerprint(copied: Path) -> None:
    before = open_source(str(copied), OPTIONS).fingerprint()
    (copied / "vocab" / "strings.json").write_text("[]")

    assert open_source(str(copied), OPTIONS).fingerprint() != before


def test_its_place_is_not_in_the_fingerprint(spacy_parser: Path, copied: Path) -> None:
    one, other = (open_source(str(p), OPTIONS) for p in (spacy_parser, copied))

    assert one.fingerprint() == other.fingerprint()


def test_it_is_recognised_by_what_it_holds(spacy_parser: Path, tmp_path: Path) -> None:
    assert recognises(spacy_parser)
    assert not recognises(tmp_path)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        (
            "before_creation = null",
            'before_creation = {"@callbacks": "x"}',
            "nlp.before",
        ),
        (
            'factory = "parser"',
            'source = "en_core_web_sm"\nfactory = "parser"',
            "en_core",
        ),
        ('"spacy.HashEmbedCNN.v2"', '"their.Embed.v1"', r"their.Embed.v1 \(plugin\)"),
        ('"spacy.HashEmbedCNN.v2"', '"their.${paths.a}"', r"their.Embed.v1 \(plugin\)"),
        (
            "maxout_pieces = 2\n",
            'x = {"@misc": "their.misc"}\n',
            r"their.misc \(plugin\)",
        ),
    ],
)
@pytest.mark.usefixtures("plugin")
def test_code_that_is_not_spacys_is_not_called(
    edit: Callable[[str, str], Path],
    before: str,
    after: str,
    named: str,
) -> None:
    edit("train = null", 'train = null\na = "Embed.v1"')
    directory = edit(before, after)

    with pytest.raises(ModelError, match=rf"(?s){named}.*--trust-remote-code"):
        open_source(str(directory), OPTIONS).load()
    assert "plugin_code" not in sys.modules


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that offers spaCy functions."""
    (tmp_path / "plugin_code.py").write_text("raise AssertionError('it was imported')")
    about = tmp_path / "plugin-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n"
    )
    (about / "entry_points.txt").write_text(
        "[spacy_architectures]\ntheir.Embed.v1 = plugin_code:embed\n"
        "[spacy_misc]\ntheir.misc = plugin_code:misc\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_torch_weights_inside_are_refused(edit: Callable[[str, str], Path]) -> None:
    directory = edit('"spacy.HashEmbedCNN.v2"', '"spacy.TorchBiLSTMEncoder.v1"')

    with pytest.raises(ModelError, match=r"pickle of torch.*--allow-pickle"):
        open_source(str(directory), OPTIONS).load()


@pytest.fixture
def package(spacy_parser: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed pipeline package, in the form of `spacy package`."""
    root = tmp_path / "en_tiny_pipeline"
    shutil.copytree(spacy_parser, root / "en_tiny_pipeline-1.0.0")
    (root / "__init__.py").write_text("RUN = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, root.name, raising=False)
    return root.name


def test_a_package_is_opened_without_running_its_code(
    package: str, spacy_parser: Path
) -> None:
    source = open_source(package, OPTIONS)
    model = source.load()

    assert source.reference == "spacy:en_tiny_pipeline"
    assert model.predict(model.encode(treebank.inputs())).num_rows == 16
    assert source.fingerprint() == open_source(str(spacy_parser), OPTIONS).fingerprint()
    assert package not in sys.modules


def test_a_trusted_packages_code_is_run_and_fingerprinted(
    package: str, tmp_path: Path
) -> None:
    trusting = ModelOptions(trust_remote_code=True)
    source = open_source(package, trusting)
    before = source.fingerprint()
    source.load()
    (tmp_path / package / "__init__.py").write_text("RUN = 2\n")

    assert sys.modules.pop(package).RUN is True
    assert source.fingerprint() != before
    assert source.describe()["trust_remote_code"] is True


def test_what_is_no_pipeline_is_told(tmp_path: Path, copied: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "out" / "model-best").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "meta.json").write_text("{}")
    wrong = {
        "no_such_package": "neither a directory nor an installed package",
        "json": "holds 0 pipelines",
        str(copied / "config.cfg"): "it is a file",
        str(tmp_path / "empty"): "no config.cfg.*found nothing",
        str(tmp_path / "out"): "did you mean spacy:.*model-best",
        str(tmp_path / "two"): "spaCy 2",
    }
    for location, message in wrong.items():
        with pytest.raises(ModelError, match=message):
            open_source(location, OPTIONS)


def test_a_pipeline_without_a_parser_is_told(tmp_path: Path) -> None:
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path)

    with pytest.raises(ModelError, match=r"no parser in the pipeline; it has sentenci"):
        open_source(str(tmp_path), OPTIONS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("meta.json", "{", r"meta.json: damaged"),
        ("meta.json", "[]", r"meta.json: damaged: expected a JSON object"),
        ("meta.json", None, r"meta.json: there is no such file"),
        ("config.cfg", "[nlp", r"config.cfg: damaged"),
        ("config.cfg", '[nlp]\nlang = "en"', r"config.cfg: damaged"),
        ("config.cfg", '[nlp]\npipeline = ["a"]', r"config.cfg: damaged"),
        ("parser/model", "x", r"spaCy 3\S* cannot load"),
        ("parser/model", None, r"spaCy 3\S* cannot load"),
    ],
)
def test_damaged_files_are_told(
    copied: Path, name: str, content: str | None, message: str
) -> None:
    if content is None:
        (copied / name).unlink()
    else:
        (copied / name).write_text(content)

    with pytest.raises(ModelError, match=message):
        open_source(str(copied), OPTIONS).load()


def test_a_language_or_variable_that_is_not_there_is_told(
    edit: Callable[[str, str], Path],
) -> None:
    directory = edit('lang = "en"', 'lang = "${paths.none}"')

    with pytest.raises(ModelError, match=r"cannot load.*paths"):
        open_source(str(directory), OPTIONS).load()


def test_a_pipeline_of_another_spacy_is_warned_of(copied: Path) -> None:
    meta = json.loads((copied / "meta.json").read_text())
    changed = {**meta, "spacy_version": ">=3.0.0,<3.1.0"}
    (copied / "meta.json").write_text(json.dumps(changed))
    source = open_source(str(copied), OPTIONS)

    with pytest.warns(UserWarning, match="W095"):
        source.load()
    assert source.describe()["spacy_version"] == ">=3.0.0,<3.1.0"


@pytest.mark.parametrize("options", [{"device": "cuda"}, {"dtype": "float16"}])
def test_other_devices_and_types_are_refused(
    spacy_parser: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(ModelError, match="on the processor in float32"):
        open_source(str(spacy_parser), ModelOptions(**options))
