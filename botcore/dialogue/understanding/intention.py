"""What a message wants done, after what its words themselves say: why, discounts, dearer, cheaper, the cheapest. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from botcore.dialogue.intents import Intent
from botcore.dialogue.words import sentences

QUESTION_INTENTS = {"policy", "order_status", "product_question", "availability", "compare", "explain", "discount"}
"""Messages that ask about something already there: their words are no wishes."""
NO_SEARCH = QUESTION_INTENTS | {"not_meant", "unclear", "reject", "ok", "upset"}
"""What a message that lets an attribute go ("the colour doesn't matter") only looks like."""

DEARER = re.compile(
    r"\b(?:more expensive|dearer|pricier|fancier|high(?:er)?[- ]end|upscale|premium|(?:most|more) luxurious|most expensive|"
    r"better quality)\b|贵一?[点些]|更贵|最贵|高档|高端|高级|好一[点些]"
)
CHEAPER = re.compile(
    r"cheap|\bless|lower|afford|\bpric|expensive|budget|\bcost|too much|\bsave|economical|贵|便宜|价|实惠|划算|预算|省|低"
)
CHEAPEST = re.compile(
    r"\bthe cheaper (?:one|of (?:the |these |those )?(?:two|2|both|them))\b|便宜的?那[个款件条双]"
    r"|\bwhich(?: one)?(?:'s| is)(?: the)? cheap\w*|\bcheapest\b|最便宜|哪[个個款件](?:更|比较|比較)?(?:便宜|实惠|划算)"
)
DEAREST = re.compile(r"\bmost expensive\b|最贵")
"""With a list in sight they mean the cheapest or dearest of it, with a kind of product that of the whole shop."""

COMPARED = (
    ("cheaper", r"\b(?:cheaper|less expensive|costs? less)(?: [a-z]+)? than\b|比[^，。,.!?！？]{1,40}?(?:便宜|实惠)"),
    (
        "dearer",
        r"\b(?:dearer|pricier|more expensive|costs? more)(?: [a-z]+)? than\b|比[^，。,.!?！？]{1,40}?(?:贵|高档)",
    ),
)
"""Beside a shown item, the price that is asked for ("有比第二个便宜的吗")."""

WHY = re.compile(
    r"^(?:and |but |so |ok |okay )?why (?:did|do|would|have|that|this|the|it)\b|^(?:你)?(?:为什么|为啥|凭什么)(?!不)"
)
DISCOUNT = re.compile(
    r"\d\s?(?:%|percent)\s?(?:off|discount)|\bpromo(?: code)?\b|\bcoupon|\bvoucher code|打[一二三四五六七八九\d]折|优惠码"
)
MORE_ABOUT = re.compile(
    r"\b(?:more|details?|info(?:rmation)?) (?:about|on|of)\b|\btell me about\b|介绍一下|详细(?:说|介绍|信息)|具体说说"
)

LISTS = ("vague", "show", "more")
SELLS = re.compile(
    r"\byou(?: guys| folks)?(?: also)? (?:sell|have|carry|stock|offer|got)\b|有卖|卖不卖|有没有卖|卖.{1,8}吗"
)

QUESTION = re.compile(
    r"[?？]|^(?:(?:and|but|so|ok|okay|then|also|oh|well|cool|great|hi|hey|hello)\b[, ]*)*"
    r"(?:do|does|is|are|can|could|how|what|what's|whats|which|when|where|who|why|will)\b|吗|呢|多少|几|怎么|什么|([\u4e00-\u9fff])不\1|有没有|有木有|有冇|能不能|可不可以"
)


def asks_within(text: str) -> bool:
    """Whether one of a message's sentences asks something ("I'll take that. how can i pay")."""
    return any(QUESTION.search(sentence.strip()) for sentence in sentences(text))


def extreme_asked(text: str) -> str:
    """ "price" or "-price" where the cheapest or dearest is asked for, else ""."""
    return "price" if CHEAPEST.search(text) else "-price" if DEAREST.search(text) else ""


def compared_with(text: str) -> str:
    """ "cheaper" or "dearer" where something is asked for that is so beside another thing, else ""."""
    return next((name for name, pattern in COMPARED if re.search(pattern, text)), "")


def settled(intent: Intent, text: str, sold: bool, shown: bool) -> Intent:
    """The intent after what the words themselves say; ``sold`` that a kind of product is named, ``shown`` that products
    are in sight, without which nothing can be asked about them."""
    settled = _settled(intent, text)
    sells = settled.name in ("policy", *LISTS) and SELLS.search(text)
    compares = settled.name == "compare" and not QUESTION.search(text)  # "I want to compare two kettles"
    if sold and (sells or (not shown and (compares or settled.name in ("availability", "product_question")))):
        return settled.called("find")
    return settled


def _settled(intent: Intent, text: str) -> Intent:
    """Why, discounts, details, dearer and cheaper."""
    if WHY.search(text) and intent.name not in ("policy", "order_status", "upset", "person"):
        return intent.called("explain")
    if DISCOUNT.search(text):
        return replace(intent, name="discount", scores={**intent.scores, "discount": 1.0})
    if MORE_ABOUT.search(text) and intent.name in ("product_question", "show", "more", "choose"):
        return intent.called("choose")
    if DEARER.search(text) and intent.name in ("cheaper", "dearer", "find", "show", "vague", "more"):
        negated = re.search(r"\b(?:not|n't|no|less)\b|不|别|太", text) and intent.name == "cheaper"
        return intent if negated else intent.called("dearer")
    if (intent.name == "cheaper" and not CHEAPER.search(text)) or intent.name == "dearer":
        return intent.called("find")
    return intent
