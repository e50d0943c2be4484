"""Parsers of spaCy and of Stanza, trained here, compared from end to end."""

from pathlib import Path

import pytest

from compat_eval.workflows.run import compare
from tests.unit.adapters import treebank
from tests.unit.adapters.tiny_spacy import save_pipeline
from tests.unit.adapters.tiny_stanza import save_parser

pytest.importorskip("spacy")
pytest.importorskip("stanza")

pytestmark = pytest.mark.torch

N_WORDS = sum(len(words) for words in treebank.sentences())


@pytest.fixture(scope="module")
def parsers(
    spacy_parser: Path, stanza_parser: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """References of parsers that learned little and much."""
    place = tmp_path_factory.mktemp("parsers")
    return {
        "spacy young": f"spacy:{save_pipeline(place / 'young', steps=2)}",
        "spacy": f"spacy:{spacy_parser}",
        "stanza young": f"stanza:{save_parser(place / 'less', steps=1)}",
        "stanza": f"stanza:{stanza_parser}",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("spacy young", "spacy"),
        ("stanza young", "stanza"),
        ("spacy", "stanza"),
    ],
)
def test_an_update_is_counted_at_every_level(
    parsers: dict[str, str], tmp_path: Path, old: str, new: str
) -> None:
    gold = treebank.write_conllu(tmp_path / "gold.conllu")

    found = compare(parsers[old], parsers[new], task="dependency", gold=gold)

    levels = found.judged.levels
    assert set(levels) == {"las", "uas", "lcm", "ucm"}
    words = levels["las"]
    assert words.units == N_WORDS - 10  # ten full stops and exclamation marks
    assert sum(words.counts.values()) == words.units
    if "young" in old:
        assert words.counts["fixed"] > words.counts["broken"]
    else:
        assert words.counts["kept"] > words.units / 2
