"""What is written in one cell of a feed: prices, stock, stars, addresses, prose and lists.

Every function raises ``ValueError`` with a sentence that says what to write instead.
"""

from __future__ import annotations

import html
import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from catalog.models import Variant

# "In stock" says at least one.
STOCK_WORDS = {
    **dict.fromkeys(["in stock", "in_stock", "instock", "available", "true", "yes", "有货", "现货"], 1),
    **dict.fromkeys(["out of stock", "out_of_stock", "outofstock", "sold out", "false", "no", "无货", "缺货"], 0),
}

SOMETHING = r"[^\s\x00-\x20\x7f-\xa0]"
"""In a text that says something. Spelled out where languages differ about what a space is."""
_TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]*|!--.*?--)>", re.DOTALL)
_DOLLARS = ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP")
_SIGNS = {
    "€": ("EUR",),
    "£": ("GBP",),
    "¥": ("CNY", "JPY"),
    "元": ("CNY", "TWD", "HKD"),
    "RMB": ("CNY",),
    "人民币": ("CNY",),
    "円": ("JPY",),
    "₹": ("INR",),
    "₩": ("KRW",),
    "₽": ("RUB",),
    "₺": ("TRY",),
    "ZŁ": ("PLN",),
    "KR": ("SEK", "NOK", "DKK", "ISK"),
    "$": _DOLLARS,
    "US$": ("USD",),
    "C$": ("CAD",),
    "CA$": ("CAD",),
    "A$": ("AUD",),
    "AU$": ("AUD",),
    "HK$": ("HKD",),
    "NT$": ("TWD",),
    "R$": ("BRL",),
}
_SIGN = r"[^\d\s,.'’+-]{1,3}"
_PRICE = re.compile(rf"(?P<before>{_SIGN})?\s*(?P<number>\d[\d,.'’ ]*)(?P<after>{_SIGN})?")
_CENT = Decimal("0.01")
_DIGITS = Variant._meta.get_field("price").max_digits


def parse_price(written: str, currency: str) -> Decimal:
    """The price in ``currency`` (ISO 4217) from ``1,299.00``, ``€ 12,50``, ``1 299,00 kr`` or ``199元``, to the cent.

    Refuses what names another currency and what can be read two ways.
    """
    match = _PRICE.fullmatch(unicodedata.normalize("NFKC", written).strip())
    if not match:
        raise ValueError(f'price "{written}" is not a number: write 12.50')
    for sign in filter(None, (match["before"], match["after"])):
        _check_currency(sign.upper(), currency, written)
    price = Decimal(_decimal(match["number"].strip(), written))
    if price.adjusted() < _DIGITS:  # what is longer cannot be rounded to the cent either
        price = price.quantize(_CENT, ROUND_HALF_UP)
    if len(price.as_tuple().digits) > _DIGITS:
        raise ValueError(f'price "{written}" is too large: at most {_DIGITS - 2} digits before the point fit')
    return price


def _check_currency(sign: str, currency: str, written: str) -> None:
    is_code = re.fullmatch("[A-Z]{3}", sign) is not None
    if sign not in _SIGNS and not is_code:
        raise ValueError(f'price "{written}" is not a number: write 12.50')
    if currency not in _SIGNS.get(sign, (sign,)):
        raise ValueError(f'price "{written}" is not in {currency}, the currency of the shop: convert it')


def _decimal(number: str, written: str) -> str:
    """``number`` with a point before its cents and no other separator."""
    if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", number):
        thousands, rounded = number.replace(".", ""), number[:-1]
        raise ValueError(f'price "{written}" can be read two ways: write {thousands}.00 or {rounded}')
    if re.fullmatch(r"\d+([.,]\d*)?", number) and not re.fullmatch(r"[1-9]\d{0,2},\d{3}", number):
        return number.replace(",", ".").rstrip(".")
    grouped = re.fullmatch(r"(\d{1,3}(?P<thousands>[ '’,.])\d{3}(?:(?P=thousands)\d{3})*)(?:([.,])(\d*))?", number)
    if not grouped or grouped["thousands"] == grouped[3]:
        raise ValueError(f'price "{written}" mixes its separators: write 1299.00')
    whole = grouped[1].replace(grouped["thousands"], "")
    return f"{whole}.{grouped[4]}" if grouped[4] else whole


def said(text: str) -> str:
    """``text`` without the spaces around it; control characters alone say nothing."""
    return text.strip() if re.search(SOMETHING, text) else ""


def one_text(name: str, value: Any) -> str:
    """``value`` as one stripped text; of several images the first."""
    if isinstance(value, list) and value and (name == "image" or len(value) == 1):
        value = value[0]
    if isinstance(value, list | dict):
        raise ValueError(f"{name.replace('_', ' ')} is a list: write one value")
    return "" if value is None else said(str(value))


def prose(text: str) -> str:
    """Without the tags and entities of HTML, one space between words, lines kept."""
    if _TAG.search(text) or "&" in text:
        text = html.unescape(_TAG.sub(" ", text))
    return "\n".join(line for raw in text.splitlines() if (line := " ".join(raw.split())))


def listed(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in listed(item)]
    if isinstance(value, dict):
        return [text for item in value.values() for text in listed(item)]
    return [text for part in re.split("[|;；]", str(value or "")) if (text := " ".join(said(part).split()))]


def parse_stock(written: str) -> int:
    word = STOCK_WORDS.get(" ".join(written.lower().split()))
    return parse_count("stock", written) if word is None else word


def parse_count(name: str, written: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}(\.0+)?|[0-9]{1,3}(,[0-9]{3}){1,2}", written):
        raise ValueError(f'{name} "{written}" is not a whole number from 0: write 12')
    return int(written.replace(",", "").partition(".")[0])


def parse_rating(written: str) -> float | None:
    if not written:
        return None
    if not re.fullmatch(r"[0-5]([.,][0-9]+)?", written) or float(written.replace(",", ".")) > 5:
        raise ValueError(f'rating "{written}" is not a number of stars from 1 to 5: write 4.5')
    return float(written.replace(",", ".")) or None


def parse_address(name: str, written: str, *, relative: bool) -> str:
    """Only what is safe to put into a page: http and https, and for images a file's name."""
    if not written or re.match("https?://", written, re.IGNORECASE):
        return written
    if relative and not re.match("[a-z][a-z0-9+.-]*:|[/\\\\]", written, re.IGNORECASE) and ".." not in written:
        return written
    raise ValueError(f'{name} "{written[:60]}" is no web address: start it with https://')
