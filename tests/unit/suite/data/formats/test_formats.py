import json
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.data.formats import FORMATS, Reading, read_file
from compat_eval.suite.data.source import Source


def read(path: Path, **options: object) -> pa.Table:
    source = Source.model_validate({"file": path.name, **options})
    return FORMATS.load(str(source.format_name))(path, source.reading, path.name)


def rows(path: Path, **options: object) -> list[dict[str, object]]:
    return list(read(path, **options).to_pylist())


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_csv_cells_are_text_and_hold_line_breaks(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'id,text\n007,"two\nlines, ""quoted"""\n1,NA\n')

    assert rows(path) == [
        {"id": "007", "text": 'two\nlines, "quoted"'},
        {"id": "1", "text": "NA"},
    ]


def test_csv_rows_that_all_hold_line_breaks_tell_what_a_row_looks_like(
    tmp_path: Path,
) -> None:
    code = "def f(a):\n  return a, 2, b, 4, c\n"
    lines = "".join(f'{i},m{i % 2},"{code}",0.{i},9,x\n' for i in range(12))
    path = written(tmp_path, "a.csv", f"id,model,text,p,n,name\n{lines}")

    assert [row["text"] for row in rows(path)] == [code] * 12


def test_a_quotation_mark_that_swallows_a_row_is_refused_beside_line_breaks(
    tmp_path: Path,
) -> None:
    lines = [f'{i},m{i % 2},"two\nlines",0.{i},9,x\n' for i in range(12)]
    lines[5:7] = ['5,m1,"open,0.5,9,x\n', "6,m0,one,0.6,9,x\n", '7,m1,shut",0.7,9,x\n']
    path = written(tmp_path, "a.csv", "id,model,text,p,n,name\n" + "".join(lines))

    with pytest.raises(DataError, match="a line between looks like a row by itself"):
        read(path)


def test_csv_without_header_has_positions(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "x;1\ny;2\n")

    assert rows(path, header=False, delimiter=";") == [
        {"0": "x", "1": "1"},
        {"0": "y", "1": "2"},
    ]


def test_tsv_can_hold_plain_quotation_marks(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", 'text\tn\nsay "hi\t1\nand" bye\t2\n')

    assert rows(path, quote=None) == [
        {"text": 'say "hi', "n": "1"},
        {"text": 'and" bye', "n": "2"},
    ]


def test_a_csv_row_of_another_length_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'a,b\n1,"x\ny"\n1,2,3\n')

    with pytest.raises(DataError, match=r"a.csv:4: has 3 cells, the first row has 2"):
        read(path)


def test_a_csv_whose_quotes_never_close_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv:3: a quotation mark .* never closed"):
        read(written(tmp_path, "a.csv", 'a,b\n0,"y"\n1,"x\n2,3\n'))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('id,text,label\n1,x,a\n2,"y,a\n3,z",b\n4,w,b\n', 3),
        ('id,text,label\n1,"y,a\n2,u,a\n3,v,a\n4,z",b\n', 2),
        ('id,text,label\n1,x,a\n2,"y,a\n3,"z",b\n', 3),
        ('text,label,id\nin "",a,1\n"off,a,2\non",b,3\nby,b,4\n', 3),
        ('id,text\n1,x\n2,"y\n3,z\n', 3),
        ('id,text,label\r1,x,a\r2,"y,a\r3,z",b\r', 3),
    ],
)
def test_rows_that_a_stray_quotation_mark_would_swallow(
    tmp_path: Path, text: str, line: int
) -> None:
    with pytest.raises(DataError, match=rf"a\.csv:{line}: a quotation mark .*--read q"):
        read(written(tmp_path, "a.csv", text))

    if text.count("\r") == 0:
        plain = read(written(tmp_path, "a.csv", text), quote=None)
        assert len(plain) == text.count("\n") - 1


def test_cells_may_hold_line_breaks_with_commas(tmp_path: Path) -> None:
    text = 'id,text,label\n1,"Dear all,\nthanks, bye",a\n2,"x ""y"", z\n\nw",b\n3,u,c\n'

    found = rows(written(tmp_path, "a.csv", text))

    assert [row["text"] for row in found] == [
        "Dear all,\nthanks, bye",
        'x "y", z\n\nw',
        "u",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id;gold\n1;a\n", r"one column 'id;gold'.*by ';': add --read 'delimiter=;'"),
        ("id,gold,,\n1,a,,\n", r"2 columns have no name among 'id'.*--read strip=yes"),
        ("id,gold\n1,\0\n", r"a\.csv:2: holds a NUL byte"),
    ],
)
def test_a_csv_that_needs_an_option_names_it(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, "a.csv", text))


def test_blanks_and_empty_columns_are_left_out_on_demand(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id , gold,,\n1, a b ,,\n")

    assert read(path, strip=True).to_pylist() == [{"id": "1", "gold": "a b"}]


def test_a_quotation_mark_inside_a_cell_is_plain(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'a,b\n5" pipe,x\ny,z\n')

    assert rows(path) == [{"a": '5" pipe', "b": "x"}, {"a": "y", "b": "z"}]


def test_a_column_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.csv:1: names the column 'x' twice"):
        read(written(tmp_path, "a.csv", "x,x\n1,2\n"))


def test_a_csv_cell_larger_than_a_block_is_read(tmp_path: Path) -> None:
    long = "x" * (2**23 + 10)

    path = written(tmp_path, "a.csv", f"text\n{long}\n")
    assert rows(path) == [{"text": long}]

    path = written(tmp_path, "b.csv", f'{long}\n"never closed\n')
    with pytest.raises(DataError, match=r"b\.csv:2: a quotation mark"):
        read(path, header=False)


def test_jsonl_keeps_what_looks_like_a_date(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.jsonl", '{"text": "2024-01-01"}\n\n{"text": "2024-02-01"}'
    )

    assert rows(path) == [{"text": "2024-01-01"}, {"text": "2024-02-01"}]


def test_a_truncated_jsonl_file_names_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"a": "x"}\n{"a": "y"}\n{"a": "z')

    with pytest.raises(DataError, match=r"a.jsonl:3: is not valid JSON.*cut off"):
        read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n[1]\n', r"a.jsonl:2: must be an object"),
        ('{"a": 1}\n{"a": 1, "a": 2}\n', r"a.jsonl:2: .*the key 'a' is given twice"),
        ('{"a": "x"}\n{"a": "\\ud83c"}\n', r"a.jsonl:2: .*surrogates not allowed"),
        ('{"a": 1}\nx\n{"a": 1}\n', "a.jsonl:2: is not valid JSON"),
    ],
)
def test_a_bad_jsonl_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, "a.jsonl", text))


@pytest.mark.parametrize(
    ("cells", "read_as"),
    [
        (["1", '"x"', "true"], ["1", "x", "true"]),
        (["1", "null", "2"], [1, None, 2]),
        (["1.0", "NaN", "2"], [1.0, None, 2.0]),
        (["18446744073709551616", "1"], [2.0**64, 1.0]),
        (['{"b": 1}', '{"b": "x"}'], [{"b": "1"}, {"b": "x"}]),
        (['{"b": 1.50}', '"x"', "[1]"], ['{"b": 1.50}', "x", "[1]"]),
    ],
)
def test_what_changes_its_type_is_text(
    tmp_path: Path, cells: list[str], read_as: list[object]
) -> None:
    lines = "".join(f'{{"a": {cell}}}\n' for cell in cells)
    document = "[" + ",".join(f'{{"a": {cell}}}' for cell in cells) + "]"

    assert [row["a"] for row in rows(written(tmp_path, "a.json", document))] == read_as
    found = [row["a"] for row in rows(written(tmp_path, "a.jsonl", lines))]
    assert [None if value != value else value for value in found] == read_as  # noqa: PLR0124


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_numbers_are_text_as_they_are_written(tmp_path: Path, name: str) -> None:
    cells = ["1.0", "1e5", "18446744073709551616", "NaN", "-0.50"]
    lines = [f'{{"a": {cell}, "b": {{"c": {cell}}}}}' for cell in cells]
    text = "\n".join(lines) if name == "a.jsonl" else f"[{','.join(lines)}]"
    path = written(tmp_path, name, text)

    found = read_file(
        path, str(Source(file=name).format_name), Reading(), name, {"a", "b.c"}
    ).to_pylist()

    assert [row["a"] for row in found] == [None if c == "NaN" else c for c in cells]
    assert [row["b"]["c"] for row in found] == [row["a"] for row in found]


def test_lists_and_objects_may_not_nest_without_end(tmp_path: Path) -> None:
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    flat = '{"a": [' + "[]," * 999 + "[]]}"
    path = written(tmp_path, "a.jsonl", f"{flat}\n{deep}\n")

    assert len(rows(written(tmp_path, "b.jsonl", flat))) == 1
    with pytest.raises(DataError, match=r"a\.jsonl:2: nests too deep"):
        read(path)


def test_a_jsonl_row_larger_than_a_block_is_read(tmp_path: Path) -> None:
    long = "x" * (2**23 + 10)
    path = written(tmp_path, "a.jsonl", f'{{"text": "a"}}\n{{"text": "{long}"}}\n')

    assert rows(path)[1] == {"text": long}


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.json", "a.txt"])
def test_other_encodings_are_an_error_with_the_cure(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, b'{"text": "x",\n"y": "caf\xe9"}')

    with pytest.raises(
        DataError, match=r":2: is not utf-8 at byte offset 23"
    ) as caught:
        read(path)

    assert "encoding: latin-1" in str(caught.value)


def test_latin_1_is_read_where_it_is_declared(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", b'[{"text": "caf\xe9"}]')

    assert rows(path, encoding="latin-1") == [{"text": "café"}]


def test_emoji_as_surrogate_pairs_are_an_error_with_their_cure(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", b"caf\xc3\xa9 \xed\xa0\xbc\xed\xbd\x95\n")

    with pytest.raises(DataError, match="encoding: cesu-8"):
        read(path)

    assert rows(path, encoding="cesu-8") == [{"text": "café \N{SLICE OF PIZZA}"}]


def test_half_a_surrogate_pair_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.txt:1: is not cesu-8"):
        read(written(tmp_path, "a.txt", b"\xed\xa0\xbc\n"), encoding="cesu-8")
    with pytest.raises(DataError, match="half a character"):
        read(written(tmp_path, "a.json", '[{"a": "\\ud83c"}]'))


def test_an_unknown_encoding_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unknown encoding 'latin-99'"):
        read(written(tmp_path, "a.txt", "x"), encoding="latin-99")


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    assert rows(written(tmp_path, "a.csv", b"\xef\xbb\xbfx\n1\n")) == [{"x": "1"}]
    utf16 = "x\n1\n".encode("utf-16")
    assert rows(written(tmp_path, "b.csv", utf16), encoding="utf-16") == [{"x": "1"}]


def test_json_rows_are_selected_and_joined(tmp_path: Path) -> None:
    document = {"data": {"a": [["x", "l1"]], "b": [["y", "l2"]]}}
    path = written(tmp_path, "a.json", json.dumps(document))

    assert rows(path, select=["data.a", "data.b"]) == [
        {"0": "x", "1": "l1"},
        {"0": "y", "1": "l2"},
    ]


def test_json_objects_may_lack_keys(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", '[{"a": "x"}, {"b": 2}]')

    assert rows(path) == [{"a": "x", "b": None}, {"a": None, "b": 2}]


@pytest.mark.parametrize(
    ("text", "select", "message"),
    [
        ('{"test": []}', ["tset"], "has no key 'tset'; select one of: test"),
        ('{"test": {"a": []}}', ["test"], "test must be a list of rows; got an object"),
        (
            '{"a": 1}',
            [],
            "the document must be a list of rows; got an object; select one",
        ),
        ('["a", {"a": 1}]', [], "row 1 must be an object or a list; got a text"),
        ('[["a", "b"], ["a"]]', [], "row 2 is unlike row 1"),
        ('[{"a": 1}, ["a"]]', [], "row 2 is unlike row 1"),
        ('[{"a": 1, "a": 2}]', [], "the key 'a' is given twice"),
        ('[{"a": "\\ud83c"}]', [], "surrogates not allowed"),
        ('[\n{"a": 1},\n}', [], "a.json:3: is not valid JSON"),
        ("[" * 100_000, [], "nests too deep"),
    ],
)
def test_json_of_another_shape_is_refused(
    tmp_path: Path, text: str, select: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, "a.json", text), select=select)


def test_lines_end_at_line_feeds_only(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", "one\r\ntwo\u2028still two\n\nfour")

    assert [row["text"] for row in rows(path)] == [
        "one",
        "two\u2028still two",
        "",
        "four",
    ]


def test_parquet_is_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "a.parquet")

    assert rows(tmp_path / "a.parquet") == [{"a": "x"}]


def test_categories_in_parquet_are_their_values(tmp_path: Path) -> None:
    values = pa.array(["x", "y", None, "x"]).dictionary_encode()
    pq.write_table(pa.table({"a": values}), tmp_path / "a.parquet")

    table = read(tmp_path / "a.parquet")

    assert table["a"].type == pa.string()
    assert table["a"].to_pylist() == ["x", "y", None, "x"]


def test_a_parquet_column_named_twice_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1])] * 2, names=["a", "a"])
    pq.write_table(table, tmp_path / "a.parquet")

    with pytest.raises(DataError, match="names the column 'a' twice"):
        read(tmp_path / "a.parquet")


def test_a_table_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(20_000)]
    row = json.dumps(dict.fromkeys(names, 1))
    csv = ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n"
    pq.write_table(pa.table({n: [1] for n in names}), tmp_path / "a.parquet")
    for path in (
        tmp_path / "a.parquet",
        written(tmp_path, "a.jsonl", row),
        written(tmp_path, "a.json", f"[{row}]"),
        written(tmp_path, "a.csv", csv),
    ):
        with pytest.raises(DataError, match="has 20,000 columns"):
            read(path)


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.parquet: is no readable Parquet file"):
        read(written(tmp_path, "a.parquet", "PAR1 nonsense"))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    assert read(written(tmp_path, name, "")).num_rows == 0


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.csv: cannot be read"):
        read(tmp_path / "a.csv")


def test_jsonl_makes_no_python_object_per_row(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"id": "a", "text": "hello"}\n' * 50_000)
    read(path)
    tracemalloc.start()

    read(path)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The file's bytes and their decoded text are held; 50,000 objects would be more.
    assert peak < 3 * path.stat().st_size
