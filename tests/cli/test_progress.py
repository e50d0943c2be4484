import io
import time
from collections.abc import Iterator

import pytest

from compat_eval.cli.progress import NotesOnly, ProgressBar, ProgressLines, progress_bar
from compat_eval.core.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work(shown: Progress) -> None:
    shown.start("hf:model", total=100, done=20)
    shown.advance(30)
    shown.note("the cache is \x1b[31mfull")
    shown.advance(50)
    shown.stop()


def test_quiet_says_only_what_matters() -> None:
    stream = Terminal()

    work(progress_bar(quiet=True, stream=stream))

    assert stream.getvalue() == "compat-eval: the cache is \\x1b[31mfull\n"


def test_a_terminal_gets_a_bar_and_other_streams_lines() -> None:
    assert isinstance(progress_bar(quiet=False, stream=Terminal()), ProgressBar)
    assert isinstance(progress_bar(quiet=False, stream=io.StringIO()), ProgressLines)
    assert type(progress_bar(quiet=True, stream=io.StringIO())) is NotesOnly


def test_lines_come_every_ten_seconds_with_rate_and_time_left() -> None:
    times: Iterator[float] = iter([0.0, 4.0, 10.0, 10.0, 10.0, 12.0, 20.0])
    stream = io.StringIO()
    lines = ProgressLines(stream, clock=lambda: next(times))

    lines.start("hf:model", total=1000, done=200)
    lines.advance(100)
    lines.advance(100)
    lines.advance(600)
    lines.stop()

    assert stream.getvalue().splitlines() == [
        "hf:model: 1,000 inputs, 200 of them stored",
        "hf:model: 400 of 1,000, 20/s, 30 s left",
        "hf:model: 1,000 of 1,000, 40/s",
    ]


def test_nothing_to_do_is_one_line() -> None:
    stream = io.StringIO()
    lines = ProgressLines(stream)

    lines.start("hf:model", total=5, done=5)
    lines.stop()

    assert stream.getvalue() == "hf:model: 5 inputs, 5 of them stored\n"


def test_a_bar_shows_the_model_and_goes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    bar = progress_bar(quiet=False, stream=stream)

    bar.start("[bold]model", total=10)
    time.sleep(0.2)
    bar.advance(10)
    bar.stop()
    bar.stop()

    assert "[bold]model" in stream.getvalue()
    assert "10/10" in stream.getvalue()
