import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.workflows.first_look import look, look_at_one
from compat_eval.workflows.options import Options

ROOT = Path(__file__).parents[3]


def write(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    return str(path)


def cure_of(*sides: str | None, **options: Any) -> dict[str, str]:
    """Return the options that are proposed for OLD and NEW."""
    with pytest.raises(DataError) as caught:
        look(sides[0], sides[1], Options(**options))
    return dict(caught.value.cure)


ANSWERS = "qid,reply\n1,a\n2,b\n"
GOLD = "qid,truth\n1,a\n2,b\n"


@pytest.fixture
def gold(tmp_path: Path) -> str:
    return write(tmp_path / "gold.csv", GOLD)


def test_columns_of_all_files_are_one_option(tmp_path: Path, gold: str) -> None:
    old, new = (write(tmp_path / f"{n}.csv", ANSWERS) for n in ("old", "new"))

    cure = cure_of(old, new, gold=gold)

    assert cure == {"--fields": "id=qid,prediction=reply,gold=truth"}


def test_columns_that_differ_are_named_for_each_side(tmp_path: Path, gold: str) -> None:
    old = write(tmp_path / "old.csv", ANSWERS)
    new = write(tmp_path / "new.csv", "id,response\n1,a\n2,a\n")

    assert cure_of(old, new, gold=gold) == {
        "--fields": "id=qid,gold=truth",
        "--old-fields": "prediction=reply",
        "--new-fields": "prediction=response",
    }


def test_sound_files_are_passed_over(tmp_path: Path) -> None:
    sound = write(tmp_path / "a.csv", "id,prediction,gold\n1,a,a\n")
    folder, text = str(tmp_path), write(tmp_path / "a.txt", "a")

    look(sound, sound, Options())
    look(folder, text, Options())
    look(sound, None, Options())
    look("hf:model", 7, Options())


def test_what_a_file_says_of_its_grades_is_enough(tmp_path: Path) -> None:
    graded = write(tmp_path / "a.csv", "id,correct\n1,yes\n")
    scored = write(tmp_path / "b.jsonl", '{"id": 1, "nll": 2.5, "n_tokens": 3}\n')

    look(graded, graded, Options())
    look(scored, scored, Options())


def test_a_suite_has_gold_and_ids_stay_needed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "key,output\n1,a\n")

    assert cure_of(path, path, suite="s") == {"--fields": "id=key,prediction=output"}


def test_rows_without_ids_are_paired_by_content_where_orders_differ(
    tmp_path: Path,
) -> None:
    old = write(tmp_path / "a.csv", "text,gold,prediction\nx,a,a\ny,b,b\n")
    new = write(tmp_path / "b.csv", "text,gold,prediction\ny,b,a\nx,a,a\n")

    assert cure_of(old, new) == {"--pair-by": "content"}


def test_content_needs_the_column_that_asks(tmp_path: Path) -> None:
    old = write(tmp_path / "a.csv", "prompt,gold,prediction\nx,a,a\ny,b,b\n")
    new = write(tmp_path / "b.csv", "prompt,gold,prediction\ny,b,a\nx,a,a\n")

    assert cure_of(old, new) == {"--fields": "input=prompt", "--pair-by": "content"}


def test_logs_of_other_tools_have_readers_of_their_own(tmp_path: Path) -> None:
    row = {
        "doc_id": 0, "target": "a", "arguments": [["q"]], "filtered_resps": ["a"],
        "metrics": ["acc"], "acc": 1.0,
    }  # fmt: skip
    log = write(tmp_path / "samples_x.jsonl", json.dumps(row) + "\n")

    look(log, log, Options())


def test_the_message_ends_with_the_options_for_whoever_calls_from_python(
    tmp_path: Path, gold: str
) -> None:
    path = write(tmp_path / "a.csv", ANSWERS)

    with pytest.raises(DataError, match=r"add --fields id=qid,.*gold=truth$"):
        look(path, path, Options(gold=gold))


def test_a_wrong_column_is_told_before_anything_is_imported_that_counts(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.csv", ANSWERS)
    code = (
        "import sys\n"
        "from compat_eval.cli import main\n"
        f"try: main(['compare', {path!r}, {path!r}])\n"
        "except SystemExit as end: assert end.code == 2\n"
        "heavy = {'scipy', 'pandas', 'torch', 'jinja2', 'rich', 'yaml',\n"
        "         'compat_eval.statistics', 'compat_eval.comparison',\n"
        "         'compat_eval.tasks', 'compat_eval.report', 'compat_eval.runner'}\n"
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
    assert "probably 'qid'" in done.stderr


def test_what_one_file_alone_needs_is_proposed_for_it_alone(tmp_path: Path) -> None:
    commas = write(tmp_path / "a.csv", "id,prediction,gold\n1,a,a\n")
    bars = write(tmp_path / "b.csv", "id|prediction|gold\n1|a|a\n")
    latin = tmp_path / "c.csv"
    latin.write_bytes("id,prediction,gold\n1,é,a\n".encode("latin-1"))

    assert cure_of(commas, bars) == {"--new-read": "delimiter=|"}
    assert cure_of(str(latin), commas) == {"--old-read": "encoding=latin-1"}
    assert cure_of(bars, bars) == {"--read": "delimiter=|"}
    look(commas, bars, Options(new_reading={"delimiter": "|"}))


def test_gold_is_read_in_its_own_way(tmp_path: Path) -> None:
    side = write(tmp_path / "a.csv", "id;prediction\n1;a\n")
    gold = write(tmp_path / "gold.csv", "id\tgold\n1\ta\n")

    assert cure_of(side, side, gold=gold) == {
        "--old-read": "delimiter=;",
        "--new-read": "delimiter=;",
        "--gold-read": "delimiter=tab",
    }


def test_scores_are_answers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,quality\n1,0.5\n")

    look(path, path, Options(task="generation", fields={"score.q": "quality"}))


DRIFT = (
    "model,temperature,max_tokens,trail,dataset,id,query,ref_answer,answer\n"
    "march,0,9,0,p,1,Is 2 prime?,yes,[Yes]\n"
)


def test_a_log_of_several_models_that_is_given_alone_holds_both_sides(
    tmp_path: Path,
) -> None:
    june = DRIFT.splitlines()[1].replace("march", "june")
    source = write(tmp_path / "p_EVAL.csv", f"{DRIFT}{june}\n")

    with pytest.raises(UsageError, match="answers of 2 models") as caught:
        look_at_one(source, Options())

    assert caught.value.cure == (
        ("--old-keep", "model=june"),
        ("--new-keep", "model=march"),
    )


def test_of_other_sources_that_are_given_alone_nothing_is_said(tmp_path: Path) -> None:
    look_at_one(write(tmp_path / "p_EVAL.csv", DRIFT), Options())
    look_at_one(write(tmp_path / "answers.csv", ANSWERS), Options())
    look_at_one("hf:models/v1", Options())


def long_file(path: Path, models: list[str]) -> str:
    """Write the answers of several models to the same questions, model by model."""
    rows = [f"{i},a,{model},a" for model in models for i in range(300)]
    return write(path, "qid,label,model,output\n" + "\n".join(rows) + "\n")


def test_two_models_in_one_file_are_told_apart_by_their_rows(tmp_path: Path) -> None:
    path = long_file(tmp_path / "all.csv", ["m-new", "m-old"])
    cure = {
        "--fields": "id=qid,prediction=output,gold=label",
        "--old-keep": "model=m-old",
        "--new-keep": "model=m-new",
    }

    assert cure_of(path, None) == cure
    assert cure_of(path, path) == cure
    fields = {"id": "qid", "prediction": "output", "gold": "label"}
    assert cure_of(path, None, fields=fields).keys() == {"--old-keep", "--new-keep"}
    look(path, None, Options(old_keep={"model": "m-old"}, fields=fields))


def test_of_more_models_the_first_two_are_perhaps_meant(tmp_path: Path) -> None:
    path = long_file(tmp_path / "all.csv", ["x", "y", "z"])

    with pytest.raises(DataError, match="'x', 'y', 'z'; perhaps OLD is 'x'"):
        look(path, None, Options())


def test_a_model_may_be_a_slice(tmp_path: Path) -> None:
    rows = "1,a,a,x\n2,a,a,y\n"
    path = write(tmp_path / "a.csv", "id,prediction,gold,model\n" + rows)

    look(path, path, Options())
