"""A model that ends, breaks or hangs its process gets no verdict."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODELS = """
import os, re, signal, sys, time

def right(xs):
    return [x[-1] for x in xs]

def model():
    return right

def during_predict(act):
    def answer(xs):
        act()
        return right(xs)
    return answer

def exits(): return during_predict(lambda: os._exit(0))
def exits_while_made(): os._exit(0)
def leaves(): return during_predict(lambda: sys.exit(0))
def leaves_while_made(): sys.exit(0)
def leaves_with_words(): return during_predict(lambda: sys.exit("done"))
def becomes_another(): return during_predict(lambda: os.execv("/bin/true", ["true"]))
def crashes(): return during_predict(lambda: os.kill(os.getpid(), signal.SIGSEGV))
def is_killed(): return during_predict(lambda: os.kill(os.getpid(), signal.SIGKILL))
def aborts(): return during_predict(os.abort)
def interrupts():
    # A shell's background jobs ignore it, and so would their children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return during_predict(lambda: signal.raise_signal(signal.SIGINT))

def waits(): return during_predict(lambda: time.sleep(1000))
def waits_while_made(): time.sleep(1000)
def holds_the_interpreter(): return lambda xs: [re.match("(a+)+$", "a" * 60 + "b")]

def tries_for_ever():
    def act():
        while True:
            try:
                time.sleep(1000)
            except BaseException:
                pass
    return during_predict(act)

def wrong():
    return lambda xs: ["b" if x.startswith("x1") else x[-1] for x in xs]

def exits_at_the_end():
    import atexit
    atexit.register(os._exit, 0)
    return wrong()

def stays():
    import threading
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return right

def forks():
    def act():
        if os.fork() == 0:
            sys.exit(0)
        os.wait()
        time.sleep(1)
    return during_predict(act)

def talks():
    import atexit
    atexit.register(print, "the end")
    def act():
        print("words")
        os.write(1, b"more words")
        print("and more", file=sys.__stdout__)
    return during_predict(act)
"""

EXITS = {
    "exits": (2, "ended the process (exit code 0)"),
    "exits_while_made": (2, "ended the process (exit code 0)"),
    "leaves": (2, "sys.exit(0)"),
    "leaves_while_made": (2, "sys.exit(0)"),
    "leaves_with_words": (2, "sys.exit('done')"),
    "becomes_another": (2, "ended the process"),
    "crashes": (70, "native code crashed (SIGSEGV)"),
    "aborts": (70, "native code crashed (SIGABRT)"),
    "is_killed": (70, "SIGKILL"),
    "interrupts": (130, "interrupted"),
}
HANGS = ["waits", "waits_while_made", "holds_the_interpreter", "tries_for_ever"]


@pytest.fixture(autouse=True)
def files() -> None:
    Path("models.py").write_text(MODELS)
    rows = [{"id": i, "input": f"x{i} a", "gold": "a"} for i in range(400)]
    Path("gold.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    Path("gates.yaml").write_text("gates: [{quantity: nfr, at_most: 0.05}]")


def words(old: str, new: str) -> list[str]:
    sides = [f"python:models:{name}" for name in (old, new)]
    files = ["--gold", "gold.jsonl", "--gates", "gates.yaml", "--out", "r"]
    return [sys.executable, "-m", "compat_eval", "compare", *sides, *files]


def compared(old: str, new: str, *further: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*words(old, new), "--no-cache", *further],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code", "said"), [(n, *r) for n, r in EXITS.items()])
def test_a_model_that_ends_the_process_gets_no_verdict(
    name: str, code: int, said: str
) -> None:
    done = compared("model", name)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("r").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", HANGS)
def test_a_model_that_hangs_is_stopped(name: str) -> None:
    done = compared("model", name, "--timeout", "6")

    assert done.returncode == 2, done.stderr
    assert "no progress for 6 s (--timeout)" in done.stderr
    assert not Path("r").exists()


@pytest.mark.slow
def test_a_verdict_stands_whatever_happens_at_the_end_of_the_process() -> None:
    done = compared("model", "exits_at_the_end")

    assert done.returncode == 1, done.stderr


@pytest.mark.slow
def test_a_thread_that_stays_does_not_keep_the_command() -> None:
    done = compared("model", "stays")

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_what_a_model_forks_has_no_say() -> None:
    done = compared("forks", "wrong")

    assert done.returncode == 1, done.stderr


@pytest.mark.slow
def test_what_a_model_writes_is_no_result() -> None:
    done = compared("model", "talks", "--json")

    assert json.loads(done.stdout)["verdict"] == "pass"
    for said in ("words", "more words", "and more"):
        assert said in done.stderr


@pytest.mark.slow
def test_who_ends_the_command_ends_its_child() -> None:
    with subprocess.Popen(
        words("model", "waits"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        while "models:model: 400 of 400" not in running.stderr.readline():
            assert running.poll() is None

        running.send_signal(signal.SIGTERM)
        running.stderr.read()  # ends when the child, who holds it too, has ended

    assert running.returncode == -signal.SIGTERM
