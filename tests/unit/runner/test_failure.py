import gc
import weakref

import pytest

from compat_eval.runner.failure import LONGEST, Failure, describe, memory_released


class OutOfMemoryError(RuntimeError):
    """Named as torch names it."""


class Broken(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise ValueError("no text")


def test_control_characters_and_addresses_go() -> None:
    error = ValueError("a\x1b[31m\tb\x00\u202ec <object at 0x7F00aa>\r\n\ud800")

    assert describe(error) == "ValueError: a [31m b c <object at 0x…>"


def test_a_long_message_is_cut() -> None:
    text = describe(ValueError("x" * 10_000))

    assert len(text) == LONGEST
    assert text.endswith("x…")


def test_an_error_without_a_message_has_its_type() -> None:
    assert describe(KeyError()) == "KeyError"


def test_an_error_that_cannot_be_shown_is_a_failure_like_others() -> None:
    assert Failure.of(Broken()).lasts


def test_an_error_that_cannot_be_shown_is_still_told() -> None:
    assert describe(Broken()) == "Broken: (its message cannot be shown)"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("tried to allocate 2 GiB"),
        RuntimeError("CUDA out of memory."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you"),
    ],
)
def test_too_little_memory_is_recognised_and_does_not_last(error: Exception) -> None:
    assert not Failure.of(error).lasts


@pytest.mark.parametrize("error", [RuntimeError("shape"), ValueError("out of memory")])
def test_other_errors_last(error: Exception) -> None:
    assert Failure.of(error).lasts


class Loop:
    """Holds itself, so that only a search for garbage finds it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_came_to_be_and_holds_itself_is_gone_afterwards() -> None:
    gc.disable()
    try:
        with memory_released():
            gone = weakref.ref(Loop())
            assert gone() is not None
        assert gone() is None
    finally:
        gc.enable()


def test_what_was_frozen_before_stays_so() -> None:
    gc.freeze()
    try:
        n = gc.get_freeze_count()
        with memory_released():
            gone = weakref.ref(Loop())
        assert gone() is None
        assert gc.get_freeze_count() == pytest.approx(n, rel=0.01)
    finally:
        gc.unfreeze()


def test_nothing_stays_frozen_also_after_an_error() -> None:
    with pytest.raises(ValueError, match="no"), memory_released():
        raise ValueError("no")

    assert gc.get_freeze_count() == 0
