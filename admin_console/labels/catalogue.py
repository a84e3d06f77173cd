"""What the rooms of the shop call the words that are stored: links, rules, bulk edits, imports, feeds, its settings."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from admin_console.labels.naming import Label
from catalog import bulk, journal
from catalog.ingest import preview
from catalog.models import ChangeSet, Feed, Interaction, MerchandisingRule, ProductLink

LINKS: dict[str, Label] = {
    ProductLink.Kind.GOES_WITH: _("Goes with"),
    ProductLink.Kind.ACCESSORY_OF: _("Accessory of"),
    ProductLink.Kind.SUBSTITUTE_FOR: _("Substitute for"),
    ProductLink.Kind.SAME_SERIES: _("Same series"),
    ProductLink.Origin.VETO: _("Never together"),
    "belongs": _("Its accessory"),
}
LINK_ORIGINS: dict[str, Label] = {
    ProductLink.Origin.CO_PURCHASE: _("bought together"),
    ProductLink.Origin.CO_VIEW: _("looked at together"),
    ProductLink.Origin.CATALOGUE: _("from titles and attributes"),
    ProductLink.Origin.MERCHANT: _("added by the shop"),
    ProductLink.Origin.VETO: _("vetoed by the shop"),
}
RULES: dict[str, Label] = {
    MerchandisingRule.Kind.PIN: _("Pin to a place"),
    MerchandisingRule.Kind.BOOST: _("Boost"),
    MerchandisingRule.Kind.BURY: _("Bury"),
    MerchandisingRule.Kind.NEVER_TOGETHER: _("Never two on one slate"),
    MerchandisingRule.Kind.GOES_WITH: _("Goes with companions"),
}
ORDERS: dict[str, Label] = {
    "changed": _("Changed last"),
    "title": _("Title"),
    "popular": _("Most popular"),
    "cheapest": _("Lowest price"),
    "dearest": _("Highest price"),
    "stock": _("Least stock"),
}
BULK: dict[str, Label] = {
    bulk.HIDE: _("Hide"),
    bulk.SHOW: _("Make visible"),
    bulk.STOCK: _("Set the stock"),
    bulk.PRICE: _("Raise or lower prices"),
    bulk.CATEGORY: _("Move to a category"),
    bulk.ADD: _("Add a value"),
    bulk.REMOVE: _("Take a value away"),
    bulk.RENAME: _("Rename a value"),
    bulk.NAME: _("Name a value"),
}
ROUNDINGS: dict[str, Label] = {
    bulk.CENT: _("to the cent"),
    bulk.NINETY_NINE: _("to .99"),
    bulk.WHOLE: _("to the whole unit"),
}
FIELDS: dict[str, Label] = {
    "sku": _("SKU"),
    "variant_sku": _("SKU of the variant"),
    "group": _("product of a variant"),
    "title": _("title"),
    "description": _("description"),
    "price": _("price"),
    "stock": _("stock"),
    "category": _("category"),
    "brand": _("brand"),
    "image": _("picture"),
    "url": _("link"),
    "rating": _("stars"),
    "rating_count": _("number of ratings"),
    "attributes": _("attributes"),
    "translations": _("translations"),
    "variants": _("prices, stock or variants"),
    "active": _("visible"),
    "category_id": _("category"),
}
DEFAULTS: dict[str, Label] = {
    "price": _("Price of rows without one"),
    "stock": _("Stock of rows without one"),
    "category": _("Category of rows without one"),
}
MEANINGS: dict[str, Label] = {
    preview.FIELD: _("field"),
    preview.ATTRIBUTE: _("attribute"),
    preview.TRANSLATION: _("translation"),
    preview.NAMES: _("names of values"),
    preview.IGNORED: _("left out"),
}
FATES: dict[str, Label] = {preview.NEW: _("new"), preview.CHANGED: _("changes"), preview.SAME: _("stays")}
CHANGE_KINDS: dict[str, Label] = {
    ChangeSet.Kind.FILE: _("Import"),
    ChangeSet.Kind.FEED: _("Feed"),
    ChangeSet.Kind.BULK: _("Bulk edit"),
}
CHANGE_STATES: dict[str, Label] = {
    "check waits": _("waits to be checked"),
    "check runs": _("is checked"),
    "check done": _("not imported yet"),
    "check failed": _("cannot be read"),
    "write waits": _("waits"),
    "write runs": _("runs"),
    "write done": _("done"),
    "write failed": _("broke off"),
    "undo waits": _("waits to be undone"),
    "undo runs": _("is undone"),
    "undo done": _("undone"),
    "undo failed": _("the undo broke off"),
}
KEPT: dict[str, Label] = {
    journal.CHANGED: _("was changed again since"),
    journal.GONE: _("is no longer there"),
    journal.USED: _("was made by it, but customers or your rules hold on to it"),
    journal.CATEGORY: _("its old category is no longer there"),
}
FEED_PERIODS: dict[str, Label] = {Feed.Every.HOUR: _("every hour"), Feed.Every.DAY: _("every day")}
LANGUAGES: dict[str, Label] = {
    "en": "English", "zh": "中文", "de": "Deutsch", "fr": "Français", "es": "Español", "it": "Italiano", "ja": "日本語",
    "ko": "한국어", "pt": "Português", "ru": "Русский", "nl": "Nederlands", "pl": "Polski",
}  # fmt: skip
DEALINGS: dict[str, Label] = {
    Interaction.Kind.VIEW: _("views"),
    Interaction.Kind.CART: _("put into the cart"),
    Interaction.Kind.ORDER: _("orders"),
    Interaction.Kind.REVIEW: _("reviews"),
}
SHOP: dict[str, Label] = {
    "name": _("Name"),
    "language": _("Language of titles and descriptions"),
    "currency": _("Currency"),
    "diversity": _("Variety of a reply's products, 0 to 1"),
    "explores": _("Try products that few customers were shown"),
    "popularity_half_life_days": _("Days after which a view or an order counts half"),
}
SHOP_HINTS: dict[str, Label] = {
    "language": _("Other languages are translations of a product."),
    "currency": _("Code of three letters. Prices are not converted: their numbers stay."),
    "diversity": _("0 shows the most relevant, 1 the most varied."),
    "explores": _("In the last place of a reply."),
}
