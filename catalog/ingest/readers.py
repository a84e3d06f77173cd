"""Reads a feed's rows from CSV, XLSX, JSONL or YAML. Knows nothing of products: columns in, columns out.

Every format gives its values as text, as written in the file (a SKU ``007`` stays ``007``), lists and mappings of text
where the format has them, None for nothing. A feed is untrusted: its size, its nesting and its archives are bounded.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from catalog.ingest.records import RowError

MAX_BYTES = 100 * 1024 * 1024
"""Of the file, and of what a compressed file unpacks to. Reading a feed whole takes about ten times its size."""
MAX_ROWS = 1_000_000
MAX_COLUMNS = 500
MAX_DEPTH = 20

Row = tuple[int, dict[str, Any]]
"""The line where a row starts (in a sheet: the sheet's row), and its columns."""


class FeedError(Exception):
    """The file as a whole cannot be read. The message says what to do about it."""


def read_rows(path: Path, encoding: str = "utf-8-sig") -> Iterator[Row | RowError]:
    """The rows of ``path``, and in their place an error for each that cannot be read.

    Raises ``FeedError`` for a file that is missing, empty, too large, broken, or not what its name says it is. It may
    do so at any row: who must not store half a file reads to the end first.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FeedError(f"{path.name}: unknown kind of file; name it {', '.join(sorted(_READERS))} after what it holds")
    count = 0
    for row in reader(_load(path), encoding):
        count += 1
        if count > MAX_ROWS:
            raise FeedError(f"{path.name}: more than {MAX_ROWS:,} rows; split the file")
        yield row
    if not count:
        raise FeedError(f"{path.name}: no rows in it; export it again")


def _load(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FeedError(f"{path.name}: {size:,} bytes; split the file into parts of at most {MAX_BYTES:,}")
        content = path.read_bytes()
    except OSError as error:
        raise FeedError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    if not content.strip():
        raise FeedError(f"{path.name}: the file is empty; export it again")
    return content


def _decode(content: bytes, encoding: str) -> str:
    if content.startswith(b"PK\x03\x04"):
        raise FeedError("this is a spreadsheet or another archive, not text; name it .xlsx")
    try:
        text = content.decode(encoding)
    except LookupError as error:
        raise FeedError(f"unknown encoding {encoding!r}; try utf-8, gb18030 or latin-1") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FeedError(
            f"line {line}: not {encoding.removesuffix('-sig')} text; save the file as UTF-8 or name its --encoding"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FeedError(f"line {line}: a NUL byte, so this is not a text file or a damaged one; export it again")
    return text


def _read_csv(content: bytes, encoding: str) -> Iterator[Row | RowError]:
    text = _decode(content, encoding)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # A quote that never closes swallows the rest of the file; any other slip spoils one row.
            if header is None or "unexpected end" in str(error) or "field limit" in str(error):
                raise FeedError(f'line {line}: {error}; close the quote " that opens there') from error
            yield RowError(line, f"{error}: write a quote inside quotes twice")
            continue
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells)
        else:
            yield _tabular(line, header, cells)


def _delimiter(text: str) -> str:
    """The one that occurs most in the header."""
    return max(",;\t|", key=re.split("[\r\n]", text.lstrip(), maxsplit=1)[0].count)


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise FeedError(f"{len(names)} columns; keep at most {MAX_COLUMNS}")
    twice = next((name for name in names if not name or names.count(name) > 1), None)
    if twice is not None:
        raise FeedError(f"the header names column {twice!r} more than once; give every column its own name")
    return names


def _tabular(line: int, header: list[str], cells: list[Any]) -> Row | RowError:
    if any(str(cell).strip() for cell in cells[len(header) :] if cell is not None):
        return RowError(line, f"{len(cells)} cells under {len(header)} column names: quote cells that hold a separator")
    return line, dict(zip(header, cells, strict=False))


def _read_xlsx(content: bytes, _encoding: str) -> Iterator[Row | RowError]:
    """The first sheet. Formulas count as the values last calculated."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > MAX_BYTES:
            raise FeedError(f"the workbook unpacks to {unpacked:,} bytes; split it into parts below {MAX_BYTES:,}")
        sheet = load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
        # What the file claims about its own size is not to be believed.
        sheet.reset_dimensions()
        header: list[str] | None = None
        for line, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS + 1), start=1):
            if line > MAX_ROWS:
                raise FeedError(f"more than {MAX_ROWS:,} rows; split the file")
            if not any(cell is not None for cell in cells):
                continue
            if header is None:
                header = _header([_cell(cell) or "" for cell in cells])
            else:
                yield _tabular(line, header, [_cell(cell) for cell in cells])
    except FeedError:
        raise
    except (zipfile.BadZipFile, InvalidFileException) as error:
        raise FeedError("not an XLSX workbook; save it from the spreadsheet program as .xlsx") from error
    except Exception as error:  # openpyxl lets whatever a damaged part causes come through
        raise FeedError(f"a damaged XLSX workbook ({error}); save it again as .xlsx") from error


def _cell(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _read_jsonl(content: bytes, encoding: str) -> Iterator[Row | RowError]:
    text = _decode(content, encoding)
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            value = _plain(json.loads(written, parse_float=str, parse_int=str, parse_constant=_refuse_constant))
        except (ValueError, RecursionError) as error:
            yield RowError(line, f"not JSON ({error}): write one object per line")
            continue
        if isinstance(value, dict):
            yield line, value
        else:
            yield RowError(line, 'not an object: write {"sku": ..., "title": ...}')


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _plain(value: Any, depth: int = 0) -> Any:
    """JSON's true and false as the text YAML and CSV would hold."""
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    return value


def read_mapping(path: Path) -> dict[str, Any]:
    """A YAML file that is one mapping rather than a feed, its scalars as text too. Raises ``FeedError``."""
    value: Any = None
    with _yaml_events(_load(path), "utf-8-sig") as events:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                value = _yaml_value(next(events), events, 1)
                break
    if not isinstance(value, dict):
        raise FeedError(f"{path.name}: write 'name: value' lines")
    return value


def _read_yaml(content: bytes, encoding: str) -> Iterator[Row | RowError]:
    """A list of mappings. Built from parser events: composing nodes would recurse in C and expand aliases."""
    with _yaml_events(content, encoding) as events:
        yield from _yaml_items(events)


@contextmanager
def _yaml_events(content: bytes, encoding: str) -> Iterator[Iterator[Any]]:
    try:
        yield yaml.parse(_decode(content, encoding), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise FeedError(f"{where}not YAML ({error.problem}); correct that line") from error
    except yaml.YAMLError as error:
        raise FeedError(f"not YAML ({error}); export it again") from error


def _yaml_items(events: Iterator[Any]) -> Iterator[Row | RowError]:
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise FeedError("several YAML documents in one file; write one list")
            top = next(events)
            if not isinstance(top, yaml.SequenceStartEvent):
                raise FeedError(f"line {_line(top)}: write a list of products, each starting with '- '")
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                line = _line(item)
                value = _yaml_value(item, events, 1)
                yield (line, value) if isinstance(value, dict) else RowError(line, "not a mapping: write 'sku: ...'")


def _line(event: Any) -> int:
    return event.start_mark.line + 1


def _yaml_value(event: Any, events: Iterator[Any], depth: int) -> Any:
    if isinstance(event, yaml.AliasEvent):
        raise FeedError(f"line {_line(event)}: aliases (*{event.anchor}) are not read; write the value out")
    if depth > MAX_DEPTH:
        raise FeedError(f"line {_line(event)}: nested deeper than {MAX_DEPTH}; flatten it")
    if isinstance(event, yaml.ScalarEvent):
        return None if not event.style and event.value in ("", "~", "null", "Null", "NULL") else event.value
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_yaml_value(event, events, depth + 1))
        return items
    pairs = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise FeedError(f"line {_line(event)}: write plain words before the colon")
        pairs[event.value] = _yaml_value(next(events), events, depth + 1)
    return pairs


_READERS: dict[str, Callable[[bytes, str], Iterator[Row | RowError]]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".xlsx": _read_xlsx,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}
