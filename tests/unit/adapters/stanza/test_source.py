"""Parsers of Stanza: small ones, trained by Stanza here."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_eval.adapters import ModelOptions
from compat_eval.adapters.stanza.source import open_source, recognises
from compat_eval.core.errors import ModelError
from tests.unit.adapters import treebank

pytest.importorskip("stanza")

pytestmark = pytest.mark.torch

OPTIONS = ModelOptions()
GONE = [{"model": "pretrain", "package": "gone"}]


@pytest.fixture
def copied(stanza_parser: Path, tmp_path: Path) -> Path:
    """A trained parser's directory of one's own."""
    return shutil.copytree(stanza_parser, tmp_path / "model")


@pytest.fixture
def resources(stanza_parser: Path, tmp_path: Path) -> Path:
    """The parser as Stanza's downloads lie, between others of other vectors."""
    language = tmp_path / "stanza_resources" / "en"
    for kind in ("depparse", "pretrain"):
        (language / kind).mkdir(parents=True)
    for name in ("tiny", "other"):
        shutil.copy(
            stanza_parser / "tiny_parser.pt", language / "depparse" / f"{name}.pt"
        )
    shutil.copy(stanza_parser / "tiny.pretrain.pt", language / "pretrain" / "made.pt")
    (language / "pretrain" / "others.pt").write_bytes(b"")
    made = [{"model": "pretrain", "package": "made"}]
    known = {"en": {"depparse": {"tiny": {"dependencies": made}}}}
    (language.parent / "resources.json").write_text(json.dumps(known))
    return language


@pytest.fixture
def rewrite(copied: Path) -> Callable[..., Path]:
    """Change a parser's configuration; return its directory."""
    import torch

    def change(**config: Any) -> Path:
        path = copied / "tiny_parser.pt"
        content = torch.load(path, weights_only=True)
        content["config"] |= config
        torch.save(content, path)
        return copied

    return change


def test_it_gives_the_trees_that_stanza_gives(
    stanza_parser: Path, tmp_path: Path
) -> None:
    from stanza.models.common.pretrain import Pretrain
    from stanza.models.depparse.data import DataLoader
    from stanza.models.depparse.trainer import Trainer
    from stanza.utils.conll import CoNLL

    vectors = Pretrain(str(stanza_parser / "tiny.pretrain.pt"))
    trainer = Trainer.load(str(stanza_parser / "tiny_parser.pt"), vectors, device="cpu")
    document = CoNLL.conll2doc(str(treebank.write_conllu(tmp_path / "gold.conllu")))
    batches = DataLoader(
        document, 1, trainer.args, vectors, vocab=trainer.vocab, evaluation=True,
        sort_during_eval=False,
    )  # fmt: skip
    expected = [trainer.predict(batch)[0] for batch in batches]

    source = open_source(str(stanza_parser), OPTIONS)
    found = treebank.answers(source, treebank.inputs())

    assert [list(zip(*t.values(), strict=True)) for t in found] == [
        [tuple(word) for word in sentence] for sentence in expected
    ]


def test_the_suites_tags_are_used(stanza_parser: Path) -> None:
    [given] = treebank.inputs()[3:4]
    nouns = ["NOUN"] * len(given["words"])

    source = open_source(str(stanza_parser), OPTIONS)
    as_said = treebank.answers(source, [given])
    as_nouns = treebank.answers(source, [{**given, "upos": nouns, "xpos": nouns}])

    assert as_said != as_nouns


def test_resources_tell_what_belongs_together(
    resources: Path, stanza_parser: Path
) -> None:
    named = open_source(str(resources / "depparse" / "tiny.pt"), OPTIONS)

    assert [path.name for path in named.files.all().values()] == ["tiny.pt", "made.pt"]
    assert named.fingerprint() == open_source(str(stanza_parser), OPTIONS).fingerprint()
    assert "nsubj" in named.load().labels


def test_a_link_whose_target_is_gone_is_no_file(copied: Path, tmp_path: Path) -> None:
    (copied / "old_parser.pt").symlink_to(tmp_path / "gone.pt")
    (copied / "old.pretrain.pt").symlink_to(tmp_path / "gone.pt")

    files = open_source(str(copied), OPTIONS).files

    assert sorted(path.name for path in files.all().values()) == [
        "tiny.pretrain.pt",
        "tiny_parser.pt",
    ]


def test_a_choice_between_files_is_the_users(resources: Path) -> None:
    with pytest.raises(ModelError, match=r"2 parsers \(depparse/other.pt, .*name the"):
        open_source(str(resources), OPTIONS)
    with pytest.raises(
        ModelError, match=r"2 files of the kind pretrain.*made.pt, others.pt"
    ):
        open_source(str(resources / "depparse" / "other.pt"), OPTIONS)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ("{", "resources.json: damaged"),
        ('{"en": {"depparse": {"tiny": {"dependencies": [1]}}}}', "damaged: TypeError"),
        (
            json.dumps({"en": {"depparse": {"tiny": {"dependencies": GONE}}}}),
            r"gone.pt belongs to it and is not there",
        ),
    ],
)
def test_resources_that_do_not_fit_are_told(
    resources: Path, known: str, message: str
) -> None:
    (resources.parent / "resources.json").write_text(known)

    with pytest.raises(ModelError, match=message):
        open_source(str(resources / "depparse" / "tiny.pt"), OPTIONS)


def test_what_belongs_to_it_is_in_the_fingerprint(copied: Path) -> None:
    before = open_source(str(copied), OPTIONS).fingerprint()
    with (copied / "tiny.pretrain.pt").open("ab") as file:
        file.write(b"\0")

    assert open_source(str(copied), OPTIONS).fingerprint() != before


def test_it_is_recognised_by_what_it_holds(
    stanza_parser: Path, resources: Path, tmp_path: Path
) -> None:
    assert recognises(stanza_parser)
    assert recognises(stanza_parser / "tiny_parser.pt")
    assert recognises(resources)
    assert not recognises(tmp_path / "stanza_resources")


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("this ran",))


@pytest.mark.parametrize("name", ["tiny_parser.pt", "tiny.pretrain.pt"])
def test_a_pickle_is_refused_unopened(
    copied: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    torch.save({"config": Harmful()}, copied / name)

    with pytest.raises(ModelError, match=rf"{name}: refused: .*pickle"):
        open_source(str(copied), OPTIONS).load()
    with (copied / name).open("wb") as file:
        pickle.dump(Harmful(), file, protocol=2)
    with pytest.raises(ModelError, match=rf"{name}: refused: .*pickle"):
        open_source(str(copied), OPTIONS).load()
    assert "this ran" not in capsys.readouterr().out


def test_a_transformer_that_is_not_among_its_files_is_refused(
    rewrite: Callable[..., Path],
) -> None:
    directory = rewrite(bert_model="google/electra-base-discriminator")

    with pytest.raises(ModelError, match=r"transformer google/electra-base"):
        open_source(str(directory), OPTIONS).load()


def test_what_it_needs_and_is_not_there_is_told(rewrite: Callable[..., Path]) -> None:
    directory = rewrite(charlm=True)

    with pytest.raises(ModelError, match=r"backward_charlm, forward_charlm.*copy it"):
        open_source(str(directory), OPTIONS).load()
    (directory / "tiny.pretrain.pt").unlink()
    with pytest.raises(ModelError, match=r"pretrain, and no such file is beside it"):
        open_source(str(rewrite(charlm=False)), OPTIONS).load()


def test_weights_that_do_not_fit_are_told(rewrite: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r"Stanza \S+ cannot load it: .*size mismatch"):
        open_source(str(rewrite(hidden_dim=12)), OPTIONS).load()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"config": {}, "vocab": {"upos": 1}}, "no dependency parser of Stanza"),
        ([1], "no model of Stanza"),
    ],
)
def test_files_of_another_kind_are_told(
    copied: Path, content: object, message: str
) -> None:
    import torch

    torch.save(content, copied / "tiny_parser.pt")

    with pytest.raises(ModelError, match=message):
        open_source(str(copied), OPTIONS).load()


def test_what_is_not_there_is_told(tmp_path: Path, copied: Path) -> None:
    (copied / "tiny_parser.pt").write_bytes(b"")
    (tmp_path / "empty").mkdir()

    with pytest.raises(ModelError, match="no such file or directory"):
        open_source(str(tmp_path / "none"), OPTIONS)
    with pytest.raises(ModelError, match=r"no parser .* found nothing"):
        open_source(str(tmp_path / "empty"), OPTIONS)
    with pytest.raises(ModelError, match=r"tiny_parser.pt: cannot be read"):
        open_source(str(copied), OPTIONS).load()


def test_other_types_are_refused(stanza_parser: Path) -> None:
    with pytest.raises(ModelError, match="only float32"):
        open_source(str(stanza_parser), ModelOptions(dtype="float16"))
