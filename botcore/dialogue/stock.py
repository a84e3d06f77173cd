"""What can be had of a product, read from its variants: which size, colour or edition is asked for, and which are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from botcore.dialogue.evidence import Evidence, Kind
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import Meaning
from botcore.dialogue.names import attribute_name
from botcore.dialogue.ports import titled
from botcore.dialogue.state import Constraint
from botcore.dialogue.words import Token, normalise, tokens
from catalog.models import Product, Variant


@dataclass(frozen=True)
class Stock:
    """``attribute`` is what varies ("" for the product as such); its values are in the shop's order.

    ``asked`` are the values asked for, of them ``foreign`` those that the product does not come in. ``within`` are values of
    other attributes that were asked for too ("in navy"): only such variants are counted.
    """

    attribute: str
    available: tuple[str, ...]
    sold_out: tuple[str, ...]
    asked: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    within: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: tuple[int, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """What was asked for and cannot be had."""
        return tuple(value for value in self.asked if value not in self.available)


def varying(product: Product) -> dict[str, tuple[str, ...]]:
    """The attributes that tell a product's variants apart or are kept with them, with their values in order.

    Of several values of one variant ("navy", "blue") the first is its name.
    """
    found: dict[str, dict[str, None]] = {}
    for variant in _variants(product):
        for attribute, values in variant.attributes.items():
            if values:
                found.setdefault(attribute, {})[values[0]] = None
    return {attribute: tuple(values) for attribute, values in found.items()}


def stock_evidence(product: Product, language: str) -> list[Evidence]:
    """One piece for every attribute that varies, and one for the product as such."""
    return list(_evidence(product, language))


def _evidence(product: Product, language: str) -> Iterator[Evidence]:
    title = product.text("title", language)
    for attribute, values in varying(product).items():
        name = attribute_name(attribute, language)
        said = f"有货的{name}：{'、'.join(values)}" if language == "zh" else f"In stock, by {name}: {', '.join(values)}"
        yield Evidence(Kind.STOCK, product.sku, attribute, "", titled(title, said))
    yield Evidence(Kind.STOCK, product.sku, "", "", titled(title, "有现货" if language == "zh" else "It is in stock"))


def named_values(
    product: Product, text: str, constraints: Sequence[Constraint], lexicon: Lexicon
) -> dict[str, tuple[str, ...]]:
    """The values of varying attributes that a question names: the product's own by any of their names, and others that
    the shop knows ("in green?") by what was understood."""
    words = [token.text for token in tokens(text)]
    found: dict[str, dict[str, None]] = {}
    for attribute, values in varying(product).items():
        common = _common([tokens(value) for value in values])
        for variant in _variants(product):
            for value in variant.attributes.get(attribute, ()):
                if any(_within(name, words, common) for name in _names(attribute, value, lexicon)):
                    found.setdefault(attribute, {})[value] = None
        for constraint in constraints:
            if constraint.attribute == attribute and constraint.wanted:
                found.setdefault(attribute, {}).update(dict.fromkeys(constraint.named))
    return {attribute: _narrowest(tuple(values)) for attribute, values in found.items()}


def _narrowest(values: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that only stand inside another one: "blue" in "sky blue"."""
    return tuple(v for v in values if not any(v != other and v in other.split() for other in values))


def _names(attribute: str, value: str, lexicon: Lexicon) -> list[str]:
    others = lexicon.names.get(Meaning(attribute, value), {})
    return [value, *(name.lower() for names in others.values() for name in names)]


def _common(values: Sequence[Sequence[Token]]) -> set[str]:
    """The words in every value ("eu" of "eu 37", "eu 39"): a customer leaves them out."""
    parts = [{token.text for token in value} for value in values]
    return set.intersection(*parts) if len(parts) > 1 else set()


def _within(name: str, words: Sequence[str], common: set[str]) -> bool:
    wanted = [token.text for token in tokens(normalise(name)) if token.text not in common]
    return bool(wanted) and any(list(words[i : i + len(wanted)]) == wanted for i in range(len(words)))


def stock_of(product: Product, attribute: str, named: Mapping[str, tuple[str, ...]]) -> Stock:
    """What there is of a product, by the values of ``attribute``; other named values narrow the variants counted."""
    own = varying(product)
    held = {a: {v for x in _variants(product) for v in x.attributes.get(a, ())} for a in own}
    within = {a: values for a, values in named.items() if a != attribute and held.get(a, set()) & set(values)}
    counted = [v for v in _variants(product) if _fits(v, within)]
    asked = named.get(attribute, ())
    if not attribute:
        there = any(v.stock for v in counted)
        return Stock("", ("",) if there else (), () if there else ("",), within=within, rows=_ids(counted))
    there_are = {value for v in counted if v.stock for value in v.attributes.get(attribute, ())}
    names = list(dict.fromkeys([*own.get(attribute, ()), *(v for v in asked if v in held[attribute])]))
    return Stock(
        attribute,
        available=tuple(v for v in names if v in there_are),
        sold_out=tuple(v for v in names if v not in there_are and any(_has(x, attribute, v) for x in counted)),
        asked=asked,
        foreign=tuple(v for v in asked if v not in held[attribute]),
        within=within,
        rows=_ids(counted),
    )


def _variants(product: Product) -> list[Variant]:
    return sorted(product.variants.all(), key=lambda variant: variant.pk)


def _fits(variant: Variant, within: Mapping[str, tuple[str, ...]]) -> bool:
    return all(set(variant.attributes.get(a, ())) & set(values) for a, values in within.items())


def _has(variant: Variant, attribute: str, value: str) -> bool:
    return value in variant.attributes.get(attribute, ())


def _ids(variants: Sequence[Variant]) -> tuple[int, ...]:
    return tuple(variant.pk for variant in variants)
