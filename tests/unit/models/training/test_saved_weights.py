"""What config.json tells and the weights have must be the same."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from torch import nn

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.models.parsing.training import save as save_parser
from compat_eval.models.training.saved_weights import read_weights
from compat_eval.models.tree_seq2seq.parser import save_model
from tests.unit.models import parser_toys, seq2seq_toys

pytestmark = pytest.mark.torch

CURE = (
    "Restore the file that was changed, or delete the directory and train the model "
    "again."
)


def save_biaffine(out: Path) -> None:
    model = parser_toys.untrained()
    save_parser("biaffine", model.network, model.vocabulary, out)


def save_pointer(out: Path) -> None:
    model = parser_toys.untrained_pointer()
    save_parser("stack-pointer", model.network, model.vocabulary, out)


def save_seq2seq(out: Path) -> None:
    save_model(seq2seq_toys.untrained(), out)


def written(layers: nn.Module, out: Path) -> Path:
    from safetensors.torch import save_file

    save_file(layers.state_dict(), out / "model.safetensors")
    return out


def shapes(saved: str, told: str) -> str:
    return f"0.weight has the shape {saved} among the weights and {told} by config.json"


@pytest.mark.parametrize(
    ("save", "place"),
    [
        (save_biaffine, ("sizes", "arc_width")),
        (save_pointer, ("sizes", "arc_width")),
        (save_seq2seq, ("sizes", "decoder", "width")),
    ],
)
def test_sizes_that_do_not_fit_are_told_in_one_line(
    tmp_path: Path, save: Callable[[Path], None], place: tuple[str, ...]
) -> None:
    save(tmp_path)
    path = tmp_path / "config.json"
    config = sizes = json.loads(path.read_text())
    for name in place[:-1]:
        sizes = sizes[name]
    sizes[place[-1]] += 1
    path.write_text(json.dumps(config))

    with pytest.raises(ModelError) as told:
        open_source(str(tmp_path), ModelOptions()).load()

    said = str(told.value)
    assert said.startswith(f"{tmp_path}: its weights do not fit its config.json: ")
    assert said.endswith(f" not fit. {CURE}")
    assert said.count(" has the shape ") == 1
    assert "\n" not in said


@pytest.mark.parametrize(
    ("network", "first", "more"),
    [
        (nn.Sequential(nn.Linear(3, 2)), shapes("(2, 4)", "(2, 3)"), ""),
        (
            nn.Sequential(nn.Linear(3, 5)),
            shapes("(2, 4)", "(5, 3)"),
            ", and 1 more does not fit",
        ),
        (
            nn.Sequential(nn.LayerNorm(7), nn.Linear(2, 2)),
            shapes("(2, 4)", "(7)"),
            ", and 3 more do not fit",
        ),
        (
            nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2)),
            "the weights lack 1.weight",
            ", and 1 more does not fit",
        ),
        (
            nn.Sequential(),
            "the weights hold 0.bias, which such a model does not have",
            ", and 1 more does not fit",
        ),
    ],
)
def test_the_first_that_does_not_fit_is_named(
    tmp_path: Path, network: nn.Module, first: str, more: str
) -> None:
    written(nn.Sequential(nn.Linear(4, 2)), tmp_path)

    with pytest.raises(ModelError) as told:
        read_weights(network, tmp_path, "cpu")

    assert str(told.value) == (
        f"{tmp_path}: its weights do not fit its config.json: {first}{more}. {CURE}"
    )


def test_weights_that_fit_are_read(tmp_path: Path) -> None:
    layers, other = nn.Linear(4, 2), nn.Linear(4, 2)

    read_weights(other, written(layers, tmp_path), "cpu")

    assert other.weight.equal(layers.weight)
    assert not other.training
