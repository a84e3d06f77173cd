"""Where a customer can be written to: links, e-mail addresses, handles, IP addresses."""

from __future__ import annotations

import ipaddress
import re

from botcore.learning.finding import Finder, cased, pattern

LETTER = "A-Za-zÀ-ÖØ-öø-ÿ"
"""Latin letters only: Chinese characters may stand right beside an address and are none of it."""
PATH = r"(?:[A-Za-z0-9/=_~#&%$@*+-]|[.:?!();]++(?=[A-Za-z0-9/=_~#&%$@*+-]))*+"
"""The rest of a link; the stop behind it belongs to the sentence."""
DOMAIN = r"[A-Za-z0-9-]{1,63}"
LOCAL = f"{LETTER}0-9._%+'-"
SPOKEN = r"(?<![a-z0-9_.+-])(?:[a-z0-9_+-]++ {1,2}(?:dot|underscore|dash) {1,2}){0,3}[a-z0-9_.+-]++"
"""What stands before the @, also with its dots spelt out."""
HOST = r"(?<![A-Za-z0-9.-])[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++"
TOP_LEVEL = frozenset(
    "com net org edu gov io de cn uk fr eu ru jp kr hk tw es nl ch biz info xyz cc vip app dev".split()
)
"""Ends of bare domains; "it", "me" and "shop" would turn "I like it.It fits" into one."""
PROVIDER = (
    r"(?:gmail|googlemail|hotmail|outlook|yahoo|icloud|live|msn|aol|proton(?:mail)?|gmx|web|mail|qq|163|"
    r"126|sina|foxmail|"
    r"yandex|zoho|yeah)"
)
NAMED_NETWORK = (
    r"(?:insta(?:gram)?|ig|snap(?:chat)?|twitter|tik ?tok|telegram|tg|facebook|fb|messenger|discord|skype|"
    r"line|kik|wechat|"
    r"weixin|whatsapp|threads|linkedin|kakao(?:talk)?|viber|steam|reddit|youtube|pinterest|paypal|venmo)"
)
CHINESE_NETWORK = (
    r"(?:微信|威信|薇信|v信|[vw]x|加[vq]|扣扣|qq|抖音|小红书|微博|支付宝|旺旺|淘宝|闲鱼|快手|"
    r"b站|知乎|whatsapp|telegram|ins)"
)
NO_HANDLE = (
    r"(?!(?:is|are|was|the|an?|my|me|to|on|in|at|for|not|no|full|private|down|where|how|what|when|so|really|very|just|"
    r"too|also|about|better|fine|ok|okay|there|here|that|this|pay|and|or|of|with)\b)"
)


def _is_v4(match: re.Match[str]) -> bool:
    return all(int(part) <= 255 for part in match.group().split("."))


def _is_v6(match: re.Match[str]) -> bool:
    if sum(c.isalnum() for c in match.group()) < 4:
        return False
    try:
        ipaddress.IPv6Address(match.group())
    except ValueError:
        return False
    return True


def _is_domain(match: re.Match[str]) -> bool:
    return not TOP_LEVEL.isdisjoint(match.group().lower().split(".")[1:])


LINKS: tuple[Finder, ...] = (
    pattern("link", rf"(?:https?|ftp|tg|weixin|mailto):(?://)?{PATH}"),
    pattern("link", rf"www\.{PATH}"),
    pattern("link", rf"{HOST}(?<=[a-z]{{2}})/{PATH}"),
)
"""Links with a scheme or a path; bare domains come after the e-mail addresses that hold them."""

EMAILS: tuple[Finder, ...] = (
    pattern(
        "email",
        rf"(?<![{LOCAL}])[{LOCAL}]++@(?=[0-9.-]{{0,63}}[{LETTER}])[{LETTER}0-9-]{{1,63}}"
        rf"(?:\.[{LETTER}0-9-]{{1,63}}){{0,8}}",
    ),
    pattern(
        "email",
        rf"{SPOKEN} {{0,2}}(?:[(\[{{<] ?at ?[)\]}}>]|(?<= )at(?= )|(?<= )@|#at#?|艾特|@) {{0,2}}"
        rf"(?:{DOMAIN} {{0,2}}(?:[(\[{{<] ?dot ?[)\]}}>]|(?<= )dot(?= )|点) {{0,2}}){{1,3}}[a-z]{{2,24}}",
    ),
    pattern(
        "email",
        rf"{SPOKEN} {{0,2}}(?:[(\[{{<] ?at ?[)\]}}>]|#at#?|艾特|(?<= )@) {{0,2}}{DOMAIN}(?: ?\. ?[a-z]{{2,24}}){{1,3}}",
    ),
    pattern("email", rf"{SPOKEN} at {PROVIDER}(?: ?\.[a-z]{{2,6}}){{1,2}}\b"),
    pattern("email", rf"{SPOKEN} at (?:gmail|googlemail|hotmail|icloud|foxmail)\b"),
)

IP_ADDRESSES: tuple[Finder, ...] = (
    pattern("ip", r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)", _is_v4),
    pattern("ip", r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?![\w:])", _is_v6),
    pattern("ip", r"(?<![\w:-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![\w:-])"),
)

HANDLES: tuple[Finder, ...] = (
    pattern("link", HOST, _is_domain),
    pattern("handle", rf"@(?=[0-9_.]{{0,30}}[{LETTER}_])[{LETTER}0-9_.-]{{1,40}}|@ ?[\u4e00-\u9fff]{{1,4}}"),
    pattern("handle", r"(?<![\w/])u/[A-Za-z0-9_-]{3,30}"),
    pattern(
        "handle",
        rf"\b(?:my|me on|me via|me at|his|her|our) {NAMED_NETWORK}(?: (?:id|name|handle|account|user ?name|is|"
        rf"as)){{0,4}} ?[:=]? ?"
        rf"(?P<hide>@? ?{NO_HANDLE}(?=[a-z0-9_.-]{{0,40}}[0-9_])[a-z0-9_.-]{{2,40}})",
    ),
    pattern(
        "handle",
        rf"\b(?:my|me on|me via|me at|his|her|our) {NAMED_NETWORK}(?: (?:id|name|handle|account|user ?name)){{0,2}}"
        rf"(?: is| as| ?[:=]) ?(?P<hide>@? ?{NO_HANDLE}[a-z0-9_.-]{{2,40}})",
    ),
    pattern(
        "handle",
        rf"\b{NAMED_NETWORK}(?: (?:id|name|handle|account|user ?name)){{0,2}} ?[:=] ?"
        rf"(?P<hide>@? ?{NO_HANDLE}[a-z0-9_.-]{{2,40}})",
    ),
    pattern(
        "handle",
        r"\b(?:user ?name|screen ?name|gamer ?tag|nick ?name|handle|login)(?: is| ?[:=]) ?"
        rf"(?P<hide>{NO_HANDLE}[a-z0-9_.-]{{2,40}})",
    ),
    pattern(
        "handle",
        rf"{CHINESE_NETWORK} ?(?:号码|账号|帐号|账户|昵称|id|名|号)? ?(?:就是|是|为|叫|"
        rf"[:=]) ?(?P<hide>[a-z0-9_.-]{{2,40}})",
    ),
    pattern(
        "handle",
        rf"{CHINESE_NETWORK} ?(?:号码|账号|帐号|账户|昵称|id|名|号) ?(?P<hide>[a-z0-9_.-]{{3,40}})",
    ),
    pattern("handle", rf"{CHINESE_NETWORK} ?(?P<hide>(?=[a-z0-9_.-]{{0,40}}[0-9_])[a-z0-9_.-]{{5,40}})"),
    cased(
        "handle",
        r"(?:微信|抖音|小红书|微博)(?:名|叫|:)? ?(?P<hide>[\u4e00-\u9fff]{1,6}[A-Za-z_]{0,20}\d{3,12})(?![\d元块])",
    ),
    cased(
        "handle",
        r"(?:抖音|小红书|微博|淘宝|闲鱼)(?:名字|名|昵称|用户名) ?(?:是|叫|:) ?(?P<hide>[\u4e00-\u9fff\w]{1,12})",
    ),
)
