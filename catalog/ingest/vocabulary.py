"""A shop's own words: its category tree and its attributes' values, with what else they are called.

Ingest keeps them in step with the products; understanding reads customers' words with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.text import slugify

from catalog.ingest.records import ProductRecord
from catalog.models import AttributeValue, Category, Product, Shop
from catalog.text import ProductText

UNCATEGORISED = ("Other",)
"""Where products are of which nobody says what they are."""
MAX_VALUE = 60
"""Longer values are prose: products keep them, the vocabulary does not."""

# An attribute with many values of which most belong to one product alone (a bar code) identifies products;
# it does not describe them, and as vocabulary it would only mislead. The last condition spares unchanged rows.
_RECOUNT = """
WITH counted AS (
    SELECT pair.attribute, item.value, count(DISTINCT product.id) AS products
    FROM catalog_product AS product,
         jsonb_each(product.attributes) AS pair(attribute, listed),
         jsonb_array_elements_text(pair.listed) AS item(value)
    WHERE product.shop_id = %(shop)s AND product.active AND length(item.value) <= %(max_value)s
    GROUP BY 1, 2
), describing AS (
    SELECT attribute FROM counted GROUP BY attribute HAVING count(*) <= 200 OR avg(products) >= 1.5
), wanted AS (
    SELECT counted.* FROM counted JOIN describing USING (attribute)
), gone AS (
    UPDATE catalog_attributevalue AS known SET product_count = 0
    WHERE shop_id = %(shop)s AND product_count > 0
      AND NOT EXISTS (SELECT FROM wanted WHERE (wanted.attribute, wanted.value) = (known.attribute, known.value))
)
INSERT INTO catalog_attributevalue AS known (shop_id, attribute, value, names, product_count)
SELECT %(shop)s, attribute, value, '{}', products FROM wanted
ON CONFLICT (shop_id, attribute, value) DO UPDATE SET product_count = EXCLUDED.product_count
WHERE known.product_count <> EXCLUDED.product_count
"""


def category_path(names: Iterable[str]) -> str:
    """``("Food service", "Sandwiches/wraps")`` is ``food-service/sandwiches-wraps``; Chinese names stay Chinese.

    A name without any letter or digit makes an empty part, which ``write`` refuses.
    """
    return "/".join(slugify(name.replace("/", " "), allow_unicode=True) for name in names)


def grow_categories(shop: Shop, chains: Iterable[tuple[str, ...]]) -> dict[str, Category]:
    """Creates what is missing, root first; categories that exist keep their names. All of the shop's, by path."""
    known = {category.path: category for category in Category.objects.filter(shop=shop)}
    missing: dict[str, tuple[str, ...]] = {}
    for chain in chains:
        for depth in range(1, len(chain) + 1):
            if (path := category_path(chain[:depth])) not in known:
                missing.setdefault(path, chain[:depth])
    for depth in sorted({len(chain) for chain in missing.values()}):
        level = [
            Category(shop=shop, path=path, name=chain[-1], parent=known.get(path.rpartition("/")[0]))
            for path, chain in missing.items()
            if len(chain) == depth
        ]
        known.update({category.path: category for category in Category.objects.bulk_create(level)})
    return known


def learn_names(shop: Shop, records: Iterable[ProductRecord]) -> bool:
    """Adds the names that ``records`` give to attribute values; whether any was new."""
    told: dict[tuple[str, str], dict[str, list[str]]] = {}
    for record in records:
        for key, names in record.names.items():
            merged = told.setdefault(key, {})
            merged.update(merged_names(merged, names))
    if not told:
        return False
    known = {
        (row.attribute, row.value): row
        for row in AttributeValue.objects.filter(shop=shop, attribute__in={attribute for attribute, _ in told})
    }
    changed = []
    for (attribute, value), names in told.items():
        row = known.get((attribute, value)) or AttributeValue(shop=shop, attribute=attribute, value=value)
        merged = merged_names(row.names, names)
        if merged != row.names:
            row.names = merged
            changed.append(row)
    AttributeValue.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["shop", "attribute", "value"], update_fields=["names"]
    )
    return bool(changed)


def merged_names(names: Mapping[str, list[str]], more: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The names of a value by language, and those of another beside them, each once."""
    languages = [*names, *(language for language in more if language not in names)]
    return {
        language: list(dict.fromkeys([*names.get(language, ()), *more.get(language, ())])) for language in languages
    }


def recount(shop: Shop) -> None:
    """Makes the shop's attribute values and their counts what its active products say."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, {"shop": shop.pk, "max_value": MAX_VALUE})


def shift_counts(shop: Shop, gained: Mapping[tuple[str, str], int]) -> None:
    """Adds to the counts of attribute values what a few products have gained or lost, without reading the others.

    An attribute of which no value is known yet waits for the next :func:`recount`, which knows whether it describes.
    """
    changed = {key: by for key, by in gained.items() if by and len(key[1]) <= MAX_VALUE}
    values = AttributeValue.objects.filter(shop=shop)
    describing = set(
        values.filter(attribute__in={attribute for attribute, _ in changed}, product_count__gt=0)
        .values_list("attribute", flat=True)
        .distinct()
    )
    rows = [
        AttributeValue(shop=shop, attribute=attribute, value=value)
        for attribute, value in changed
        if attribute in describing
    ]
    AttributeValue.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        by = changed[row.attribute, row.value]
        values.filter(attribute=row.attribute, value=row.value).update(
            product_count=Greatest(F("product_count") + by, 0)
        )


@dataclass(frozen=True)
class Vocabulary:
    """One reading of the shop's words, to turn many products into texts without further queries."""

    value_names: Mapping[tuple[str, str], tuple[str, ...]]
    category_names: Mapping[int, tuple[str, ...]]
    category_other_names: Mapping[int, tuple[str, ...]]

    @classmethod
    def of(cls, shop: Shop) -> Vocabulary:
        categories = {category.pk: category for category in Category.objects.filter(shop=shop)}
        chains = {pk: tuple(_chain(category, categories)) for pk, category in categories.items()}
        return cls(
            value_names={
                (row.attribute, row.value): tuple(_listed(row.names))
                for row in AttributeValue.objects.filter(shop=shop).exclude(names={})
            },
            category_names={pk: tuple(category.name for category in chain) for pk, chain in chains.items()},
            category_other_names={
                pk: tuple(name for category in chain for name in _other_names(category)) for pk, chain in chains.items()
            },
        )

    def text_of(self, product: Product) -> ProductText:
        """Alike for a row from the feed and one from the database, whose JSON comes back in another order."""
        attributes = dict(sorted(product.attributes.items()))
        value_names = (
            name
            for attribute, values in attributes.items()
            for value in values
            for name in self.value_names.get((attribute, value), ())
        )
        return ProductText(
            title=product.title,
            description=product.description,
            brand=product.brand,
            categories=self.category_names[product.category_id],
            attributes=attributes,
            other_names=(*self.category_other_names[product.category_id], *value_names),
            translations=dict(sorted(product.translations.items())),
        )


def _chain(category: Category, categories: Mapping[int, Category]) -> list[Category]:
    chain = [category]
    while chain[0].parent_id is not None:
        chain.insert(0, categories[chain[0].parent_id])
    return chain


def _other_names(category: Category) -> list[str]:
    translated = (texts.get("name", "") for texts in category.translations.values())
    return [*filter(None, translated), *category.aliases]


def _listed(names: Mapping[str, Any]) -> list[str]:
    return [name for in_language in names.values() for name in in_language]
