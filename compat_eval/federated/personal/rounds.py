"""Rounds of personalised federated learning within a stream of periods.

What the server knows and what each client remembers is one dictionary of tensors, so
that a checkpoint holds it like the state of any other algorithm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from compat_eval.federated.personal.method import (
    ClientAnswer,
    ClientWork,
    Named,
    PersonalMethod,
    ServerView,
)
from compat_eval.federated.problem import Problem

_TOLD, _OWN = "told/", "own/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalTask:
    """What one client is asked.

    Attributes:
        method: Of personalisation.
        server: What the server knows.
        work: What the client has.

    """

    method: PersonalMethod
    server: ServerView
    work: ClientWork


def answered(problem: Problem, task: PersonalTask) -> ClientAnswer:
    """Return what a client does in a round."""
    return task.method.local(problem, task.server, task.work)


def own_model(problem: Problem, task: PersonalTask) -> tuple[int, Tensor]:
    """Return a client, and the weights of its own model."""
    return task.work.client, task.method.personal(problem, task.server, task.work)


def server_view(state: Named) -> ServerView:
    """Return what the server knows."""
    return ServerView(weights=state["weights"], told=_below(state, _TOLD))


def remembered(state: Named, client: int) -> Named:
    """Return what a client remembers; nothing at first."""
    return _below(state, f"{_OWN}{client}/")


def after_answers(
    method: PersonalMethod, state: Named, answers: Sequence[ClientAnswer]
) -> dict[str, Tensor]:
    """Return the state after a round."""
    after = method.apply(server_view(state), answers)
    asked = tuple(f"{_OWN}{one.client}/" for one in answers)
    rest = {
        name: value
        for name, value in state.items()
        if name.startswith(_OWN) and not name.startswith(asked)
    }
    told = {f"{_TOLD}{name}": value for name, value in after.told.items()}
    own = {
        f"{_OWN}{one.client}/{name}": value
        for one in answers
        for name, value in one.own.items()
    }
    return {"weights": after.weights, **told, **rest, **own}


def _below(state: Named, prefix: str) -> Mapping[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in state.items()
        if name.startswith(prefix)
    }
