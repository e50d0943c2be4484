"""Who computes for the clients: this process, or several of this machine.

A `Workers` takes what the server asks of clients, and returns their answers in the
order in which they were asked, whatever the number of processes. Torch computes with
one thread in each, so that every number is the same in any.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, TypeAlias, TypeVar

import torch

from compat_eval.federated.problem import Problem

T = TypeVar("T")
A = TypeVar("A")
Compute: TypeAlias = Callable[[Problem, T], A]
"""What is computed for one client, from what it is asked."""


class Workers(Protocol):
    """Computes what clients are asked."""

    def each(self, compute: Compute[T, A], tasks: Sequence[T]) -> list[A | None]:
        """Return what a function of a module says of each client's task, in order.

        `None` stands for a client whose process died.

        Raises:
            ModelError: A training left the finite numbers.

        """


class OneProcess:
    """Computes here, one client after the other."""

    def __init__(self, problem: Problem) -> None:
        """Take the problem."""
        self._problem = problem

    def each(self, compute: Compute[T, A], tasks: Sequence[T]) -> list[A | None]:
        """Return what a function says of each task."""
        return [compute(self._problem, task) for task in tasks]


class ManyProcesses:
    """Computes in processes of their own, which are started anew if one dies."""

    def __init__(self, problem: Problem, n: int) -> None:
        """Take the problem, and how many processes there may be."""
        self._problem, self._n = problem, n
        self._pool: ProcessPoolExecutor | None = None

    def each(self, compute: Compute[T, A], tasks: Sequence[T]) -> list[A | None]:
        """Return what a function says of each task, `None` where a process died."""
        try:
            return list(self._started().map(partial(_work, compute), tasks))
        except BrokenProcessPool:
            # Nobody knows whose process it was: each is asked alone.
            return [self._alone(compute, task) for task in tasks]

    def _alone(self, compute: Compute[T, A], task: T) -> A | None:
        self.close()
        try:
            return self._started().submit(_work, compute, task).result()
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


def _work(compute: Compute[T, A], task: T) -> A:
    return compute(_problem[0], task)
