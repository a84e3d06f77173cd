"""What a feed's columns mean, said in a mapping or recognised by their names.

Names are known in English and Chinese and as the feeds of large marketplaces write them. What is not known is an
attribute, so no column is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from catalog.ingest.readers import FeedError, read_mapping

BUILT_IN = Path(__file__).parent / "mappings"

PRODUCT_FIELDS = {
    "sku": "id item_id product_code article_number 货号 商品编号 商品编码 编号",
    "variant_sku": "variant_id sku_id 规格编码",
    "group": "item_group_id group_id parent_id parent_sku product_sku product_id handle spu spu_id 商品组",
    "title": "name product_name product_title item_name 标题 名称 商品名称 商品标题 品名",
    "description": "product_description body_html body long_description 描述 商品描述 详情 商品详情",
    "price": "sale_price unit_price variant_price 价格 售价 单价",
    "stock": "current_stock quantity qty inventory stock_quantity variant_inventory_qty availability 库存 数量",
    "category": "categories product_type product_category google_product_category type 分类 类目 类别 商品分类",
    "brand": "vendor manufacturer 品牌",
    "image": "image_url image_link image_src picture photo 图片 主图",
    "url": "link product_url product_link 链接 商品链接",
    "rating": "average_rating stars avg_rating 评分",
    "rating_count": "review_count reviews_count number_of_reviews ratings 评价数 评论数",
}
OTHER_NAMES = "aliases"
"""What else a product is called: words to find it by, no value to choose."""
ATTRIBUTE_NAMES = {
    "color": "colour colors colours 颜色 色彩",
    "size": "sizes 尺码 尺寸 大小",
    "material": "materials fabric 材质 面料",
    "gender": "sex gender_affinity target_gender 性别 适用性别",
    "age_group": "age 年龄段",
    OTHER_NAMES: "alias keywords search_terms synonyms 别名 关键词 搜索词",
}
USUAL_VALUES = {
    "gender": {
        **dict.fromkeys(["f", "w", "female", "woman", "women's", "女", "女士", "女性"], "women"),
        **dict.fromkeys(["m", "male", "man", "men's", "男", "男士", "男性"], "men"),
        **dict.fromkeys(["u", "all", "both", "男女通用", "通用"], "unisex"),
    },
}
"""What feeds call the values that a shop's customers have words for: nobody is asked "f or m?"."""
# Without "id" and "no", which end too many columns that are no translations.
_LANGUAGES = "ar|bg|cs|da|de|el|en|es|et|fi|fr|he|hi|hr|hu|it|ja|ko|lt|lv|nb|nl|pl|pt|ro|ru|sk|sl|sv|th|tr|uk|vi|zh"
_TRANSLATED = re.compile(rf"(?P<base>.+)_(?P<language>{_LANGUAGES})(_[a-z]{{2,4}})?")


def column_key(column: str) -> str:
    """``Product Name``, ``product-name`` and ``product_name`` are one column."""
    return re.sub(r"[^\w]+", "_", column.strip().lower()).strip("_")


def recognised(names: AnyMapping[str, str]) -> dict[str, str]:
    return {alias: name for name, aliases in names.items() for alias in [name, *aliases.split()]}


_PRODUCT_COLUMNS = recognised(PRODUCT_FIELDS)
_ATTRIBUTE_COLUMNS = recognised(ATTRIBUTE_NAMES)


@dataclass(frozen=True)
class Mapping:
    """What the columns of one feed mean. Column names are compared by ``column_key``.

    ``fields`` column to field (a key of ``PRODUCT_FIELDS``); ``category`` the columns that make the category path,
    from the root; ``attributes`` column to attribute; ``values`` attribute to {the feed's value: ours}, lower-case;
    ``ignore`` columns to leave out; ``defaults`` field to what a row says that leaves it empty.
    """

    fields: AnyMapping[str, str] = field(default_factory=dict)
    category: tuple[str, ...] = ()
    attributes: AnyMapping[str, str] = field(default_factory=dict)
    values: AnyMapping[str, AnyMapping[str, str]] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()
    defaults: AnyMapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, name: str) -> Mapping:
        """A built-in mapping by its name, or the YAML file at that path. Raises ``FeedError``."""
        built_in = BUILT_IN / f"{name}.yaml"
        path = built_in if built_in.parent == BUILT_IN and built_in.is_file() else Path(name)
        if not path.is_file():
            known = ", ".join(sorted(path.stem for path in BUILT_IN.glob("*.yaml")))
            raise FeedError(f"no mapping {name!r}; name a YAML file or one of: {known}")
        return cls.from_dict(read_mapping(path))

    @classmethod
    def from_dict(cls, said: AnyMapping[str, Any]) -> Mapping:
        """Raises ``FeedError`` for keys, fields or shapes that mean nothing here."""
        unknown = said.keys() - {part.name for part in fields(cls)}
        if unknown:
            raise FeedError(f"the mapping has unknown parts: {', '.join(sorted(unknown))}; see docs/importing.md")
        renamed = _table(said, "values")
        mapping = cls(
            fields={column_key(column): name for column, name in _texts(said, "fields").items()},
            category=tuple(map(column_key, _list(said, "category"))),
            attributes={column_key(column): name for column, name in _texts(said, "attributes").items()},
            values={
                name: {fed.lower(): ours.lower() for fed, ours in _texts(renamed, name).items()} for name in renamed
            },
            ignore=frozenset(map(column_key, _list(said, "ignore"))),
            defaults=_texts(said, "defaults"),
        )
        wrong = {*mapping.fields.values(), *mapping.defaults} - PRODUCT_FIELDS.keys()
        if wrong:
            known = ", ".join(PRODUCT_FIELDS)
            raise FeedError(f"the mapping names unknown fields: {', '.join(sorted(wrong))}; known are {known}")
        return mapping


def _table(said: AnyMapping[str, Any], part: str) -> dict[str, Any]:
    table = said.get(part) or {}
    if not isinstance(table, dict):
        raise FeedError(f"{part} of the mapping holds 'name: value' lines; see docs/importing.md")
    return table


def _texts(said: AnyMapping[str, Any], part: str) -> dict[str, str]:
    table = _table(said, part)
    if not all(isinstance(value, str) for value in table.values()):
        raise FeedError(f"{part} of the mapping holds one word after each name; see docs/importing.md")
    return table


def _list(said: AnyMapping[str, Any], part: str) -> list[str]:
    items = said.get(part) or []
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise FeedError(f"{part} of the mapping is a list of columns; see docs/importing.md")
    return items


@dataclass(frozen=True)
class Plan:
    """What each column of one feed is, by ``column_key``."""

    fields: AnyMapping[str, str]
    category: tuple[str, ...]
    attributes: AnyMapping[str, str]
    translations: AnyMapping[str, tuple[str, str]]
    value_names: AnyMapping[str, tuple[str, str]]


def plan_columns(columns: list[str], mapping: Mapping, currency: str, language: str) -> Plan:
    """The mapping's word first, then usual names (of several for one field the first listed), then attributes."""
    free = [column for column in columns if column not in mapping.ignore and column not in mapping.category]
    chosen = {name: column for column, name in mapping.fields.items() if column in free}
    claimed = {*mapping.fields, *mapping.attributes}
    usual = {**_PRODUCT_COLUMNS, f"price_{currency.lower()}": "price"}
    own = {
        f"{column}_{language}": name for column, name in _PRODUCT_COLUMNS.items() if name in ("title", "description")
    }
    for column, name in {**own, **usual}.items():
        if column in free and column not in claimed and name not in mapping.fields.values():
            chosen.setdefault(name, column)
    if mapping.category:
        chosen.pop("category", None)
    _settle_identity(chosen)

    left = [column for column in free if column not in chosen.values()]
    named = {column: mapping.attributes.get(column) or _ATTRIBUTE_COLUMNS.get(column, column) for column in left}
    translations: dict[str, tuple[str, str]] = {}
    value_names: dict[str, tuple[str, str]] = {}
    for column in left:
        match = _TRANSLATED.fullmatch(column)
        if column in mapping.attributes or not match:
            continue
        base, spoken = match["base"], match["language"]
        if _PRODUCT_COLUMNS.get(base) in ("title", "description"):
            translations[column] = (_PRODUCT_COLUMNS[base], spoken)
        elif base in named:
            value_names[column] = (named[base], spoken)
    attributes = {key: name for key, name in named.items() if key not in translations and key not in value_names}
    return Plan(chosen, mapping.category, attributes, translations, value_names)


def _settle_identity(chosen: dict[str, str]) -> None:
    """Which column names the thing sold (``sku``) and which, if any, the product it belongs to (``group``)."""
    if "variant_sku" in chosen:
        product = chosen.pop("sku", None)
        chosen["sku"] = chosen.pop("variant_sku")
        if product:
            chosen.setdefault("group", product)
    elif "sku" not in chosen and "group" in chosen:
        chosen["sku"] = chosen.pop("group")
