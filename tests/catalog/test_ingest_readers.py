"""Files of every kind, good and hostile, as rows."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from catalog.ingest import readers
from catalog.ingest.readers import FeedError, read_rows
from catalog.ingest.records import RowError


@pytest.fixture
def feed(tmp_path):
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_finds_its_delimiter_and_survives_a_byte_order_mark(feed, delimiter):
    path = feed("feed.csv", "\ufeffsku,title\n007,Pack\n".replace(",", delimiter))
    assert list(read_rows(path)) == [(2, {"sku": "007", "title": "Pack"})]


def test_csv_counts_lines_and_not_rows(feed):
    path = feed("feed.csv", 'sku,title\n\n1,"two\nlines"\n2,Pack\n')
    assert [line for line, _ in read_rows(path)] == [3, 5]


def test_a_csv_row_with_too_many_cells_or_a_stray_quote_is_a_bad_row_and_the_rest_is_read(feed):
    rows = list(read_rows(feed("feed.csv", 'sku,title\n1,a,b\n2,"a"b"\n3,Pack\n')))
    assert [row.line for row in rows if isinstance(row, RowError)] == [2, 3]
    assert rows[-1] == (4, {"sku": "3", "title": "Pack"})


def test_a_sheet_gives_text_as_its_owner_sees_it(feed):
    path = feed("feed.xlsx", workbook(["sku", "title", "price"], [None] * 3, [7.0, "Pack", 12.5], ["007", None, 3]))
    assert list(read_rows(path)) == [
        (3, {"sku": "7", "title": "Pack", "price": "12.5"}),
        (4, {"sku": "007", "title": None, "price": "3"}),
    ]


def test_json_lines_keep_numbers_as_written(feed):
    path = feed("feed.jsonl", '{"sku": 7, "price": 12.50, "new": true, "tags": ["a"], "x": null}\n\n{"sku": "8"}\n')
    assert list(read_rows(path)) == [
        (1, {"sku": "7", "price": "12.50", "new": "true", "tags": ["a"], "x": None}),
        (3, {"sku": "8"}),
    ]


@pytest.mark.parametrize("line", ["{", "[1]", '{"price": NaN}', "[" * 5000, '{"a":' * 50 + "1" + "}" * 50])
def test_a_line_that_is_no_json_object_is_a_bad_row(feed, line):
    bad, good = read_rows(feed("feed.jsonl", f'{line}\n{{"sku": "1"}}\n'))
    assert isinstance(bad, RowError)
    assert bad.line == 1
    assert good == (2, {"sku": "1"})


def test_yaml_gives_lines_and_keeps_leading_zeros_and_the_word_no(feed):
    path = feed("feed.yaml", "# products\n- sku: 007\n  gift: no\n  none: ~\n- sku: '~'\n- plain\n")
    assert list(read_rows(path)) == [
        (2, {"sku": "007", "gift": "no", "none": None}),
        (5, {"sku": "~"}),
        RowError(6, "not a mapping: write 'sku: ...'"),
    ]


LAUGHS = "- a: &a [x, x]\n  b: &b [*a, *a]\n  c: [*b, *b]\n"


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("feed.csv", "", "the file is empty; export it again"),
        ("feed.csv", " \n\n", "the file is empty"),
        ("feed.csv", "sku,title\n", "no rows in it"),
        ("feed.csv", "sku,sku\n1,2\n", "column 'sku' more than once"),
        ("feed.csv", 'sku,title\n1,a\n2,"never closed\n3,b\n', "line 3: .*close the quote"),
        ("feed.csv", b"sku,title\n1,caf\xe9\n", "line 2: not utf-8 text; save the file as UTF-8"),
        ("feed.csv", b"sku,title\n1,a\0b\n", "line 2: a NUL byte"),
        ("feed.csv", "sku,title\n1,a\n".encode("utf-16"), "not utf-8 text"),
        ("feed.csv", workbook(["sku"], ["1"]), "name it .xlsx"),
        ("feed.xls", b"\xd0\xcf\x11\xe0", "unknown kind of file; name it .csv"),
        ("feed.xlsx", "sku,title\n1,a\n", "not an XLSX workbook"),
        ("feed.xlsx", workbook(["sku"], ["1"])[:-200], "not an XLSX workbook"),
        ("feed.jsonl", b'{"a": "\xff"}', "line 1: not utf-8"),
        ("feed.yaml", "products: 1", "write a list of products"),
        ("feed.yaml", "- a: 1\n- b: [", "not YAML"),
        ("feed.yaml", "- a: 1\n---\n- a: 2\n", "several YAML documents"),
        ("feed.yaml", "[" * 100_000, "nested deeper"),
        ("feed.yaml", LAUGHS, r"aliases \(\*a\) are not read"),
    ],
)
def test_a_broken_file_says_what_to_do_about_it(feed, name, content, advice):
    with pytest.raises(FeedError, match=advice):
        list(read_rows(feed(name, content)))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FeedError, match=r"missing\.csv: cannot be read"):
        list(read_rows(tmp_path / "missing.csv"))


def test_another_encoding_may_be_named(feed):
    assert list(read_rows(feed("feed.csv", "标题\n背包\n".encode("gb18030")), "gb18030")) == [(2, {"标题": "背包"})]
    with pytest.raises(FeedError, match="unknown encoding"):
        list(read_rows(feed("feed.csv", "a\n1\n"), "klingon"))


def test_a_workbook_that_unpacks_to_too_much_is_refused_unopened(feed, monkeypatch):
    monkeypatch.setattr(readers, "MAX_BYTES", 1_000_000)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2_000_000)
    assert len(stream.getvalue()) < 10_000
    with pytest.raises(FeedError, match="unpacks to 2,000,000 bytes"):
        list(read_rows(feed("bomb.xlsx", stream.getvalue())))


def test_a_sheet_that_claims_a_cell_at_its_far_corner_costs_nothing(feed):
    book = Workbook()
    book.active.append(["sku"])
    book.active.cell(row=2, column=16_384, value="far")
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(FeedError, match="no rows"):
        list(read_rows(feed("wide.xlsx", stream.getvalue())))


def test_files_above_the_limits_are_refused(feed, monkeypatch):
    path = feed("feed.csv", "sku\n1\n2\n3\n")
    monkeypatch.setattr(readers, "MAX_ROWS", 2)
    with pytest.raises(FeedError, match="more than 2 rows; split the file"):
        list(read_rows(path))
    monkeypatch.setattr(readers, "MAX_BYTES", 5)
    with pytest.raises(FeedError, match="split the file into parts of at most 5"):
        list(read_rows(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary() | st.text().map(str.encode),
    suffix=st.sampled_from([".csv", ".tsv", ".xlsx", ".jsonl", ".yaml"]),
    magic=st.sampled_from([b"", b"PK\x03\x04", b"- a: ", b'{"a": ']),
)
def test_garbage_is_rows_or_one_clear_error(feed, content, suffix, magic):
    try:
        rows = list(read_rows(feed(f"garbage{suffix}", magic + content)))
    except FeedError as error:
        assert str(error)
    else:
        assert all(isinstance(row, RowError) or isinstance(row[1], dict) for row in rows)
