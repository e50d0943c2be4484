"""A newcomer's own files: a verdict in two commands, of which the tool writes one.

The first command is what anybody would type. Where it cannot be enough, the second is
the line that the first error proposes, as it stands.
"""

import csv
import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

import compat_eval
from compat_eval.cli import main
from tests.fakes import judged

FIXTURES = Path(__file__).parents[1] / "unit" / "readers" / "logs" / "fixtures"
N = 400
TOPICS = ("refund", "login", "invoice", "delivery")
GOLD = [TOPICS[n % 4] for n in range(N)]
TEXTS = [f"ticket {n}" for n in range(N)]
# Wrong are multiples of 8 in OLD and of 20 in NEW: of 400, 50 and 20, and 10 in both.
OLD = [TOPICS[(n + (n % 8 == 0)) % 4] for n in range(N)]
NEW = [TOPICS[(n + (n % 20 == 0)) % 4] for n in range(N)]
CELLS = {"kept": 340, "broken": 10, "fixed": 40, "missed": 10}
GATE = {"quantity": "nfr", "at_most": 0.05}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("gates.yaml").write_text(json.dumps({"gates": [GATE]}))


def write(name: str, **columns: Sequence[object]) -> None:
    with Path(name).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))


def typed(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main([*words])
    assert isinstance(end.value.code, int)
    return end.value.code


def commands(capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, int]:
    """Type a line, and then what its error proposes; return how many, and the code."""
    code = typed(*shlex.split(line))
    said = capsys.readouterr().err
    _, mended, proposed = said.partition("If that is right, run\n")
    if not mended:
        return 1, code
    assert code == 2
    name, *words = shlex.split(proposed.strip())
    assert name == "compat-eval"
    return 2, typed(*words)


def counts(run: str = "r") -> dict[str, int]:
    comparison = json.loads(Path(run, "comparison.json").read_text())
    assert comparison["verdict"] in {"pass", "fail", "inconclusive"}
    [(_, level), *_] = judged(comparison)["levels"].items()
    return dict(level["counts"])


class Say:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, paths: str) -> int:
        """Compare; return how many commands it took to the verdict."""
        line = f"compare {paths} --gates gates.yaml --out r -q"
        n_commands, code = commands(self.capsys, line)
        assert code == 0
        assert counts() == CELLS
        return n_commands


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    return Say(capsys)


def test_two_files_whose_columns_have_other_names(say: Say) -> None:
    for name, answers in (("march", OLD), ("june", NEW)):
        write(f"{name}.csv", ticket=range(N), body=TEXTS, y_true=GOLD, y_pred=answers)

    assert say("march.csv june.csv") == 2


def test_each_file_has_names_of_its_own(say: Say) -> None:
    write("march.csv", ticket_id=range(N), label=GOLD, output=OLD)
    write("june.csv", uid=range(N), target=GOLD, response=NEW)

    assert say("march.csv june.csv") == 2


def test_a_gold_file_with_names_of_its_own(say: Say) -> None:
    write("gold.csv", key=range(N), question=TEXTS, truth=GOLD)
    for name, answers in (("march", OLD), ("june", NEW)):
        write(f"{name}.csv", qid=range(N), answer=answers)

    assert say("march.csv june.csv --gold gold.csv") == 2


def test_files_without_ids(say: Say) -> None:
    for name, answers in (("march", OLD), ("june", NEW)):
        write(f"{name}.csv", text=TEXTS, label=GOLD, pred=answers)

    assert say("march.csv june.csv") == 2


def test_both_answers_in_one_file(say: Say) -> None:
    write("both.csv", id=range(N), text=TEXTS, label=GOLD, pred_old=OLD, pred_new=NEW)

    assert say("both.csv") == 2


def test_what_pandas_writes_with_its_index(say: Say) -> None:
    for name, answers in (("march", OLD), ("june", NEW)):
        table = pd.DataFrame({"text": TEXTS, "gold": GOLD, "prediction": answers})
        table.to_csv(f"{name}.csv")

    assert say("march.csv june.csv") == 2


def test_semicolons_and_a_byte_order_mark(say: Say) -> None:
    for name, answers in (("march", OLD), ("june", NEW)):
        cells = zip(map(str, range(N)), TEXTS, GOLD, answers, strict=True)
        rows = ["ID;Text;Label;Prediction", *map(";".join, cells)]
        Path(f"{name}.csv").write_text("\n".join(rows), encoding="utf-8-sig")

    assert say("march.csv june.csv") == 2


def test_rows_under_a_key_of_an_object(say: Say) -> None:
    for name, answers in (("march", OLD), ("june", NEW)):
        rows = [
            {"id": n, "expected": g, "output": {"text": a}}
            for n, (g, a) in enumerate(zip(GOLD, answers, strict=True))
        ]
        Path(f"{name}.json").write_text(json.dumps({"model": name, "results": rows}))

    assert say("march.json june.json") == 2


def test_our_own_names_need_one_command(say: Say) -> None:
    for name, answers in (("march", OLD), ("june", NEW)):
        write(f"{name}.csv", id=range(N), gold=GOLD, prediction=answers)

    assert say("march.csv june.csv") == 1


def test_a_data_frame() -> None:
    table = pd.DataFrame({"march": OLD, "june": NEW, "label": GOLD})

    found = compat_eval.compare(table.march, table.june, gold=table.label, gates=[GATE])

    assert str(found.verdict) == "pass"
    assert dict(found.judged.levels["example"].counts) == CELLS


def test_two_data_frames_with_names_of_their_own() -> None:
    old = pd.DataFrame({"ticket": range(N), "said": OLD, "label": GOLD})
    new = pd.DataFrame({"ticket": range(N), "said": NEW, "label": GOLD})

    with pytest.raises(compat_eval.CompatEvalError) as refused:
        compat_eval.compare(old, new, gates=[GATE])
    assert "'ticket', 'said', 'label'" in str(refused.value)
    fields = {"id": "ticket", "prediction": "said", "gold": "label"}
    found = compat_eval.compare(old, new, fields=fields, gates=[GATE])

    assert str(found.verdict) == "pass"
    assert dict(found.judged.levels["example"].counts) == CELLS


def test_a_folder_of_lm_eval(capsys: pytest.CaptureFixture[str]) -> None:
    """Two tasks, of which one has two filters: one verdict on both."""
    for side in ("old", "new"):
        logs = FIXTURES / "lm_eval" / side
        shutil.copytree(logs, side, ignore=shutil.ignore_patterns("*_ppl_*"))

    found = commands(capsys, "compare old new --gates gates.yaml --out r -q")

    assert found == (2, 3)
    release = json.loads(Path("r/release.json").read_text())
    assert release["verdict"] == "inconclusive"
    assert [one["name"] for one in release["suites"]] == ["sums_gen", "sums_mc"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("once", (2, 1)), ("epochs", (1, 3))],
    ids=["three scorers", "one scorer"],
)
def test_a_log_of_inspect_ai(
    name: str, expected: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    pair = [f"{FIXTURES}/inspect/{name}_{side}.eval" for side in ("old", "new")]

    found = commands(
        capsys, shlex.join(["compare", *pair, "--gates", "gates.yaml", "--out", "r"])
    )

    assert found == expected
    assert sum(counts().values()) > 5


def test_rows_that_are_several_answers_to_one_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, wrong, times in (("march", 2, 4), ("june", 1, 3)):
        rows = [(at, k) for at in range(20) for k in range(times)]
        write(
            f"{name}.csv",
            qid=[at for at, _ in rows],
            sample=[k for _, k in rows],
            answer=["x" if k < wrong else str(at) for at, k in rows],
            reference=[str(at) for at, _ in rows],
        )

    assert commands(capsys, "compare march.csv june.csv --out r -q") == (2, 0)


def test_a_gold_file_whose_columns_have_names_of_another_language(say: Say) -> None:
    write("labels.csv", ticket=range(N), wahrheit=GOLD, body=TEXTS)
    for name, answers in (("march", OLD), ("june", NEW)):
        write(f"{name}.csv", **{"Ticket No.": range(N), "Antwort (Modell)": answers})

    assert say("march.csv june.csv --gold labels.csv") == 2


def test_rankings_of_trec(capsys: pytest.CaptureFixture[str]) -> None:
    Path("j.qrels").write_text("".join(f"q{q} 0 d{q} 1\n" for q in range(9)))
    for name, first in (("march", 0), ("june", 1)):
        lines = [f"q{q} Q0 d{(q + first * (q > 6)) % 9} 1 2 t\n" for q in range(9)]
        Path(f"{name}.run").write_text("".join(lines))

    line = "compare march.run june.run --gold j.qrels --out r -q"
    assert commands(capsys, line) == (2, 0)
