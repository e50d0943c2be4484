"""Who computes for the clients: this process, or several of this machine.

A `Workers` takes what the server asks of clients, and returns their answers in the
order in which they were asked, whatever the number of processes. Torch computes with
one thread in each, so that every number is the same in any.
"""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol

import torch

from compat_eval.federated.local import LocalTask, LocalUpdate, train_locally
from compat_eval.federated.problem import Problem


class Workers(Protocol):
    """Computes what clients are asked."""

    def broadcast(self, tasks: Sequence[LocalTask]) -> list[LocalUpdate | None]:
        """Return each client's answer, `None` of a client whose process died.

        Raises:
            ModelError: A training left the finite numbers.

        """


class OneProcess:
    """Computes here, one client after the other."""

    def __init__(self, problem: Problem) -> None:
        """Take the problem."""
        self._problem = problem

    def broadcast(self, tasks: Sequence[LocalTask]) -> list[LocalUpdate | None]:
        """Return each client's answer."""
        return [train_locally(self._problem, task) for task in tasks]


class ManyProcesses:
    """Computes in processes of their own, which are started anew if one dies."""

    def __init__(self, problem: Problem, n: int) -> None:
        """Take the problem, and how many processes there may be."""
        self._problem, self._n = problem, n
        self._pool: ProcessPoolExecutor | None = None

    def broadcast(self, tasks: Sequence[LocalTask]) -> list[LocalUpdate | None]:
        """Return each client's answer, `None` of one whose process died."""
        try:
            return list(self._started().map(_work, tasks))
        except BrokenProcessPool:
            # Nobody knows whose process it was: each is asked alone.
            return [self._alone(task) for task in tasks]

    def _alone(self, task: LocalTask) -> LocalUpdate | None:
        self.close()
        try:
            return self._started().submit(_work, task).result()
        except BrokenProcessPool:
            return None

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._n,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(self._problem,),
            )
        return self._pool

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


@contextmanager
def workers(problem: Problem, n: int) -> Iterator[Workers]:
    """Yield who computes, with one thread of torch in each process.

    Args:
        problem: What is learnt.
        n: How many processes; 1 is this one.

    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    many = ManyProcesses(problem, n) if n > 1 else None
    try:
        yield many or OneProcess(problem)
    finally:
        torch.set_num_threads(threads)
        if many is not None:
            many.close()


_problem: list[Any] = []


def _begin(problem: Problem) -> None:
    torch.set_num_threads(1)
    _problem[:] = [problem]


def _work(task: LocalTask) -> LocalUpdate:
    return train_locally(_problem[0], task)
