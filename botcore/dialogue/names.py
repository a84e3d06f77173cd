"""What replies call attributes and meanings, in the customer's language."""

from __future__ import annotations

from functools import cache

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, Meaning

CHINESE_ATTRIBUTES = {
    "category": "品类", "kind": "款式", "budget": "预算", "price": "价格", "rating": "评分", "color": "颜色",
    "material": "材质", "size": "尺码", "use": "用途", "recipient": "对象", "style": "风格", "genre": "类型",
    "scent": "香型", "skin_type": "肤质", "hair_type": "发质", "occasion": "场合", "season": "季节", "feature": "特点",
    "capacity": "容量", "power": "功率", "brand": "品牌", "fit": "版型", "format": "装帧", "gender": "适用人群",
    "audience": "适合读者", "author": "作者", "mood": "氛围", "finish": "妆效", "ingredient": "成分", "texture": "质地",
    "type": "类型", "time": "使用时间", "pack": "规格", "packaging": "包装", "battery": "续航", "floor": "地面",
    "household": "适用家庭", "need": "需求", "room": "房间", "place": "摆放位置", "pages": "页数", "noise": "噪音",
    "coverage": "适用面积", "effect": "效果", "program": "程序", "navigation": "导航", "slots": "槽数", "soleplate": "底板",
}  # fmt: skip

SPOKEN: dict[str, tuple[str, ...]] = {
    "price": ("prices", "budget", "cost", "money", "价钱", "预算"),
    "color": ("colour", "colours", "colors", "shade", "色"),
    "material": ("materials", "fabric", "材料", "面料", "料子"),
    "size": ("sizes", "大小", "尺寸", "码"),
    "brand": ("brands", "make", "牌子"),
    "style": ("styles", "款式", "款"),
    "scent": ("smell", "香味", "味道", "气味", "香气", "味"),
    "feature": ("function", "功能", "特性"),
    "capacity": ("volume", "容积"),
    "texture": ("form", "状"),
    "power": ("wattage",),
    "battery": ("runtime", "电池"),
    "ingredient": ("成份",),
    "format": ("edition", "版本", "版"),
    "fit": ("cut", "款型"),
    "author": ("writer", "作家"),
    "mood": ("气氛",),
    "noise": ("噪声", "声音"),
    "room": ("空间",),
    "season": ("时节",),
}
"""What customers call attributes, beside the names that replies use."""


@cache
def attribute_words(attribute: str) -> frozenset[str]:
    """All that an attribute is called, in both languages."""
    return frozenset({*(attribute_name(attribute, language) for language in ("en", "zh")), *SPOKEN.get(attribute, ())})


def attribute_name(attribute: str, language: str) -> str:
    if language == "zh":
        return CHINESE_ATTRIBUTES.get(attribute, attribute)
    return attribute.replace("_", " ")


def meaning_name(meaning: Meaning, language: str, lexicon: Lexicon) -> str:
    """A meaning told from others of the same word: the attribute it is of, or the category with its department."""
    if meaning.attribute != CATEGORY:
        name = attribute_name(meaning.attribute, language)
        return name if language == "zh" else f"the {name}"
    category, department = (lexicon.categories.get(path) for path in (meaning.value, meaning.value.partition("/")[0]))
    if category is None or department is None:
        return meaning.value
    if category is department:
        return category.chinese if language == "zh" else category.name.lower()
    if language == "zh":
        return f"{department.chinese}里的{category.chinese}"
    return f"{category.name.lower()} in {department.name.lower()}"
