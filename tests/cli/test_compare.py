"""The command as CI sees it: a process with files, words and an exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import judged

ROOT = Path(__file__).parents[2]


def run(
    *arguments: object, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    settings = {
        **os.environ,
        "COMPAT_EVAL_CACHE": str(cwd / "cache"),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{cwd}",
        "NO_COLOR": "1",
        "COLUMNS": "120",
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-m", "compat_eval", *map(str, arguments)],
        cwd=cwd,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def write(path: Path, predictions: str, *, gold: str | None = None) -> Path:
    """Write one prediction a letter; gold is all `a` unless said otherwise."""
    gold = gold or "a" * len(predictions)
    rows = [
        {
            "id": f"s{i}",
            "prediction": p,
            "gold": g,
            "half": "front" if i % 2 else "back",
        }
        for i, (p, g) in enumerate(zip(predictions, gold, strict=True))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def gates(path: Path, *lines: str) -> Path:
    path.write_text("gates:\n" + "".join(f"- {line}\n" for line in lines), "utf-8")
    return path


@pytest.fixture
def same(tmp_path: Path) -> tuple[Path, Path]:
    old = write(tmp_path / "old.jsonl", "a" * 600)
    new = write(tmp_path / "new.jsonl", "a" * 600)
    return old, new


def test_exit_0_where_the_limit_is_certified(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    wanted = gates(tmp_path / "g.yaml", "{quantity: nfr, at_most: 0.005}")

    done = run("compare", *same, "--gates", wanted, "--out", "r", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "r/comparison.json").read_text("utf-8"))
    assert content["verdict"] == "pass"
    assert content["gates"][0]["verdict"] == "pass"
    for name in ("report.html", "junit.xml", "summary.md", "manifest.json"):
        assert (tmp_path / "r" / name).stat().st_size > 0


def test_exit_0_and_verdict_none_where_nothing_is_judged(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    done = run("compare", *same, "--out", "r", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "r/comparison.json").read_text("utf-8"))
    assert content["verdict"] == "none"
    assert "not" in done.stdout.lower()


def test_exit_1_where_a_breach_is_proven(tmp_path: Path) -> None:
    old = write(tmp_path / "old.jsonl", "a" * 200)
    new = write(tmp_path / "new.jsonl", "b" * 50 + "a" * 150)
    wanted = gates(tmp_path / "g.yaml", "{quantity: nfr, at_most: 0.05}")

    done = run("compare", old, new, "--gates", wanted, "--out", "r", cwd=tmp_path)

    assert done.returncode == 1, done.stderr
    content = json.loads((tmp_path / "r/comparison.json").read_text("utf-8"))
    counts = judged(content)["levels"]["example"]["counts"]
    assert counts == {"kept": 150, "broken": 50, "fixed": 0, "missed": 0}


def test_exit_3_where_the_examples_cannot_tell(tmp_path: Path) -> None:
    old = write(tmp_path / "old.jsonl", "a" * 200)
    new = write(tmp_path / "new.jsonl", "a" * 200)
    wanted = gates(tmp_path / "g.yaml", "{quantity: nfr, at_most: 0.005}")

    done = run("compare", old, new, "--gates", wanted, "--out", "r", cwd=tmp_path)

    assert done.returncode == 3, done.stderr
    gate = json.loads((tmp_path / "r/comparison.json").read_text("utf-8"))["gates"][0]
    assert gate["verdict"] == "inconclusive"
    assert gate["fresh_examples"] == 598  # they certify 0.5 % without a flip
    assert gate["fresh_power"] == 1.0


@pytest.mark.parametrize(("policy", "code"), [("warn", 0), ("pass", 0), ("fail", 3)])
def test_inconclusive_can_be_let_through(
    tmp_path: Path, policy: str, code: int
) -> None:
    old = write(tmp_path / "old.jsonl", "a" * 20)
    wanted = gates(tmp_path / "g.yaml", "{quantity: nfr, at_most: 0.005}")

    done = run(
        *("compare", old, old, "--gates", wanted, "--out", "r"),
        *("--inconclusive", policy),
        cwd=tmp_path,
    )

    assert done.returncode == code, done.stderr


def test_exit_4_where_an_example_is_missing(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    old, _ = same
    fewer = write(tmp_path / "fewer.jsonl", "a" * 599)

    done = run("compare", old, fewer, "--out", "r", cwd=tmp_path)

    assert done.returncode == 4
    assert "s599" in done.stderr
    assert "--on-missing bound" in done.stderr
    assert not (tmp_path / "r").exists()


def test_missing_examples_can_be_bounded(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    old, _ = same
    fewer = write(tmp_path / "fewer.jsonl", "a" * 590)

    done = run(
        "compare", old, fewer, "--on-missing", "bound", "--out", "r", cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "r/comparison.json").read_text("utf-8"))
    assert content["coverage"]["new"]["missing"] == 10
    assert judged(content)["levels"]["example"]["counts"]["broken"] == 10


def test_exit_4_where_gold_differs_and_the_ways_out(tmp_path: Path) -> None:
    old = write(tmp_path / "old.jsonl", "ab", gold="ab")
    new = write(tmp_path / "new.jsonl", "ab", gold="aa")

    refused = run("compare", old, new, "--out", "r", cwd=tmp_path)
    broken = {}
    for policy in ("old", "new", "drop", "own"):
        done = run(
            *("compare", old, new, "--on-mismatch", policy, "--out", policy),
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        text = (tmp_path / policy / "comparison.json").read_text("utf-8")
        content = json.loads(text)
        assert any("s1" in note for note in content["notes"])
        broken[policy] = judged(content)["levels"]["example"]["counts"]["broken"]

    assert refused.returncode == 4
    assert "gold differs for 1 (s1)" in refused.stderr
    assert broken == {"old": 0, "new": 0, "drop": 0, "own": 1}


def test_exit_70_where_we_crash(tmp_path: Path, same: tuple[Path, Path]) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import compat_eval.workflows.run as run\n"
        "def boom(*a, **k): raise ZeroDivisionError('boom')\n"
        "run.compare_and_write = boom\n",
        "utf-8",
    )

    done = run("compare", *same, "--out", "r", cwd=tmp_path)

    assert done.returncode == 70
    assert "Traceback" in done.stderr
    assert "boom" in done.stderr


@pytest.mark.usefixtures("same")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.jsonl", "nothing.jsonl"], "no such file"),
        (["ftp:x", "ftp:y"], "unknown model scheme 'ftp'"),
        (["old.jsonl"], "NEW"),
        (["old.jsonl", "new.jsonl", "--suite", "clinc15"], "clinc150"),
        (["old.jsonl", "new.jsonl", "--fields", "id"], "name=value"),
        (["old.jsonl", "new.jsonl", "--fields", "gold=nope"], "nope"),
        (["old.jsonl", "new.jsonl", "--gates", "nope.yaml"], "nope.yaml"),
        (["old.jsonl", "new.jsonl", "--limit", "0"], "limit"),
        (["old.jsonl", "new.jsonl", "--task", "chess"], "classification"),
        (["old.jsonl", "new.jsonl", "--aa"], "--aa"),
        (["old.jsonl", "new.jsonl", "--on-mismatch", "both"], "refuse"),
    ],
)
def test_exit_2_and_a_word_on_what_to_do(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    done = run("compare", *arguments, "--out", "r", cwd=tmp_path)

    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "r").exists()


def test_a_limited_run_never_passes(tmp_path: Path, same: tuple[Path, Path]) -> None:
    wanted = gates(tmp_path / "g.yaml", "{quantity: nfr, at_most: 0.9}")

    done = run(
        *("compare", *same, "--gates", wanted, "--limit", "500", "--out", "r"),
        cwd=tmp_path,
    )

    assert done.returncode == 3, done.stderr
    content = json.loads((tmp_path / "r/comparison.json").read_text("utf-8"))
    assert "--limit" in content["doubts"][0]
    assert content["tasks"][0]["n_examples"] == 500


def test_the_same_inputs_give_the_same_bytes(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    for name in ("one", "two"):
        done = run("compare", *same, "--out", name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    for name in ("comparison.json", "junit.xml", "predictions/old.parquet"):
        first, second = tmp_path / "one" / name, tmp_path / "two" / name
        assert first.read_bytes() == second.read_bytes()


def test_protected_examples_may_not_break(tmp_path: Path) -> None:
    old = write(tmp_path / "old.jsonl", "a" * 300)
    new = write(tmp_path / "new.jsonl", "a" * 299 + "b")
    wanted = tmp_path / "g.yaml"
    wanted.write_text("protected: {ids: [s299]}\n", "utf-8")

    done = run("compare", old, new, "--gates", wanted, "--out", "r", cwd=tmp_path)

    assert done.returncode == 1, done.stderr


def test_gates_on_slices_and_changes(tmp_path: Path) -> None:
    old = write(tmp_path / "old.jsonl", "a" * 2000)
    new = write(tmp_path / "new.jsonl", "ab" * 50 + "a" * 1900)
    wanted = gates(
        tmp_path / "g.yaml",
        "{quantity: nfr, at_most: 0.01, slice: half=front}",
        "{quantity: nfr, at_most: 0.01, slice: half=back}",
        "{quantity: accuracy_change, at_least: -0.2}",
    )

    done = run("compare", old, new, "--gates", wanted, "--out", "r", cwd=tmp_path)

    assert done.returncode == 1, done.stderr
    found = json.loads((tmp_path / "r/comparison.json").read_text("utf-8"))["gates"]
    assert [gate["verdict"] for gate in found] == ["fail", "pass", "pass"]


def test_json_on_stdout_is_the_comparison(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    done = run("compare", *same, "--json", "--out", "r", cwd=tmp_path)

    written = json.loads((tmp_path / "r/comparison.json").read_text("utf-8"))

    assert json.loads(done.stdout) == written


def test_options_come_from_the_environment(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    done = run("compare", *same, cwd=tmp_path, COMPAT_EVAL_COMPARE_OUT="from-env")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "from-env/comparison.json").is_file()


def test_an_earlier_run_is_not_overwritten_unasked(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    run("compare", *same, "--out", "r", cwd=tmp_path)

    again = run("compare", *same, "--out", "r", cwd=tmp_path)
    asked = run("compare", *same, "--out", "r", "--overwrite", cwd=tmp_path)

    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    assert asked.returncode == 0, asked.stderr


def test_a_side_of_an_earlier_run_can_be_compared(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    run("compare", *same, "--out", "r", cwd=tmp_path)

    done = run("compare", "run:r#new", same[1], "--out", "r2", cwd=tmp_path)

    assert done.returncode == 0, done.stderr


def test_a_gold_file_says_what_is_right(tmp_path: Path) -> None:
    gold = tmp_path / "gold.csv"
    gold.write_text("id,gold\n1,x\n2,y\n", "utf-8")
    for name, answers in (("old", "xy"), ("new", "xz")):
        rows = [
            json.dumps({"id": i, "prediction": p})
            for i, p in enumerate(answers, start=1)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows), "utf-8")

    done = run(
        *("compare", "old.jsonl", "new.jsonl", "--task", "classification"),
        *("--gold", gold, "--out", "r"),
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "r/comparison.json").read_text("utf-8"))
    assert judged(content)["levels"]["example"]["counts"]["broken"] == 1


def test_files_alone_need_no_model_library_and_no_reader_of_logs(
    tmp_path: Path, same: tuple[Path, Path]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, atexit\n"
        "names = ('torch', 'transformers', 'datasets', 'sklearn', 'scipy.stats',\n"
        "         'spacy', 'stanza', 'compat_eval.tasks.generation',\n"
        "         'compat_eval.workflows.given', 'compat_eval.readers.memory',\n"
        "         *(f'compat_eval.readers.logs.{tool}' for tool in\n"
        "           ('inspect_ai', 'lm_eval', 'mlflow', 'promptfoo', 'spider')))\n"
        "def tell():\n"
        "    found = [n for n in names if n in sys.modules]\n"
        "    print('LOADED', found, file=sys.stderr)\n"
        "atexit.register(tell)\n",
        "utf-8",
    )

    done = run("compare", *same, "--out", "r", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "LOADED []" in done.stderr


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_wrong_column_is_told_before_a_number_library_is_imported(
    tmp_path: Path, suffix: str
) -> None:
    rows = {
        "csv": "key,zeta\na,x\nb,{}\nc,x\n",
        "jsonl": '{{"key": "a", "zeta": "x"}}\n{{"key": "b", "zeta": "{}"}}\n'
        '{{"key": "c", "zeta": "x"}}\n',
    }[suffix]
    for side, answer in (("old", "x"), ("new", "y")):
        (tmp_path / f"{side}.{suffix}").write_text(rows.format(answer), "utf-8")
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, atexit\n"
        "names = 'numpy', 'pyarrow', 'scipy'\n"
        "atexit.register(lambda: print('LOADED', [n for n in names if n in\n"
        "    sys.modules], file=sys.stderr))\n",
        "utf-8",
    )

    done = run("compare", f"old.{suffix}", f"new.{suffix}", cwd=tmp_path)

    assert done.returncode == 2, done.stderr
    assert f"new.{suffix} --fields id=key,prediction=zeta" in done.stderr
    assert "LOADED []" in done.stderr


def test_help_needs_no_number_library() -> None:
    code = (
        "import sys\n"
        "from compat_eval.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'pandas', 'pyarrow', 'torch', 'pydantic', 'rich',\n"
        "         'spacy', 'stanza'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
