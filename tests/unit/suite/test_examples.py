import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.suite.examples import load_examples
from compat_eval.suite.suite import Suite

Load = Callable[[str], Suite]
HEAD = "name: tiny\ntask: classification\n"


def loaded(suite_of: Load, text: str, split: str = "test") -> Examples:
    return load_examples(suite_of(HEAD + text), split)


def column(examples: Examples, name: str) -> list[object]:
    return list(examples.column(name).to_pylist())


def test_fields_are_mapped(suite_of: Load, folder: Path) -> None:
    rows = [
        {"key": 7, "q": "hi", "a": 1, "who": "u", "w": 2, "where": "web"},
        {"key": 8, "q": "yo", "a": 0, "who": "v", "w": 0.5, "where": None},
    ]
    (folder / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    examples = loaded(
        suite_of,
        "data: {test: {file: x.jsonl}}\n"
        "fields: {id: key, input: q, gold: a, cluster: who, weight: w}\n"
        "slices: {where: where, yes: {of: gold, equals: [1]}, long: {words: [1]}}\n",
    )

    assert examples.table.to_pydict() == {
        "id": ["7", "8"],
        "input": ["hi", "yo"],
        "gold": ["1", "0"],
        "cluster": ["u", "v"],
        "weight": [2.0, 0.5],
        "slice.where": ["web", None],
        "slice.yes": ["yes", "no"],
        "slice.long": ["0-1", "0-1"],
    }
    assert examples.table.schema.field("input").type == pa.string()


def test_sources_are_joined_in_order(suite_of: Load, folder: Path) -> None:
    (folder / "more.jsonl").write_text('{"id": "z", "text": "so long"}\n')
    examples = loaded(
        suite_of,
        "data:\n  test:\n  - {file: test.csv}\n"
        "  - {file: more.jsonl, constants: {intent: leave}}\n"
        "fields: {id: id, input: text, gold: intent}\n",
    )

    assert column(examples, "id") == ["a", "b", "c", "z"]
    assert column(examples, "gold")[-1] == "leave"


def test_rows_are_kept_and_dropped(suite_of: Load) -> None:
    head = "fields: {id: id, input: text, gold: intent}\n"
    keep = loaded(
        suite_of, head + "data: {test: {file: test.csv, keep: {id: [a, b]}}}\n"
    )
    drop = loaded(suite_of, head + "data: {test: {file: test.csv, drop: {id: [a]}}}\n")

    assert column(keep, "id") == ["a", "b"]
    assert column(drop, "id") == ["b", "c"]


def test_parallel_files_belong_together(suite_of: Load, folder: Path) -> None:
    (folder / "in").write_text("one\ntwo\n")
    (folder / "out").write_text("1\n2\n")
    text = (
        "data: {test: {parallel: {text: {file: in}, label: {file: out}}}}\n"
        "fields: {input: text, gold: label}\n"
    )

    assert column(loaded(suite_of, text), "gold") == ["1", "2"]

    (folder / "out").write_text("1\n")
    with pytest.raises(DataError, match="got text 2, label 1"):
        loaded(suite_of, text)


def test_positions_and_nested_texts(suite_of: Load, folder: Path) -> None:
    document = {"rows": [[[{"t": "hi "}, {"t": "you"}], "greet"]]}
    (folder / "x.json").write_text(json.dumps(document))
    examples = loaded(
        suite_of,
        "data: {test: {file: x.json, select: [rows]}}\n"
        "fields: {input: {column: '0[].t', join: ''}, gold: 1}\n",
    )

    assert column(examples, "input") == ["hi you"]
    assert column(examples, "gold") == ["greet"]


REPEATED = "data: {test: {file: r.csv}}\nfields: {input: text, gold: intent}\n"


def test_examples_without_ids_are_named_by_content(
    suite_of: Load, folder: Path
) -> None:
    (folder / "r.csv").write_text("text,intent\nhi,a\nyo,b\nhi,a\nhi,b\n")
    one = column(loaded(suite_of, REPEATED), "id")
    (folder / "r.csv").write_text("text,intent\nhi,b\nhi,a\nhi,a\nyo,b\n")
    other = column(loaded(suite_of, REPEATED), "id")

    assert len(set(one)) == 4
    assert sorted(map(str, one)) == sorted(map(str, other))
    assert one[2] == f"{one[0]}-2"


def test_repeats_can_be_refused(suite_of: Load, folder: Path) -> None:
    (folder / "r.csv").write_text("text,intent\nhi,a\nhi,a\n")

    with pytest.raises(DataError, match="1 example occurs more than once: 'hi'"):
        loaded(suite_of, REPEATED + "repeats: error\n")


IDS = "data: {test: {file: r.csv}}\nfields: {id: id, input: text, gold: intent}\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,text,intent\n", "no examples in r.csv"),
        ("", "no examples in r.csv"),
        (
            "id,text,intent\na,x,y\na,z,y\n",
            "r.csv.: 1 id occurs more than once .a.;.* leave",
        ),
        ("id,txt,intent\na,x,y\n", "input is column 'text', which is not there; did"),
    ],
)
def test_bad_data_is_refused(
    suite_of: Load, folder: Path, content: str, message: str
) -> None:
    (folder / "r.csv").write_text(content)

    with pytest.raises(DataError, match=message):
        loaded(suite_of, IDS)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "a", "text": None, "intent": "x"}, r"input is missing.*\(rows 2\)"),
        ({"id": "a", "text": "hi", "intent": None}, r"gold is missing.*\(rows 2\)"),
        ({"id": None, "text": "hi", "intent": "x"}, r"id is missing.*\(rows 2\)"),
    ],
)
def test_missing_values_are_named(
    suite_of: Load, folder: Path, row: dict[str, object], message: str
) -> None:
    first = {"id": "0", "text": "t", "intent": "i"}
    (folder / "r.jsonl").write_text(json.dumps(first) + "\n" + json.dumps(row))

    with pytest.raises(DataError, match=message):
        loaded(suite_of, IDS.replace("r.csv", "r.jsonl"))


def test_gold_may_be_absent_altogether(suite_of: Load) -> None:
    examples = loaded(
        suite_of, "data: {test: {file: test.csv}}\nfields: {id: id, input: text}\n"
    )

    assert column(examples, "gold") == [None, None, None]


def test_gold_outside_the_declared_labels_is_named(suite_of: Load) -> None:
    with pytest.raises(
        DataError, match=r"1 gold labels are not in labels.names: leave"
    ):
        loaded(
            suite_of,
            "data: {test: {file: test.csv}}\n"
            "fields: {id: id, input: text, gold: intent}\nlabels: {names: [greet]}\n",
        )


def test_trees_stay_trees_where_the_task_reads_them(
    suite_of: Load, folder: Path
) -> None:
    rows = [{"id": "a", "words": ["hi"], "tree": {"heads": [0]}}]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    text = (
        "name: trees\ntask: dependency\ndata: {test: {file: t.jsonl}}\n"
        "fields: {id: id, input: words, gold: tree}\n"
    )

    examples = load_examples(suite_of(text))

    assert column(examples, "input") == [["hi"]]
    assert column(examples, "gold") == [{"heads": [0]}]
    with pytest.raises(DataError, match=r"no text need fields\.id"):
        load_examples(suite_of(text.replace("id: id, ", "")))
    with pytest.raises(DataError, match="input must be text; got list"):
        load_examples(suite_of(text.replace("dependency", "classification")))


def test_a_constant_does_not_hide_a_column(suite_of: Load) -> None:
    with pytest.raises(DataError, match="constant 'intent' is already a column"):
        loaded(
            suite_of,
            "data: {test: {file: test.csv, constants: {intent: x}}}\n"
            "fields: {id: id, input: text, gold: intent}\n",
        )


def test_a_slice_of_a_missing_column_is_named(suite_of: Load) -> None:
    with pytest.raises(DataError, match="slice column 'chanel' is column 'chanel'"):
        loaded(
            suite_of,
            "data: {test: {file: test.csv}}\nfields: {input: text}\n"
            "slices: {c: chanel}\n",
        )


def test_an_unknown_split_lists_the_others(suite_of: Load) -> None:
    with pytest.raises(UsageError, match="no split 'tset'; did you mean test"):
        loaded(suite_of, "data: {test: {file: a.csv}}\nfields: {input: a}\n", "tset")


def test_a_data_directory_that_does_not_exist_is_an_error(
    suite_of: Load, tmp_path: Path
) -> None:
    suite = suite_of(HEAD + "data: {test: {file: test.csv}}\nfields: {input: text}\n")

    with pytest.raises(UsageError, match="COMPAT_EVAL_DATA"):
        load_examples(suite, data_dir=tmp_path / "none")


def test_the_environment_names_the_data_directory(
    suite_of: Load, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = suite_of(HEAD + "data: {test: {file: far.csv}}\nfields: {input: text}\n")
    (folder / "mirror").mkdir()
    (folder / "mirror" / "far.csv").write_text("text\nhello\n")
    monkeypatch.setenv("COMPAT_EVAL_DATA", str(folder / "mirror"))

    assert len(load_examples(suite)) == 1


@pytest.mark.slow
def test_a_million_lines_are_read(suite_of: Load, folder: Path) -> None:
    line = (
        '{{"id": "{0}", "text": "what is the weather like in town {0}", "y": "w{1}"}}\n'
    )
    lines = [line.format(i, i % 50) for i in range(1_000_000)]
    (folder / "big.jsonl").write_text("".join(lines))
    suite = suite_of(
        HEAD + "data: {test: {file: big.jsonl}}\n"
        "fields: {id: id, input: text, gold: y}\nslices: {w: {words: [4]}}\n"
    )

    examples = load_examples(suite)

    assert len(examples) == 1_000_000
