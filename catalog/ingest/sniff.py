"""What a file of unknown origin holds, by what is in it rather than by its name."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from catalog.ingest.readers import FeedError

HEAD = 65_536
"""Bytes that are looked at."""
ENCODINGS = ("utf-8-sig", "gb18030", "utf-16", "latin-1")


def kind_of(head: bytes) -> str:
    """The extension by which ``read_rows`` reads a file that begins so. Raises ``FeedError`` for what it cannot read."""
    if head.startswith(b"PK\x03\x04"):
        return ".xlsx"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FeedError("this is a workbook of the old kind (.xls); save it as .xlsx")
    text = head.decode(encoding_of(head), "replace").lstrip("\ufeff \t\r\n")
    if not text:
        raise FeedError("the file is empty; export it again")
    if "\0" in text:
        raise FeedError("this is no table of products; upload CSV, TSV, XLSX, JSONL or YAML")
    if text.startswith("<"):
        raise FeedError("XML and web pages are not read; export CSV, XLSX, JSONL or YAML")
    if text.startswith("["):
        raise FeedError("a JSON array; write one object per line, without the brackets and commas around them")
    if text.startswith("{"):
        return ".jsonl"
    return ".yaml" if re.match(r"---\s|- ?\S+:|#.*\n- ", text) else ".csv"


def encoding_of(head: bytes) -> str:
    """The likeliest of ``ENCODINGS``: what is not UTF-8 comes from a Chinese spreadsheet program, if it can."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        try:  # the last character may be cut in two
            codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def head_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)
