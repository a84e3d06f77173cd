"""From a file's rows to knowledge articles: policies and answers to frequent questions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.utils.text import slugify

from catalog.ingest.cells import one_text, prose
from catalog.ingest.mapping import column_key, recognised
from catalog.ingest.readers import Row
from catalog.ingest.records import ArticleRecord, RowError

ARTICLE_FIELDS = {
    "title": "question name heading 标题 问题",
    "body": "answer text content description 正文 内容 答案 回答",
    "slug": "id key 编号",
    "language": "lang locale 语言",
}

_ARTICLE_COLUMNS = recognised(ARTICLE_FIELDS)


def read_articles(
    rows: Iterable[Row | RowError], *, language: str = "en"
) -> tuple[list[ArticleRecord], list[RowError]]:
    """One article per row, in ``language`` where the row names none, with a slug made from its title likewise."""
    records: list[ArticleRecord] = []
    errors: list[RowError] = []
    for row in rows:
        if isinstance(row, RowError):
            errors.append(row)
            continue
        line, values = row
        said: dict[str, str] = {}
        try:
            for column, value in sorted(values.items(), key=lambda item: column_key(item[0]) not in ARTICLE_FIELDS):
                name = _ARTICLE_COLUMNS.get(column_key(column))
                if name and not said.get(name):
                    said[name] = one_text(name, value)
            missing = [name for name in ("title", "body") if not said.get(name)]
            if missing:
                raise ValueError(f"no {' and no '.join(missing)}: an article needs both")
        except ValueError as error:
            errors.append(RowError(line, str(error)))
            continue
        title = prose(said["title"])
        records.append(
            ArticleRecord(
                slug=article_slug(said.get("slug") or title),
                title=title,
                body=prose(said["body"]),
                language=said.get("language", "").lower() or language,
                line=line,
            )
        )
    return records, errors


def article_slug(name: str) -> str:
    """ASCII, as slugs in addresses are; a name without any ASCII letter gets a stable code."""
    return slugify(name)[:120].strip("-") or f"article-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
