"""A mitigation that was kept: opened, checked, refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.compat import open_source, recognises
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import CompatEvalError, ModelError, OutputError
from compat_eval.core.protocols import GivesLogits
from compat_eval.mitigations.combined import CombinedSource
from compat_eval.mitigations.saved import Member, is_saved_combination, save
from compat_eval.mitigations.spec import MitigationSpec

pytestmark = pytest.mark.torch
OPTIONS = ModelOptions()


def bag(directory: Path, seed: int) -> Path:
    """Write a tiny text classifier with random weights."""
    pytest.importorskip("torch")
    import torch
    from safetensors.torch import save_file

    from compat_eval.models.classifiers.embedding_bag import EmbeddingBagNetwork

    torch.manual_seed(seed)
    directory.mkdir(parents=True, exist_ok=True)
    network = EmbeddingBagNetwork(n_buckets=50, width=4, n_labels=2)
    save_file(network.state_dict(), directory / "model.safetensors")
    config = {
        "compat_eval": {"kind": "embedding-bag", "schema_version": 1},
        "labels": ["no", "yes"],
        "width": 4,
        "projection": 0,
        "cosine": 0.0,
        "hashing": {"n_buckets": 50, "shortest": 3, "longest": 4},
    }
    (directory / "config.json").write_text(json.dumps(config), "utf-8")
    return directory


def earlier(directory: Path, weight: float) -> Member:
    return Member(
        role="earlier",
        scheme="compat",
        location=str(directory),
        is_path=True,
        weight=weight,
    )


def members(*directories: Path) -> list[Member]:
    roles = ["old", "new", *["with"] * (len(directories) - 2)]
    return [
        Member(role=role, scheme="compat", location=str(directory), is_path=True)
        for role, directory in zip(roles, directories, strict=True)
    ]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    old, new = bag(tmp_path / "m/old", 1), bag(tmp_path / "m/new", 2)
    out = tmp_path / "m/mixed"
    save(
        out, MitigationSpec.parse("mix:weight=0.25"), members(old, new), options=OPTIONS
    )
    return out


def opened(path: Path, **options: Any) -> CombinedSource:
    found = open_source(str(path), ModelOptions(**options))
    assert isinstance(found, CombinedSource)
    return found


def changed(path: Path, **fields: object) -> None:
    config = json.loads((path / "config.json").read_text("utf-8"))
    (path / "config.json").write_text(json.dumps({**config, **fields}), "utf-8")


def logits(combination: CombinedSource) -> Any:
    model = combination.load()
    assert isinstance(model, GivesLogits)
    texts = ["one text", "another", "more"]
    return model.logits(model.encode(texts))  # type: ignore[attr-defined]


def test_what_was_kept_is_what_comes_back(kept: Path, tmp_path: Path) -> None:
    direct = CombinedSource(
        spec=MitigationSpec.parse("mix:weight=0.25"),
        old=open_source(str(tmp_path / "m/old"), OPTIONS),
        new=open_source(str(tmp_path / "m/new"), OPTIONS),
    )

    found = opened(kept)

    np.testing.assert_array_equal(logits(found), logits(direct))
    assert found.fingerprint() == direct.fingerprint()
    assert found.describe()["labels"] == ["no", "yes"]
    assert recognises(kept)
    assert is_saved_combination(kept)
    assert not is_saved_combination(tmp_path / "m/old")


def test_models_and_mixture_can_be_moved_together(kept: Path, tmp_path: Path) -> None:
    before = opened(kept).fingerprint()
    (tmp_path / "m").rename(tmp_path / "elsewhere")

    assert opened(tmp_path / "elsewhere/mixed").fingerprint() == before


def test_a_link_to_the_directory_finds_the_members(kept: Path, tmp_path: Path) -> None:
    link = tmp_path / "far/away"
    link.parent.mkdir()
    link.symlink_to(kept)

    assert opened(link).fingerprint() == opened(kept).fingerprint()


def test_a_member_that_changed_is_refused(kept: Path, tmp_path: Path) -> None:
    bag(tmp_path / "m/old", 3)

    with pytest.raises(ModelError, match=r"\(old\) has changed since"):
        opened(kept)


def test_a_member_that_is_gone_is_named(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "m/new").rename(tmp_path / "gone")

    with pytest.raises(ModelError, match="m/new cannot be opened"):
        opened(kept)


def test_a_label_map_is_kept_and_can_be_added_to(tmp_path: Path) -> None:
    old, new = bag(tmp_path / "old", 1), bag(tmp_path / "new", 2)
    options = ModelOptions(label_map={"yes": "ja"})
    save(
        tmp_path / "out",
        MitigationSpec.parse("mix:weight=0.5"),
        members(old, new),
        options=options,
    )

    found = opened(tmp_path / "out")
    more = opened(tmp_path / "out", label_map={"no": "nein"})

    assert found.describe()["labels"] == ["no", "ja"]
    assert more.describe()["labels"] == ["nein", "ja"]


def test_mixtures_of_mixtures_are_kept(kept: Path, tmp_path: Path) -> None:
    out = tmp_path / "m/again"
    spec = MitigationSpec.parse("ensemble:with=x")
    old, new = tmp_path / "m/old", tmp_path / "m/new"
    save(out, spec, members(old, kept, new), options=OPTIONS)

    assert logits(opened(out)).shape == (3, 2)
    config = json.loads((out / "config.json").read_text("utf-8"))
    assert [set(one) for one in config["members"]] == 3 * [
        {"role", "scheme", "path", "fingerprint"}
    ]


@pytest.fixture
def ranked(tmp_path: Path) -> Path:
    directories = [bag(tmp_path / f"m/{seed}", seed) for seed in range(4)]
    both = [earlier(directories[2], 0.5), earlier(directories[3], 1.0)]
    spec = MitigationSpec.parse("bcr:k=2,earlier=0.5*x,earlier=y")
    out = tmp_path / "m/ranked"
    save(out, spec, [*members(*directories[:2]), *both], options=OPTIONS)
    return out


def test_earlier_models_are_kept_with_their_weights(
    ranked: Path, tmp_path: Path
) -> None:
    sources = [open_source(str(tmp_path / f"m/{seed}"), OPTIONS) for seed in range(4)]
    direct = CombinedSource(
        spec=MitigationSpec.parse("bcr:k=2,earlier=0.5*x,earlier=y"),
        old=sources[0],
        new=sources[1],
        further=tuple(sources[2:]),
    )

    found = opened(ranked)

    assert found.fingerprint() == direct.fingerprint()
    assert [one.weight for one in found.spec.further] == [0.5, 1.0]
    assert found.spec.cost()["old_passes"] == 3


def test_an_earlier_model_that_changed_or_is_gone_is_refused(
    ranked: Path, tmp_path: Path
) -> None:
    bag(tmp_path / "m/3", 7)
    with pytest.raises(ModelError, match=r"m/3 \(earlier\) has changed since"):
        opened(ranked)
    (tmp_path / "m/2").rename(tmp_path / "gone")
    with pytest.raises(ModelError, match="m/2 cannot be opened"):
        opened(ranked)


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (0.0, "above 0, got 0.0"),
        (float("nan"), "above 0, got nan"),
        (float("inf"), "above 0, got inf"),
        ("1", "'weight' is missing or damaged"),
        (None, "'weight' is missing or damaged"),
    ],
)
def test_a_weight_that_is_none_is_refused(
    ranked: Path, weight: object, says: str
) -> None:
    config = json.loads((ranked / "config.json").read_text("utf-8"))
    config["members"][2]["weight"] = weight
    changed(ranked, members=config["members"])

    with pytest.raises(ModelError, match=says):
        opened(ranked)


def test_a_method_takes_members_in_its_own_roles(ranked: Path) -> None:
    changed(ranked, method="mix", options={"weight": 0.5})

    with pytest.raises(ModelError, match="is one of old, new, with; got 'earlier'"):
        opened(ranked)


def chained(directory: Path, n: int) -> list[Path]:
    """Write mixtures of which each is OLD in the one before."""
    new = bag(directory / "leaf", 2)
    places = [directory / f"mix{number}" for number in range(n)]
    for place, old in zip(reversed(places), [new, *reversed(places)], strict=False):
        save(
            place,
            MitigationSpec.parse("mix:weight=0.25"),
            members(old, new),
            options=OPTIONS,
        )
    return places


def renamed(place: Path, old: Path) -> None:
    config = json.loads((place / "config.json").read_text("utf-8"))
    config["members"][0]["path"] = str(old)
    changed(place, members=config["members"])


@pytest.mark.parametrize(
    ("n", "first", "links"),
    [
        (1, 0, "{0} names {0}"),
        (2, 0, "{0} names {1} names {0}"),
        (3, 0, "{0} names {1} names {2} names {0}"),
        (3, 1, "{1} names {2} names {1}"),
    ],
)
def test_a_mixture_of_itself_is_told_once(
    tmp_path: Path, n: int, first: int, links: str
) -> None:
    places = chained(tmp_path, n)
    renamed(places[-1], places[first])

    with pytest.raises(ModelError) as told:
        opened(places[0])

    what = "has a member that is made of itself" if first else "is made of itself"
    assert str(told.value) == (
        f"compat:{places[0]}: {what}: {links.format(*places)}. "
        "Run compat-eval mitigate again without that."
    )


def test_mixtures_of_mixtures_have_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = chained(tmp_path, 4)
    monkeypatch.setattr("compat_eval.mitigations.saved._DEEPEST", 3)

    with pytest.raises(ModelError) as told:
        opened(places[0])

    assert str(told.value) == (
        f"compat:{places[0]}: its members are made of others more than 3 times over"
    )
    assert opened(places[1]).describe()["labels"] == ["no", "yes"]


def test_code_is_not_run_without_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "kept_code.py").write_text(
        "raise SystemExit('run')\n", encoding="utf-8"
    )
    members = [
        {
            "role": role,
            "scheme": "python",
            "location": "kept_code:make",
            "fingerprint": "",
        }
        for role in ("old", "new")
    ]
    config = {
        "compat_eval": {"kind": "composite", "schema_version": 1},
        "method": "mix",
        "options": {"weight": 0.5},
        "members": members,
        "opened_with": {
            "label_map": {},
            "revision": None,
            "trust_remote_code": False,
        },
    }
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")

    with pytest.raises(ModelError, match="--trust-remote-code"):
        opened(tmp_path)


def test_code_that_came_with_a_member_needs_leave_again(kept: Path) -> None:
    kept_with: dict[str, Any] = {
        "label_map": {},
        "revision": None,
        "trust_remote_code": True,
    }
    changed(kept, opened_with=kept_with)

    with pytest.raises(ModelError, match="--trust-remote-code"):
        opened(kept)


@pytest.mark.parametrize(
    "fields",
    [
        {"method": None},
        {"method": "nothing"},
        {"options": []},
        {"options": {}},
        {"options": {"weight": "heavy"}},
        {"options": {"weight": 0.5, "other": 1}},
        {"members": None},
        {"members": [1]},
        {"members": []},
        {"members": [{"role": "king", "scheme": "compat", "path": "../old"}]},
        {"members": [{"role": "old", "scheme": "compat", "path": 3}]},
        {"members": [{"role": "old", "scheme": "preds", "location": "x"}]},
        {"opened_with": None},
        {"opened_with": {"label_map": 3}},
        {"opened_with": {"revision": []}},
    ],
)
def test_a_damaged_file_is_told_and_no_crash(
    kept: Path, fields: dict[str, object]
) -> None:
    changed(kept, **fields)

    with pytest.raises(CompatEvalError):
        opened(kept)


def test_only_an_earlier_mixture_is_overwritten(kept: Path, tmp_path: Path) -> None:
    spec = MitigationSpec.parse("mix:weight=0.75")
    both = members(tmp_path / "m/old", tmp_path / "m/new")

    with pytest.raises(OutputError, match="not empty"):
        save(kept, spec, both, options=OPTIONS)
    with pytest.raises(OutputError, match="not empty"):
        save(tmp_path / "m/old", spec, both, options=OPTIONS, overwrite=True)
    save(kept, spec, both, options=OPTIONS, overwrite=True)

    assert opened(kept).spec.options["weight"] == 0.75
