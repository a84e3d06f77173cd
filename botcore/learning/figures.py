"""What a customer is known by in figures: cards, accounts, ids, telephone numbers, orders, dates of birth.

A price, a size and a year are figures too. Shapes and check digits tell them apart; where nothing does, seven digits in a
row or ten with spaces are hidden: no price has as many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from botcore.learning.checksums import IBAN_LENGTHS, is_card, is_iban, is_resident_id
from botcore.learning.finding import DIGIT, HIDDEN, Finder, Found, cased, pattern, where

LONG = 7
"""So many digits in a row are hidden whatever they are."""
LONG_SPACED = 10
"""So many digits with spaces or dashes among them are hidden, unless they count up or down as sizes and prices do."""
LONGEST_LIST = 12
"""So many digits in groups of four or more are no list."""
LARGEST_STEP = 4
"""How many times its neighbour a figure of a list may be."""
MOST_GROUPS = 60
"""A run of more groups of digits is not looked through for a card: it is hidden as a whole."""
SEPARATORS = r"[ \t\-./()_·]"
RUN = re.compile(rf"[+(]{{0,2}}\d(?:{SEPARATORS}{{0,3}}\d){{{LONG - 1},}}+")
DIGITS = re.compile(r"\d+")
NUMBER = re.compile(r"\d+(?:\.\d{1,2}(?!\.?\d))?")
CHAIN = re.compile(r"\d{1,6}([-.])\d{1,6}(?:\1\d{1,6})++")
"""Three groups or more on one string, as no list of sizes is written."""
TOKEN_REACH = 24
"""How far letters beside a long run of digits are taken for a part of it ("RR123456789CN")."""
DATE = re.compile(
    r"(?<!\d)(?<!\d[-./])(?:(?:19|20)\d\d([-./])(?:0?[1-9]|1[0-2])\1(?:3[01]|[12]\d|0?[1-9])"
    r"|(?:3[01]|[12]\d|0?[1-9])([-./])(?:3[01]|[12]\d|0?[1-9])\2(?:19|20)\d\d)(?![-./]?\d)"
)
IBAN = re.compile(r"(?<![A-Za-z])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
EXTENSION = r"(?:,? ?(?:ext(?:ension)?|x|转|分机)\.? ?\d{1,6}(?!\d))?"
MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
BORN = (
    rf"(?:\d{{1,4}} ?[-./年] ?\d{{1,2}} ?[-./月] ?\d{{1,4}} ?[日号]?|\d{{1,2}} ?月 ?\d{{1,2}} ?[日号]?|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}(?:,? \d{{2,4}})?|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|"
    r"(?:19|20)\d\d年?(?:出?生)?|\d{6}|\d{1,2}[-./]\d{1,2}|"
    r"[一二三四五六七八九十]{1,3}月初?[一二三四五六七八九十]{1,3}[日号]?)(?!\d)"
)
VALUE = r"(?=[a-z0-9-]{0,40}\d)[a-z0-9](?:[a-z0-9]|[-/_](?=[a-z0-9])){2,40}"
"""A number of an order or a document: letters and digits, a digit among them."""
IS = r"(?: (?:is|was|are))? ?[:=#]{0,2} ?#?"
NUMBER_WORD = r"(?:number|num|no\.?|nr\.?|id|code|ref(?:erence)?|#|№)"
ORDER_WORD = (
    r"(?:order|tracking|invoice|account|acct|reference|booking|confirmation|ticket|customer|client|member"
    r"(?:ship)?|loyalty|"
    r"parcel|package|shipment|shipping|delivery|serial|case|rma|return|policy|receipt|transaction|payment|"
    r"coupon|voucher|"
    r"gift card|card|waybill|consignment|purchase|claim|complaint|user|rewards?)"
)
DOCUMENT = (
    r"(?:passport|driver'?s? ?licen[cs]e|driving licen[cs]e|licen[cs]e plate|number plate|national insurance|"
    r"social security|identity card|id card|personal id|national id|residence permit|visa|tax id|steuer-?id|"
    r"ausweis(?:nummer)?|personalausweis|ssn|nin|nino|vat)"
)
CALL = (
    r"(?:\b(?:phone|mobile|cell|handy|fax|contact|tel(?:ephone)?)(?: ?phone)? ?(?:numbers?|no\.?|nr\.?|#|:|is)|\btel\b|"
    r"\b(?:call|text|ring|reach|whatsapp|phone|dial|sms|message|contact) (?:me|us|him|her|my)\b|\bmy "
    r"(?:number|cell|mobile)\b|"
    r"\bmy phone (?:number|is)|whats ?app|电话|手机号|手机(?=[是:])|联系方式|"
    r"联系我|致电|打给|拨打|拨通|我的号码|座机|传真)"
)


def _ibans(view: str) -> Iterator[Found]:
    for match in IBAN.finditer(view):
        places = [place for place in range(*match.span()) if view[place].isalnum()]
        account = "".join(view[place] for place in places).upper()
        length = IBAN_LENGTHS.get(account[:2], 0)
        if length <= len(account) and is_iban(account[:length]):
            yield Found("iban", match.start(), places[length - 1] + 1)


def _cards_and_ids(view: str) -> Iterator[Found]:
    """Groups of digits that stand together and pass a check: 18 with GB 11643's, 13 to 19 with Luhn's."""
    for run in RUN.finditer(view):
        groups = [m.span() for m in DIGITS.finditer(view, *run.span())]
        if len(groups) <= MOST_GROUPS:
            yield from _checked(view, groups)


def _checked(view: str, groups: list[tuple[int, int]]) -> Iterator[Found]:
    first = 0
    while first < len(groups):
        found = _checked_from(view, groups, first)
        if found:
            yield found[0]
        first = found[1] if found else first + 1


def _checked_from(view: str, groups: list[tuple[int, int]], first: int) -> tuple[Found, int] | None:
    """The longest checked number that starts with a group, and the place of the group after it."""
    digits, best = "", None
    for place in range(first, min(first + 19, len(groups))):
        start, end = groups[place]
        if end - start > 19 or len(digits) + end - start > 19:
            break
        digits += view[start:end]
        marked = view[end : end + 1] in ("x", "X") and is_resident_id(digits + "X")
        if marked or is_resident_id(digits):
            best = Found("id", groups[first][0], end + marked), place + 1
        elif digits[0] in "23456" and is_card(digits) and not _counts(view[groups[first][0] : end]):
            best = Found("card", groups[first][0], end), place + 1
    return best


def _counts(run: str) -> bool:
    """Whether a run of figures goes up or down step by step or has decimals throughout: sizes, prices, opening hours.

    A card's groups and a telephone number's may happen to rise too, so long groups and great leaps are no list.
    """
    pieces = NUMBER.findall(run)
    if any(len(piece) >= LONG for piece in pieces) or len(pieces) < 3 or "+" in run or "(" in run:
        return False
    if any(max(map(len, DIGITS.findall(chain.group()))) > 2 for chain in CHAIN.finditer(run)):
        return False
    if all("." in piece for piece in pieces) and run.count(".") == len(pieces):
        return True
    if min(len(piece) for piece in pieces) > 3 and sum(len(piece) for piece in pieces) >= LONGEST_LIST:
        return False
    if any(len(piece) > 1 and piece[0] == "0" and piece[1] != "." for piece in pieces):
        return False
    values = [float(piece) for piece in pieces]
    if any(max(a, b) + 1 > LARGEST_STEP * (min(a, b) + 1) for a, b in pairwise(values)):
        return False
    return all(a < b for a, b in pairwise(values)) or all(a > b for a, b in pairwise(values))


def _phones_from_zero(view: str) -> Iterator[Found]:
    """Numbers with a trunk prefix: 020 7946 0958, (030) 12 34 56, 0171/2345678."""
    bare = DATE.sub(lambda match: HIDDEN * len(match.group()), view)
    for match in TRUNK.finditer(bare):
        if LONG <= sum(c.isdigit() for c in match.group()) <= 15:
            yield Found("phone", *match.span())


TRUNK = re.compile(rf"(?<!\d)(?<!\d[.,])\(?0[1-9]\d{{0,10}}\)?(?:{SEPARATORS}{{1,3}}\d{{2,11}}){{1,6}}(?!\d)")


def _rest(view: str) -> Iterator[Found]:
    """What is too long for a price or a size, whatever it is."""
    bare = DATE.sub(lambda match: HIDDEN * len(match.group()), view)
    for run in RUN.finditer(bare):
        groups = [m.span() for m in DIGITS.finditer(bare, *run.span())]
        digits = sum(end - start for start, end in groups)
        if run.group()[0] == "+" or (digits >= LONG_SPACED and not _counts(run.group())):
            yield Found("phone" if digits <= 15 else "order", *run.span())
        else:
            yield from (_token(view, *group) for group in groups if group[1] - group[0] >= LONG)


def _token(view: str, start: int, end: int) -> Found:
    """A long run of digits with the letters that are glued to it."""
    first, last = start, end
    while first > 0 and start - first < TOKEN_REACH and _glued(view[first - 1]):
        first -= 1
    while last < len(view) and last - end < TOKEN_REACH and _glued(view[last]):
        last += 1
    alone = (first, last) == (start, end)
    return Found("phone" if alone and end - start <= 12 else "order", first, last)


def _glued(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _long_runs(view: str) -> Iterator[Found]:
    """Seven digits in a row anywhere, dates or not."""
    return (_token(view, *match.span()) for match in re.finditer(rf"\d{{{LONG},}}", view))


def _is_no_price_range(match: re.Match[str]) -> bool:
    """ "555-1234" and not "500-1000" or "199-1299": prices end in a nought, a nine or an eight pair."""
    return any(part[-1] not in "09" and not part.endswith("88") for part in match.group().split("-"))


PHONE_SHAPES: tuple[Finder, ...] = (
    pattern("phone", rf"\+ ?\(?\d{{1,4}}(?:{SEPARATORS}{{0,3}}\d){{6,13}}{EXTENSION}"),
    pattern("phone", rf"(?<!\d)(?<!\d[.,])00[1-9]\d{{0,2}}(?:{SEPARATORS}{{0,3}}\d){{6,12}}(?!\d){EXTENSION}"),
    pattern(
        "phone",
        r"(?<!\d)(?<!\d[.,])(?:\(?\+?86\)?[ -]?)?1[3-9]\d(?:([ \-.·])\d{4}\1\d{4}|\d([ "
        r"\-.·])\d{3}\2\d{4}|([ \-.·])\d{3}\3\d{5}|"
        r"\d{8}|\d{2}[ -]\d{6}|[ -]\d{8}|\d{4}[ -]\d{4})(?!\d)",
    ),
    pattern("phone", r"(?<!\d)1 [3-9](?: \d){9}(?! ?\d)"),
    pattern(
        "phone",
        rf"(?<!\d)(?<!\d[.,])(?:1[ .-]{{1,2}})?\(?[2-9]\d\d\)?[ .\-/]{{0,2}}\d{{3}}[ .-]\d{{4}}(?!\d){EXTENSION}",
    ),
    pattern("phone", r"(?<![\d-])(?<!\d[.,])\d{3}-\d{4}(?![\d-])", _is_no_price_range),
    pattern("phone", rf"{CALL}[^\d{HIDDEN}\n]{{0,20}}(?P<hide>\+?\(?\d(?:{SEPARATORS}{{0,3}}\d){{5,14}}{EXTENSION})"),
    pattern("phone", rf"\(0\d{{1,4}}\) ?\d{{2,8}}(?:[ -]\d{{2,6}}){{0,3}}{EXTENSION}"),
    pattern(
        "phone",
        r"\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)[ ,-]{1,2}){6,20}"
        r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b",
    ),
    pattern(
        "phone",
        r"[零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖\d]{0,20}[零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{7,20}",
    ),
)

BIRTHDAYS: tuple[Finder, ...] = (
    pattern(
        "birthday",
        rf"\b(?:born|birthday|birth ?date|date of birth|birth|b-?day|d\.?o\.?b\.?)\b(?: ?(?:is|was|on|in|:|=|"
        rf"the|falls|,)){{0,3}} ?"
        rf"(?P<hide>{BORN})",
    ),
    pattern(
        "birthday",
        rf"(?:生日|出生日期|出生年月|出生于|出生在|出生|生于|生辰)(?:就是|是|为|在|[: ]|农历|阴历|阳历|"
        rf"于){{0,4}}(?P<hide>{BORN})",
    ),
    pattern("birthday", r"(?<!\d)(?:19|20)?\d\d年(?:\d{1,2}月(?:\d{1,2}[日号])?)?(?=的?生日|出?生(?!产|效|意|活|鲜))"),
    pattern("birthday", r"\d{1,2}月\d{1,2}[日号]?(?=(?:是|过)?(?:我|他|她|孩子|宝宝)?的?生日)"),
)

DOCUMENTS: tuple[Finder, ...] = where(
    DIGIT,
    pattern("card", r"\b(?:cvv2?|cvc2?|security code|安全码)(?: is|[:是 ]){0,3} ?(?P<hide>\d{3,4})(?!\d)"),
    pattern(
        "card",
        r"\b(?:exp(?:iry|ires|iration)?(?: date)?|valid (?:thru|until)|有效期)[:是 .]{0,3}(?P<hide>\d{1,2} ?/ "
        r"?\d{2,4})(?!\d)",
    ),
    pattern("id", r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"),
    cased("id", r"(?<![A-Za-z0-9])[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Za-z0-9])"),
    pattern("id", rf"\b{DOCUMENT}(?: ?{NUMBER_WORD})?{IS}(?P<hide>(?=(?:[a-z0-9-]{{0,20}}?\d){{3}}){VALUE})"),
    pattern(
        "id",
        r"(?:身份证|护照|证件|通行证|驾驶证|驾照|社保|台胞证|居住证|军官证|学生证|车牌|工号|学号|税号)"
        r"(?:号码|号|编号)?(?:后四位|后六位|尾号)?"
        rf"(?:就是|是|为|[:= ]){{0,3}}(?P<hide>[\u4e00-\u9fff]?{VALUE})",
    ),
    cased(
        "id", r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·. ]?[A-Z0-9]{5,6}(?![A-Za-z0-9])"
    ),
)

SECRETS: tuple[Finder, ...] = (
    pattern(
        "secret",
        r"\b(?:password|passcode|pass ?phrase|pwd|pin|otp|(?:verification|security|access) code)(?: is| ?[:=]) ?"
        r"(?P<hide>(?!not\b|too\b|wrong\b|incorrect\b|invalid\b|expired\b|the\b|a\b)[\w!@#$%^&*.+-]{3,40})",
    ),
    pattern(
        "secret",
        r"(?:密码|验证码|口令|校验码)(?:就是|是|为|[:= ]){1,3}(?P<hide>[\w!@#$%^&*.+-]{3,40})(?<![\u4e00-\u9fff])",
    ),
)

ORDERS: tuple[Finder, ...] = where(
    DIGIT,
    cased("order", r"(?<![A-Za-z0-9])1Z(?: ?[0-9A-Z]){16}(?![A-Za-z0-9])"),
    cased("order", r"(?<![A-Za-z0-9])[A-Z]{2} ?\d{3} ?\d{3} ?\d{3} ?[A-Z]{2}(?![A-Za-z0-9])"),
    pattern("order", r"(?<!\d)\d{3}-\d{7}-\d{7}(?!\d)"),
    pattern(
        "order",
        r"(?<![a-z0-9])(?:ord|order|inv|rma|case|ref|cust|tkt|txn|shp)[-_#]{1,2}(?=[a-z]{0,6}-?\d)[a-z0-9]"
        r"(?:[a-z0-9]|[-_](?=[a-z0-9])){2,30}",
    ),
    pattern("order", r"(?<![\w&])#\d{4,20}(?!\d)"),
    pattern("order", rf"\b{ORDER_WORD}'?s? ?{NUMBER_WORD}{IS}(?P<hide>{VALUE})"),
    pattern("order", rf"\b(?:my|our|the) {ORDER_WORD}{IS}(?P<hide>(?=(?:[a-z0-9-]{{0,20}}?\d){{3}}){VALUE})"),
    pattern("order", rf"\b{ORDER_WORD} ?[:#] ?#?(?P<hide>(?=(?:[a-z0-9-]{{0,20}}?\d){{3}}){VALUE})"),
    pattern("order", r"\b(?:order|invoice|parcel|ticket|booking|tracking) (?P<hide>\d{5,40})(?!\d)"),
    cased("order", r"\b(?i:ticket|booking|invoice|case|claim|reference) (?P<hide>[A-Z]{1,4}-?\d{3,20})(?![\w-])"),
    pattern("card", r"\b(?:ends|ending|last (?:four|4|digits)) (?:in|with|is|are|on)? ?(?P<hide>\d{4})(?!\d)"),
    pattern(
        "order",
        rf"\b(?:bestell|kunden|rechnungs|sendungs|auftrags|vertrags|konto)-?(?:nummer|nr\.?)(?: ist)? ?:? ?"
        rf"(?P<hide>{VALUE})",
    ),
    pattern(
        "order",
        r"(?:订单|快递|运单|物流|流水|会员|账户|账|帐|银行卡|卡|发票|票|工单|取件|提货|退货|退款|售后|交易|"
        r"支付|包裹|单|编|序列|客户|用户|积分卡|礼品卡)"
        rf"(?:编号|号码|单号|卡号|账号|号|码){{1,3}}(?:尾号|后四位|后六位)?(?:就是|是|为|[:=# ]){{0,3}}(?P<hide>{VALUE})",
    ),
    pattern(
        "order",
        r"(?:订单|单子|运单|快递|尾号|后四位)[:# ]{0,2}(?P<hide>(?=[a-z-]{0,10}\d{4})[a-z0-9-]{4,40})(?! ?[元块份件个])",
    ),
)

FIGURES: tuple[Finder, ...] = (
    *BIRTHDAYS,
    _ibans,
    _cards_and_ids,
    *DOCUMENTS,
    *SECRETS,
    *ORDERS,
    *PHONE_SHAPES,
    _phones_from_zero,
    _rest,
    _long_runs,
)
"""In this order: what has a check digit or a cue before what has only a shape, and that before what is merely long."""
