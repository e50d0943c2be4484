"""Rounds within a stream: what a checkpoint holds, and clients' own models."""

from pathlib import Path

import pytest
import torch

from compat_eval.core.errors import UsageError
from compat_eval.federated.clients import Clients
from compat_eval.federated.personal.ditto import Ditto
from compat_eval.federated.personal.method import PERSONAL, ClientAnswer
from compat_eval.federated.personal.rounds import (
    after_answers,
    remembered,
    server_view,
)
from compat_eval.federated.workers import workers
from tests.unit.federated.conftest import point_problem
from tests.unit.federated.test_simulation import SETTINGS, Dying, ends, folder


def answer(client: int, place: float) -> ClientAnswer:
    found = torch.full((2,), place)
    return ClientAnswer(client=client, n=1, weights=found, own={"weights": found + 1})


def test_one_dictionary_holds_server_and_clients() -> None:
    state = after_answers(Ditto(), {"weights": torch.zeros(2)}, [answer(1, 2.0)])
    state = after_answers(Ditto(), state, [answer(11, 4.0)])
    assert server_view(state).weights.tolist() == [4.0, 4.0]
    assert remembered(state, 1)["weights"].tolist() == [3.0, 3.0]
    assert remembered(state, 11)["weights"].tolist() == [5.0, 5.0]
    assert remembered(state, 2) == {}


@pytest.mark.parametrize("name", PERSONAL.names())
def test_every_method_goes_on_where_it_was_killed(
    name: str, clients: Clients, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"personal": name})
    whole = ends(clients, folder(tmp_path, "whole"), settings)
    assert [sorted(end.own) for end in whole] == [[0, 1], [0, 1, 2]]
    cut = folder(tmp_path, "cut")
    with pytest.raises(KeyboardInterrupt):
        ends(clients, cut, settings, by=Dying(stop_at=6))
    after = ends(clients, cut, settings)
    assert torch.equal(after[-1].weights, whole[-1].weights)
    for client, own in whole[-1].own.items():
        assert own.isfinite().all()
        assert torch.equal(after[-1].own[client], own)


def test_two_processes_find_the_own_models_that_one_finds(
    clients: Clients, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"personal": "self-fl"})
    one = ends(clients, folder(tmp_path, "one"), settings)
    problem = point_problem()
    with workers(problem, 2) as both:
        two = ends(clients, folder(tmp_path, "two"), settings, by=both, problem=problem)
    for client, own in one[-1].own.items():
        assert torch.equal(two[-1].own[client], own)


def test_without_a_method_of_its_own_a_client_has_the_global_model(
    clients: Clients, tmp_path: Path
) -> None:
    only = Clients(names=clients.names, periods=("1",), shards=clients.shards[:1])
    settings = SETTINGS.model_copy(update={"personal": "fedavg", "rounds": 1})
    found = ends(only, tmp_path, settings)[-1]
    for own in found.own.values():
        assert torch.equal(own, found.weights)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"personal": "best"}, "unknown method of personalisation 'best'"),
        ({"personal": "ditto", "algorithm": "fedadam"}, "leave algorithm"),
        ({"personal": "ditto", "proximal": 0.1}, "personal: fedprox"),
        (
            {"personal": "ditto", "personal_settings": {"speed": 1}},
            "ditto has no setting 'speed'; it has strength",
        ),
        (
            {"personal": "local", "personal_settings": {"speed": 1}},
            "local has no setting 'speed'; it has none",
        ),
        (
            {"personal": "self-fl", "personal_settings": {"window": "abc"}},
            "self-fl: window: Input should be a valid number",
        ),
        (
            {"personal": "self-fl", "personal_settings": {"weights": "age"}},
            "self-fl: weights: Input should be 'precision' or 'size'",
        ),
        (
            {"personal": "ditto", "personal_settings": {"strength": float("nan")}},
            "ditto: strength: Input should be a finite number",
        ),
        ({"personal_settings": {"strength": 1}}, "need a method"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    change: dict[str, object], told: str, clients: Clients, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=told):
        ends(clients, tmp_path, SETTINGS.model_copy(update=change))
