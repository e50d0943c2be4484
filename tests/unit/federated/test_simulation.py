"""Periods and rounds: the same weights however they are computed, or interrupted."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import cast

import pytest
import torch

from compat_eval.core.errors import DataError, ModelError, UsageError
from compat_eval.core.progress import Silence
from compat_eval.federated.clients import Clients, ClientShard
from compat_eval.federated.devices import LocalDevices
from compat_eval.federated.local import LocalUpdate
from compat_eval.federated.problem import LabelProblem, weights_of
from compat_eval.federated.replay.keeping import METHODS
from compat_eval.federated.simulation import (
    FederationSettings,
    PeriodEnd,
    simulate,
)
from compat_eval.federated.workers import A, Compute, OneProcess, T, Workers, workers
from tests.unit.federated.conftest import point_problem

SETTINGS = FederationSettings(rounds=3, local_steps=2, batch_size=4, budget=4)


class Dying:
    """Workers in which clients' processes die, or everything stops."""

    def __init__(self, dead: Sequence[int] = (), *, stop_at: int = 99) -> None:
        self.inner = OneProcess(point_problem())
        self.dead, self.left = dead, stop_at

    def each(self, compute: Compute[T, A], tasks: Sequence[T]) -> list[A | None]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        answers = self.inner.each(compute, tasks)
        return [None if who(one) in self.dead else one for one in answers]


def who(answer: object) -> object:
    return answer[0] if isinstance(answer, tuple) else getattr(answer, "client", None)


def ends(
    clients: Clients,
    out: Path,
    settings: FederationSettings = SETTINGS,
    *,
    by: Workers | None = None,
    seed: int = 5,
    problem: LabelProblem | None = None,
) -> list[PeriodEnd]:
    problem = problem or point_problem()
    return list(
        simulate(
            LocalDevices(problem, clients, by or OneProcess(problem)),
            settings,
            start=weights_of(problem.network),
            seed=seed,
            checkpoint=out / "state.pt",
            identity=f"{settings} {seed}",
            progress=Silence(),
        )
    )


def folder(tmp_path: Path, name: str) -> Path:
    (tmp_path / name).mkdir()
    return tmp_path / name


@pytest.mark.parametrize("method", METHODS)
def test_clients_keep_no_more_than_they_may(
    method: str, clients: Clients, tmp_path: Path
) -> None:
    found = ends(clients, tmp_path, SETTINGS.model_copy(update={"replay": method}))
    most = {"none": 0, "full": 9}.get(method, 4)
    assert [end.period for end in found] == [0, 1]
    assert {c: len(rows) for c, rows in found[0].memory.items()} == {0: most, 1: most}
    assert set(found[1].memory) == {0, 1, 2}
    for client, rows in found[1].memory.items():
        own = [*clients.shards[0].get(client, ClientShard(train=(), test=())).train]
        own += clients.shards[1][client].train
        assert len(set(rows)) == len(rows)
        assert set(rows) <= set(own)


def test_the_same_seed_has_the_same_weights_and_another_seed_others(
    clients: Clients, tmp_path: Path
) -> None:
    first, second, other = (
        ends(clients, folder(tmp_path, name), seed=seed)[-1].weights
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("stop_at", [1, 3, 4, 5])
def test_an_interrupted_simulation_goes_on_to_the_same_weights(
    stop_at: int, clients: Clients, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"replay": "coordinated"})
    whole = ends(clients, folder(tmp_path, "whole"), settings)
    out = folder(tmp_path, "cut")
    with pytest.raises(KeyboardInterrupt):
        ends(clients, out, settings, by=Dying(stop_at=stop_at))
    after = ends(clients, out, settings)
    assert torch.equal(after[-1].weights, whole[-1].weights)
    assert after[-1].memory == whole[-1].memory
    assert after[-1].log == whole[-1].log


def test_two_processes_find_what_one_finds(clients: Clients, tmp_path: Path) -> None:
    one = ends(clients, folder(tmp_path, "one"))
    problem = point_problem()
    with workers(problem, 2) as both:
        two = ends(clients, folder(tmp_path, "two"), by=both, problem=problem)
    assert torch.equal(one[-1].weights, two[-1].weights)


def test_a_client_whose_process_dies_stops_the_round_or_is_left_out(
    clients: Clients, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"processes of 1 clients died \(bob\)"):
        ends(clients, folder(tmp_path, "fail"), by=Dying(dead=[1]))
    skip = SETTINGS.model_copy(update={"on_failure": "skip"})
    found = ends(clients, folder(tmp_path, "skip"), skip, by=Dying(dead=[1]))
    assert found[-1].log[0]["lost"] == ["bob"]
    with pytest.raises(ModelError, match="2 clients died"):
        ends(clients, folder(tmp_path, "all"), skip, by=Dying(dead=[0, 1, 2]))


class Masking:
    """Workers that add to every update what cancels over all clients."""

    def __init__(self) -> None:
        self.inner = OneProcess(point_problem())
        self.sent: list[LocalUpdate] = []

    def each(self, compute: Compute[T, A], tasks: Sequence[T]) -> list[A | None]:
        found = self.inner.each(compute, tasks)
        answers = [one for one in found if isinstance(one, LocalUpdate)]
        masks = torch.randn(len(answers), len(answers[0].total))
        masks -= masks.mean(0)
        masked = [
            replace(one, total=one.total + mask)
            for one, mask in zip(answers, masks, strict=True)
        ]
        self.sent += masked
        return cast("list[A | None]", masked)


def test_only_the_sum_of_the_clients_updates_counts(
    clients: Clients, tmp_path: Path
) -> None:
    """Secure sums would do: the server never looks at the update of one client."""
    masking = Masking()
    plain = ends(clients, folder(tmp_path, "plain"))[-1].weights
    masked = ends(clients, folder(tmp_path, "masked"), by=masking)[-1].weights
    assert torch.allclose(plain, masked, atol=1e-4)
    told = {field.name for field in fields(LocalUpdate)}
    assert told == {"client", "total", "weight"}
    assert {one.total.shape for one in masking.sent} == {plain.shape}


def test_gradients_that_tell_no_samples_apart_are_told(
    clients: Clients, tmp_path: Path
) -> None:
    problem = point_problem()
    alike = LabelProblem(
        network=problem.network,
        names=problem.names,
        inputs=torch.ones_like(problem.inputs),
        labels=torch.ones_like(problem.labels),
    )
    settings = SETTINGS.model_copy(update={"replay": "coordinated"})
    found = ends(clients, tmp_path, settings, problem=alike)
    told = [entry["selection"] for entry in found[-1].log if "selection" in entry]
    assert [one["n_degenerate"] for one in told] == [2, 3]
    assert [len(rows) for rows in found[-1].memory.values()] == [4, 4, 4]


@pytest.mark.parametrize("shares", ["history", "period"])
@pytest.mark.parametrize("method", ["uncoordinated", "coordinated"])
def test_constrained_choices_keep_each_periods_share(
    method: str, shares: str, clients: Clients, tmp_path: Path
) -> None:
    change = {"replay": method, "shares": shares}
    found = ends(clients, tmp_path, SETTINGS.model_copy(update=change))[-1].memory
    old = {
        client: sum(row in clients.shards[0][client].train for row in found[client])
        for client in (0, 1)
    }
    assert old == {0: 2, 1: 2}


def test_labels_are_kept_alike_where_there_are_labels(
    clients: Clients, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"replay": "class-balanced"})
    found = ends(clients, tmp_path, settings)[0].memory
    labels = point_problem().labels
    assert [sum(labels[rows].tolist()) for rows in found.values()] == [2, 2]
    assert all(len(rows) == 4 for rows in found.values())


def test_sampled_clients_change_from_round_to_round(
    clients: Clients, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"sampled": 1, "rounds": 8})
    log = ends(clients, tmp_path, settings)[-1].log
    sampled = [entry["clients"] for entry in log if "clients" in entry]
    assert all(len(some) == 1 for some in sampled)
    assert {some[0] for some in sampled} == {0, 1, 2}


def test_a_checkpoint_of_another_simulation_is_refused(
    clients: Clients, tmp_path: Path
) -> None:
    ends(clients, tmp_path)
    with pytest.raises(UsageError, match="belongs to another simulation"):
        ends(clients, tmp_path, seed=6)
    (tmp_path / "state.pt").write_bytes(b"PK")
    with pytest.raises(DataError, match="damaged"):
        ends(clients, tmp_path)


def test_a_period_in_which_nobody_has_samples_is_told(
    clients: Clients, tmp_path: Path
) -> None:
    empty = Clients(names=clients.names, periods=("1",), shards=({},))
    with pytest.raises(DataError, match="nobody has samples to learn from in period 1"):
        ends(empty, tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"algorithm": "best"}, "unknown federated algorithm 'best'"),
        ({"algorithm_settings": {"speed": 1.0}}, "cannot take"),
        ({"replay": "best"}, "no replay method 'best'; known: none, full, uniform"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    change: dict[str, object], told: str, clients: Clients, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=told):
        ends(clients, tmp_path, SETTINGS.model_copy(update=change))
