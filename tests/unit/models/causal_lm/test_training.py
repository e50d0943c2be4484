"""A language model trained on texts, towards teachers or not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Silence
from compat_eval.models.training.train import train_model
from tests import fakes

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = pytest.mark.torch

TEXTS = ["a b c", "b c d e", "a a", "e d c b a b c d e"]


def examples() -> Examples:
    ids = [str(at) for at in range(len(TEXTS))]
    return fakes.examples(id=ids, input=TEXTS)


def trained(out: Path, start: Path, **config: Any) -> dict[str, Any]:
    settings = {
        "start": str(start),
        "epochs": 2,
        "batch_size": 2,
        "learning_rate": 0.01,
        "top": 3,
    }
    return train_model(
        "causal-lm",
        examples(),
        examples(),
        seed=1,
        out=out,
        config={**settings, **config},
        progress=config.pop("progress", Silence()),
    )


def weights(directory: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(directory / "model.safetensors")


def test_the_loss_is_the_mean_nats_of_all_tokens(
    causal: Callable[..., Path], tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    start = causal(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)

    record = trained(tmp_path / "m", start, epochs=1, batch_size=9, learning_rate=1e-9)

    auto: Any = AutoModelForCausalLM
    network = auto.from_pretrained(start).eval()
    ids = torch.tensor([0, 5, 4, 3, 2, 1, 2, 3]), torch.tensor([3, 4, 5])
    pieces = [torch.tensor([0, 1, 2, 3]), torch.tensor([0, 2, 3, 4, 5])]
    pieces += [torch.tensor([0, 1, 1]), *ids]
    nats = [
        network(one[None]).logits[0, :-1].log_softmax(-1).gather(1, one[1:, None])
        for one in pieces
    ]
    assert record["history"][0]["loss"] == pytest.approx(
        -float(torch.cat(nats).mean().detach()), rel=1e-5
    )


def test_it_learns_and_is_opened_as_a_language_model(
    causal: Callable[..., Path], tmp_path: Path
) -> None:
    from compat_eval.adapters.compat import open_source
    from compat_eval.adapters.options import ModelOptions

    record = trained(tmp_path / "m", causal(), epochs=20, patience=20)

    accuracies = [done["dev_accuracy"] for done in record["history"]]
    assert max(accuracies) > accuracies[0]
    model: Any = open_source(str(tmp_path / "m"), ModelOptions()).load()
    nats, tokens = model.log_likelihood(model.encode(["a b c"]))
    assert np.isfinite(nats).all()
    assert tokens.tolist() == [3]


@pytest.mark.parametrize("objective", ["muscle", "token-focal"])
def test_logits_are_there_for_few_positions_at_a_time(
    causal: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    objective: str,
) -> None:
    from compat_eval.models.causal_lm import network

    teachers = {"objective": objective, "old": str(causal(1)), "new": str(causal(2))}
    whole = trained(tmp_path / "whole", causal(2), **teachers)
    monkeypatch.setattr(network, "_LOGITS", 16)

    parts = trained(tmp_path / "parts", causal(2), **teachers)

    for one, other in zip(whole["history"], parts["history"], strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)


def test_an_interrupted_training_ends_with_the_same_weights(
    causal: Callable[..., Path],
    tmp_path: Path,
    interrupted: Callable[[int], Any],
) -> None:
    told = {"objective": "muscle", "old": str(causal(1)), "new": str(causal(2))}
    start = causal(2)
    trained(tmp_path / "straight", start, **told)
    with pytest.raises(KeyboardInterrupt):
        _stopped(tmp_path / "stopped", start, told, interrupted(len(TEXTS)))

    trained(tmp_path / "stopped", start, **told)

    straight, stopped = weights(tmp_path / "straight"), weights(tmp_path / "stopped")
    assert all(torch.equal(straight[name], stopped[name]) for name in straight)
    assert not list((tmp_path / "stopped").glob(".*"))


def _stopped(out: Path, start: Path, told: dict[str, Any], progress: Any) -> None:
    settings = {"epochs": 2, "batch_size": 2, "learning_rate": 0.01, "top": 3}
    train_model(
        "causal-lm",
        examples(),
        examples(),
        seed=1,
        out=out,
        config={"start": str(start), **settings, **told},
        progress=progress,
    )


def test_what_does_not_fit_is_told(causal: Callable[..., Path], tmp_path: Path) -> None:
    other = causal(words=("[end]", "x", "y", "z", "d", "e", "?", "[unk]"))
    both = {"old": str(other), "new": str(causal())}
    with pytest.raises(UsageError, match="another vocabulary"):
        trained(tmp_path / "a", causal(), objective="muscle", **both)
    with pytest.raises(UsageError, match="muscle reads old and new"):
        trained(tmp_path / "b", causal(), objective="muscle")
    with pytest.raises(UsageError, match="muscle cannot take"):
        trained(
            tmp_path / "c",
            causal(),
            objective="muscle",
            objective_settings={"beta": 1},
            **both,
        )
    with pytest.raises(UsageError, match="is no directory"):
        trained(tmp_path / "d", causal(), old="nowhere")


def test_fresh_weights_follow_from_the_seed(
    causal: Callable[..., Path], tmp_path: Path
) -> None:
    tiny = {"fresh": True, "learning_rate": 1e-9}
    trained(tmp_path / "one", causal(1), **tiny)
    trained(tmp_path / "two", causal(2), **tiny)

    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert all(torch.allclose(one[name], two[name], atol=1e-6) for name in one)
