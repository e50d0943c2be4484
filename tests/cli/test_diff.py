import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compat_eval.cli.diff import app
from compat_eval.core.errors import SuiteError, UsageError
from tests.unit.report.hostile import ACTS
from tests.unit.report.made_run import Row, made_run, varied_rows
from tests.unit.report.parsed_run import parsed_run, semantic_run
from tests.unit.report.runs_on_disk import written

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = varied_rows(400, broken=25, fixed=7, missed=5)
    return written(made_run(rows), tmp_path_factory.mktemp("diff") / "run")


def test_twenty_flips_are_shown_and_the_rest_is_counted(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run)])

    assert done.exit_code == 0
    assert done.stdout.count("▼ broken") == 20
    assert "32 of 32 flips fit: 25 examples broken and 7 fixed; 12 more" in done.stdout


def test_all_shows_every_one(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--all"])

    assert done.stdout.count("▼ broken") == 25
    assert done.stdout.count("▲ fixed") == 7


def test_filters_narrow_what_is_shown(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--show", "fixed", "--limit", "3"])

    assert done.stdout.count("▲ fixed") == 3
    assert "7 of 7 flips fit: 0 examples broken and 7 fixed" in done.stdout


def test_an_unknown_slice_is_a_usage_error(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--slice", "topic"])

    assert isinstance(done.exception, UsageError)
    assert "domain, length" in str(done.exception)


def test_an_unknown_value_of_a_slice_lists_the_known(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--slice", "domain=nothing"])

    assert isinstance(done.exception, SuiteError)
    assert "domain=" in str(done.exception)


def test_an_unknown_level_is_a_usage_error(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--level", "las"])

    assert isinstance(done.exception, UsageError)


def test_export_to_json_lines_holds_every_flip_with_its_id(
    run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "flips.jsonl"

    done = RUNNER.invoke(app, [str(run), "--show", "broken", "--export", str(out)])

    records = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert "wrote 25 flips" in done.stdout
    assert len({record["id"] for record in records}) == 25
    assert {record["cell"] for record in records} == {"broken"}


def test_export_to_csv(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "flips.csv"

    RUNNER.invoke(app, [str(run), "--export", str(out)])

    with out.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 32


def test_an_export_of_unclear_format_is_a_usage_error(
    run: Path, tmp_path: Path
) -> None:
    done = RUNNER.invoke(app, [str(run), "--export", str(tmp_path / "flips.xls")])

    assert isinstance(done.exception, UsageError)
    assert not list(tmp_path.iterdir())


def test_hostile_text_is_shown_and_does_not_act(tmp_path: Path) -> None:
    text = "\x1b[31mred\x00 \u202eback [bold]no markup[/bold]"
    row = Row(id=text, text=text, gold="g", old="g", new=text, slices={"s": text})
    path = written(made_run([row]), tmp_path / "run")

    done = RUNNER.invoke(app, [str(path)])

    assert not ACTS.search(done.stdout)
    assert "[bold]no markup[/bold]" in done.stdout.replace("\n", "")


def test_texts_give_no_commands_to_the_log_of_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "::error::y\n##[debug]z"
    row = Row(id="::add-mask::x", text=text, gold="g", old="g", new="::n")
    made = written(made_run([row]), tmp_path / "run")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    done = RUNNER.invoke(app, [str(made), "--full"])

    assert "add-mask" in done.stdout
    assert "::" not in done.stdout
    assert "##[" not in done.stdout


def test_parses_are_told_by_their_flipped_words(tmp_path: Path) -> None:
    parses = written(parsed_run(), tmp_path / "parses")

    done = RUNNER.invoke(app, [str(parses)])

    assert "  ▼ dog: obj ← saw, now obj ← the\n" in done.stdout
    assert "1:nsubj" not in done.stdout
    assert "▼ broken s1  2 words broken, 1 fixed\n" in done.stdout


def test_a_sentence_with_words_of_both_kinds_fits_either_cell(tmp_path: Path) -> None:
    parses = written(parsed_run(), tmp_path / "parses")

    for cell, ids in (("broken", ["s1"]), ("fixed", ["s1", "s2"])):
        out = tmp_path / f"{cell}.jsonl"
        RUNNER.invoke(app, [str(parses), "--show", cell, "--export", str(out)])
        lines = out.read_text("utf-8").splitlines()
        assert [json.loads(line)["id"] for line in lines] == ids


def test_semantic_trees_are_printed_a_node_a_line(tmp_path: Path) -> None:
    trees = written(semantic_run(), tmp_path / "trees")

    done = RUNNER.invoke(app, [str(trees), "--show", "broken"])

    assert "\n  gold\n    IN:GET_DIRECTION Directions to\n" in done.stdout
    assert "\n          ▼ SL:CATEGORY party\n" in done.stdout
    assert "\n  new ✗\n" in done.stdout


def test_one_example_is_shown_whole_whether_it_flipped_or_not(tmp_path: Path) -> None:
    text = "long " * 200
    row = Row(id="k", text=text, gold="a", old="a", new="a")
    folder = written(made_run([row]), tmp_path / "run")

    short = " ".join(RUNNER.invoke(app, [str(folder), "--id", "k"]).stdout.split())
    whole = RUNNER.invoke(app, [str(folder), "--id", "k", "--full"]).stdout

    assert "= kept k" in short
    assert "700 more characters" in short
    assert "--full" in short
    assert whole.count("long") == 200


def test_kept_and_missed_examples_are_shown_on_request(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--show", "kept,missed", "--all"])

    assert done.stdout.count("≠ missed") == 5
    assert done.stdout.count("= kept") == 400 - 25 - 7 - 5


def test_an_unknown_cell_lists_the_known(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--show", "brocken"])

    assert isinstance(done.exception, UsageError)
    assert "broken, fixed, kept, missed or all" in str(done.exception)


def test_an_unknown_id_is_a_usage_error(run: Path) -> None:
    done = RUNNER.invoke(app, [str(run), "--id", "nobody"])

    assert isinstance(done.exception, UsageError)
