from pathlib import Path

import numpy as np
import pytest
import torch

from compat_eval.adapters import ADAPTERS, ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.models.training.train import train_model
from compat_eval.models.tree_seq2seq.parser import TreeSeq2Seq
from compat_eval.models.tree_seq2seq.pretrained import pretrained as read_encoder
from compat_eval.models.tree_seq2seq.pretrained import reader_from
from compat_eval.models.tree_seq2seq.reading import sentence_of
from compat_eval.testing.models import check_model
from tests import fakes
from tests.unit.models.conftest import Notes

INPUTS = ["please play rock", "book a table", "book strangest seats music", "song"]
CONFIG = {"decoder": 12, "token_width": 8, "width": 12, "epochs": 2, "batch_size": 8}


@pytest.fixture(scope="module")
def trained(pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = ["music", "rock", "song"]
    examples = fakes.examples(
        id=[f"s{at}" for at in range(12)],
        input=[f"play {words[at % 3]}" for at in range(12)],
        gold=[f"[IN:PLAY play [SL:WHAT {words[at % 3]} ] ]" for at in range(12)],
    )
    out = tmp_path_factory.mktemp("trained") / "model"
    train_model(
        "seq2seq",
        examples,
        examples,
        seed=1,
        out=out,
        config={**CONFIG, "encoder": str(pretrained)},
        progress=Notes(),
    )
    return out


def loaded(directory: Path) -> TreeSeq2Seq:
    model = ADAPTERS.load("compat")(str(directory), ModelOptions()).load()
    assert isinstance(model, TreeSeq2Seq)
    return model


def test_a_fine_tuned_model_answers_each_utterance_by_itself(trained: Path) -> None:
    check_model(loaded(trained), INPUTS)


def test_words_begin_where_their_first_pieces_are(pretrained: Path) -> None:
    reader = reader_from(pretrained)

    item = reader.encode(sentence_of("play a song, please"))

    pieces = reader.tokenizer.convert_ids_to_tokens(item.ids.tolist())
    assert pieces == ["[CLS]", "play", "a", "song", "[UNK]", "please", "[SEP]"]
    assert item.first.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(item) == 6
    beyond = reader.encode(sentence_of("play " * 20))
    assert len(beyond.ids) == 16
    assert beyond.first.tolist() == [*range(15), *[0] * 6]


def test_dropout_thins_the_encoder_and_leaves_no_trace(trained: Path) -> None:
    model = loaded(trained)
    items = model.encode(INPUTS)
    before, state = model.predict(items), torch.random.get_rng_state()
    proposer = model.proposer("dropout-p", p=0.5)

    once = proposer.propose(items, k=6, rng=np.random.default_rng(1))

    assert once == proposer.propose(items, k=6, rng=np.random.default_rng(1))
    alone = [
        proposer.propose([item], k=6, rng=np.random.default_rng(1))[0] for item in items
    ]
    assert once == alone
    assert model.predict(items) == before
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_directory_without_an_encoder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json; --encoder names"):
        read_encoder(tmp_path)
