"""Where a customer lives: postal addresses, English, German and Chinese."""

from __future__ import annotations

import re

from botcore.learning.finding import DIGIT, HAN, HIDDEN, LATIN, Finder, cased, pattern, where

HANZI = "\u4e00-\u9fff"
END = f"\n。;；！!？?{HIDDEN}"
"""What ends an address that a cue opens."""
STRONG = r"(?:street|avenue|ave|boulevard|blvd|lane|crescent|terrace|parkway|pkwy|highway|hwy|road|rd)"
STREET = (
    r"(?:Street|St|Avenue|Ave|Av|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Square|Sq|"
    r"Terrace|Ter|Parkway|"
    r"Pkwy|Highway|Hwy|Close|Crescent|Cres|Row|Gardens|Gdns|Mews|Circle|Cir|Trail|Alley|Walk|Hill|Grove|"
    r"Broadway|Plaza|Quay|"
    r"Wharf|Heights|Green|Park|Loop|Rise|Vale)"
)
NO_PLACE = (
    r"(?!(?i:GB|TB|MB|KB|inch|inches|cm|mm|pairs?|pieces?|pcs|packs?|sets?|x|for|of|and|or|the|in|on|at|"
    r"to|by|with|from|per|day|"
    r"days|week|hours?|hard|flash|usb|ssd|speed|star|new|more|different|good|nice|black|white|red|blue|mountain|"
    r"hybrid|electric|way|off|percent|dollars?|euros?|usd|eur)\b)"
)
WORD = r"[A-ZÄÖÜ][\w.'-]{0,24}|\d{1,3}(?:st|nd|rd|th)"
UNIT = r"(?:(?i:apt|apartment|unit|suite|ste|flat|floor|fl|room|rm)\.? ?#? ?\w{1,6}|#\d{1,5}\w?)"
UK_AREA = (
    r"(?:AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|"
    r"EH|EN|EX|FK|FY|G|GL|"
    r"GU|HA|HD|HG|HP|HR|HS|HU|HX|IG|IP|IV|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|NP|NR|"
    r"NW|OL|OX|PA|PE|PH|PL|"
    r"PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|W|WA|WC|WD|WF|"
    r"WN|WR|WS|WV|YO|ZE)"
)
UK_POSTCODE = rf"{UK_AREA}\d[A-Z\d]? ?\d(?!GB|TB|MB|XL|XS|XX)[ABD-HJLNP-UW-Z]{{2}}(?![A-Za-z0-9])"
STATE = (
    r"(?:AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|"
    r"NC|ND|OH|OK|OR|PA|RI|"
    r"SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|PR)"
)
US_ZIP = rf"{STATE},? {{1,2}}\d{{5}}(?:-\d{{4}})?(?!\d)"
TAIL = (
    rf"(?:,? {{0,2}}{UNIT})?(?:,? {{1,2}}{US_ZIP}|,? {{1,2}}{UK_POSTCODE}|,? {{1,2}}\d{{5}}(?:-\d{{4}})?(?!\d)|"
    rf",\n? {{0,2}}[A-ZÄÖÜ][a-zäöüß.'-]{{1,24}}(?: [A-Z][a-zäöüß.'-]{{0,24}}){{0,2}}|\n[A-Z][\w.'-]{{1,24}}"
    rf"(?=,? (?:{STATE} )?\d| {UK_AREA}\d)|"
    rf" [A-Z][\w.'-]{{1,24}}(?=,? {US_ZIP}| {UK_POSTCODE})){{0,5}}"
)
UNITS_OF_GOODS = (
    r"(?!(?i:euros?|eur|usd|dollars?|yuan|rmb|pounds?|watts?|lumens?|btu|mah|pieces?|pcs|steps?|hours?|"
    r"rpm|pa|st[üu]ck|units?|"
    r"people|points?|cny|gbp|yen|miles?|km|reviews?|followers|customers|bottles|boxes|items?|products?|"
    r"pairs?|kelvin|volts?|hz|"
    r"lux|grams?|liters?|litres?|won|for|and|or|is|if|the|what|maximum|max|minimum|budget|please|can|do|"
    r"sqft|square|feet|thread|"
    r"dpi|pixels?|k|candela|cycles|washes|pages|songs|photos|calories|stitches|tog|denier)\b)"
)
GERMAN_STREET = r"(?:straße|strasse|str\.|platz|allee|gasse|weg|ufer|damm|chaussee|promenade)"
SWALLOWED = (
    r"(?:[\u4e00-\u9fff]{0,10}?(?:住在|寄到|寄往|寄去|送到|送去|送往|发到|发往|地址是|"
    r"地址|位于|家在|人在|我在|我是|在|到|给|去|是|住))?"
)
"""A verb before a Chinese address, which would else be taken for the name of the place."""
PROVINCE = (
    r"(?:北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|"
    r"广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|"
    r"内蒙古|广西|西藏|宁夏|新疆|香港|澳门)"
)
CITY = r"(?<![超城夜上门都股菜花楼跳])市(?![场面价民集售值])"
DISTRICT = r"(?<![小地社专分园景时禁误])区(?![别分域间块])"
COUNT = r"[\dA-Za-z一二三四五六七八九十百零〇-]"
DOOR = rf"{COUNT}{{1,8}} ?(?:号楼|号院|号线|弄|号(?!色|码|电池|球|线)|栋|幢|座|单元|室|户|层|楼)"
ROAD = r"(?:路|街(?!拍|头|舞|上)|大道|巷|弄|胡同|小区|花园|公寓|大厦|广场|新村|家园|苑|街道|镇|乡|村)"
LAST = r"(?: ?-? ?\d{1,4}(?![\d元块件个号款]))?"
"""The number of a room at the end, without its word."""
NO_ROAD = r"(?<!走路)(?<!一路)(?<!什么路)(?<!铁路)(?<!公路)(?<!网路)(?<!电路)(?<!逛街)"


def _holds_a_place(match: re.Match[str]) -> bool:
    """Whether what follows "address is" is one: "my address is wrong" says none."""
    said = match.group("hide")
    return any(c.isdigit() for c in said) or said[:1].isupper()


ENGLISH: tuple[Finder, ...] = where(
    LATIN,
    cased(
        "address",
        rf"(?:(?i:flat|apt|apartment|unit|suite)\.? ?#?\w{{1,5}},? {{1,2}})?(?<![\w$€£])"
        rf"(?<!\d[.,])\d{{1,6}}[A-Za-z]?(?:[-/]\d{{1,5}})?,? {{1,2}}"
        rf"(?:[NSEW]{{1,2}}\.? )?(?:{NO_PLACE}(?:{WORD}) {{1,2}}){{1,4}}{STREET}\b\.?(?! (?:Laurent|Ives|"
        rf"Moritz|[Bb]ikes?|[Ss]hoes?|"
        rf"[Rr]unning))(?: [NSEW]{{1,2}}\b\.?)?{TAIL}",
    ),
    pattern(
        "address",
        rf"(?<![\w$€£])(?<!\d[.,])\d{{1,5}}[a-d]? (?:[nsew] )?(?:{NO_PLACE}[a-z][a-z'-]{{1,20}}(?<!s) "
        rf"){{1,2}}{STRONG}\b(?! (?:bikes?|bicycles?|"
        r"shoes?|running|wear|style|race|racing|trips?|cycling|tyres?|tires?|map|wheels?|food|light|lamp|sign|test))"
        r"(?:,? (?:apt|apartment|unit|flat|suite)\.? ?#?\w{1,5})?(?:,? [a-z]{2,20}){0,2}(?:,? [a-z]{2})?(?:,? "
        r"\d{5}(?!\d))",
    ),
    pattern(
        "address",
        rf"(?<![\w$€£])(?<!\d[.,])\d{{1,5}}[a-d]? (?:[nsew] )?(?:{NO_PLACE}[a-z][a-z'-]{{1,20}}(?<!s) "
        rf"){{1,2}}{STRONG}\b(?! (?:bikes?|bicycles?|"
        r"shoes?|running|wear|style|race|racing|trips?|cycling|tyres?|tires?|map|wheels?|food|light|lamp|sign|test))"
        r"(?:,? (?:apt|apartment|unit|flat|suite)\.? ?#?\w{1,5})?",
    ),
    pattern("address", r"\bp\.? ?o\.? ?box ?#?\d{1,6}"),
    pattern("address", r"\bpostfach \d{2,8}(?: \d{2,4}){0,3}"),
    pattern(
        "address",
        rf"\b(?:(?:my|our|his|her|shipping|delivery|home|billing|mailing|postal|new|the) address(?: is| ?:)|"
        rf"(?<![a-z] )address ?:|"
        rf"\bi(?:'m| am)? (?:live|living|reside|stay) at|we live at|adresse(?: ist)? ?:?) {{0,2}}"
        rf"(?P<hide>[^{END}]{{3,100}})",
        _holds_a_place,
    ),
    cased(
        "address",
        rf"(?i:\b(?:ship|deliver|send|sent|shipped|delivered|post|mail)(?: (?:it|them|this|that|everything|the "
        rf"\w{{1,15}}|my \w{{1,15}}))?"
        rf" to:?) (?P<hide>\d{{1,5}}[A-Za-z]? {NO_PLACE}[A-Z][\w'-]{{1,20}}(?: [A-Z][\w'-]{{0,20}}){{0,3}}{TAIL})",
    ),
    cased(
        "address", rf"(?<![A-Za-z0-9]){UK_AREA}\d[A-Z\d]? \d(?!GB|TB|MB|XL|XS|XX)[ABD-HJLNP-UW-Z]{{2}}(?![A-Za-z0-9])"
    ),
    cased("address", rf"\b[A-Z][a-z'.-]{{1,20}}(?: [A-Z][a-z'.-]{{1,20}}){{0,2}},? {US_ZIP}"),
    cased("address", rf"(?<![A-Za-z]){STATE},? \d{{5}}-\d{{4}}(?!\d)"),
    pattern(
        "address",
        r"\b(?:zip|zip ?code|post ?code|postal code|plz|postleitzahl)(?: is| ist)? ?:? ?(?P<hide>"
        r"(?=[a-z0-9]{0,4}\d)[a-z0-9]{2,5} ?\d[a-z0-9]{2}"
        r"|\d{4,6}(?:-\d{4})?)(?![a-z0-9])",
    ),
    pattern("address", r"(?<![\d.])-?\d{1,3}\.\d{4,15} ?°?[NS]?, ?-?\d{1,3}\.\d{4,15} ?°?[EW]?"),
)

CONTINENTAL: tuple[Finder, ...] = where(
    DIGIT,
    pattern(
        "address",
        rf"(?<![a-zäöüß])(?:[a-zäöüß]{{2,12}}[ -]){{0,2}}?[a-zäöüß-]{{2,24}}{GERMAN_STREET} ?\d{{1,4}} ?"
        rf"(?:[a-h]\b)?(?!\d)"
        r"(?:,? {0,2}(?:D-?)?\d{5} [A-Za-zÄÖÜäöüß-]{2,24}(?: am [A-Za-z]{2,12})?)?",
        lambda match: match.group().lower().split()[0] not in ("norweg", "weg"),
    ),
    cased(
        "address",
        r"\b[A-ZÄÖÜ][a-zäöüß]{2,20}(?:er|en|n) (?:Straße|Strasse|Str\.|Platz|Allee|Weg|Ring|Damm|Ufer) "
        r"\d{1,4} ?[a-h]?\b",
    ),
    cased(
        "address",
        r"\b(?:Am|An der|An den|Auf der|Auf dem|Im|In der|Unter den|Zum|Zur) [A-ZÄÖÜ][a-zäöüß]{2,20} "
        r"\d{1,4}[a-h]?,? {1,2}\d{5} [A-ZÄÖÜ]\w{2,24}",
    ),
    cased(
        "address",
        rf"(?<![\w$€£¥#])(?<!\d[.,])(?:(?:D|A|CH|F|I)-)?\d{{5}} {UNITS_OF_GOODS}[A-ZÄÖÜ][a-zäöüß]{{2,24}}(?:[ "
        rf"-](?:am|an der|[A-ZÄÖÜ][a-zäöüß]{{2,24}})(?: [A-Z][a-z]{{2,12}})?)?",
    ),
    pattern(
        "address",
        r"(?<!\w)(?<!\d[.,])\d{1,4}(?: ?bis| ?ter)?,? (?:rue|avenue|boulevard|chemin|allée|quai|impasse) "
        r"(?:d[eu]s? |la |le |l'|d'){0,2}[a-zà-ÿ'-]{2,24}(?: [A-Z][a-zà-ÿ'-]{2,24}){0,2}(?:,? \d{5} "
        r"[A-Z][a-zà-ÿ-]{2,24})?",
    ),
    cased(
        "address",
        r"\b(?:Calle|Via|Viale|Piazza|Avenida|Rua|Carrer|Corso) (?:[A-Za-zÀ-ÿ'.-]{2,20} ){1,4}?(?:n[.º°]? "
        r"?)?\d{1,4}(?!\d)",
    ),
)

CHINESE: tuple[Finder, ...] = where(
    HAN,
    pattern(
        "address",
        rf"(?:收货|收件|寄送|家庭|家里|公司|配送|邮寄|发货|详细|我的|我家|新)?地址(?:改成|改为|换成| ?:|"
        rf"就?是(?![不否什哪错对吗])|为) ?(?P<hide>[^{END}]{{3,80}})",
    ),
    pattern("address", r"(?:邮编|邮政编码)(?:是|为|[: ]){0,2}(?P<hide>\d{6})(?!\d)"),
    pattern(
        "address",
        rf"{SWALLOWED}(?P<hide>(?:[{HANZI}]{{2,6}}?(?:省|自治区))?(?:[{HANZI}]{{1,6}}?(?:{CITY}|自治州|盟)|"
        rf"{PROVINCE}{CITY}?)[{HANZI}]{{1,6}}?(?:{DISTRICT}|县|旗|镇|市)"
        rf"(?:[{HANZI}\dA-Za-z\- ]{{0,12}}?(?:{ROAD}|{DOOR})){{0,6}}{LAST})",
    ),
    pattern(
        "address",
        rf"{SWALLOWED}(?P<hide>(?:[{HANZI}]{{2,6}}?(?:省|自治区)|{PROVINCE}省?)[{HANZI}]{{1,6}}?{CITY}"
        rf"(?:[{HANZI}\dA-Za-z\- ]{{0,12}}?(?:{ROAD}|{DOOR})){{0,6}}{LAST})",
    ),
    pattern(
        "address",
        rf"{SWALLOWED}(?P<hide>[{HANZI}]{{1,6}}?{DISTRICT}[{HANZI}\dA-Za-z]{{0,12}}?(?:{ROAD}{NO_ROAD}|{DOOR})"
        rf"(?:[{HANZI}\dA-Za-z\- ]{{0,12}}?{DOOR}){{0,5}}{LAST})",
    ),
    pattern(
        "address",
        rf"{SWALLOWED}(?P<hide>[{HANZI}]{{1,10}}?{ROAD}{NO_ROAD} ?{DOOR}(?:[{HANZI}\dA-Za-z\- ]{{0,12}}?"
        rf"(?:{ROAD}|{DOOR})){{0,5}}{LAST})",
    ),
    pattern("address", rf"(?<![\dA-Za-z]){COUNT}{{1,5}} ?(?:号楼|号院|栋|幢|座|弄|单元) ?(?:{DOOR}){{1,4}}{LAST}"),
    pattern("address", r"(?<!\d)\d{1,5}(?:号楼|栋|幢|座|单元|弄)[ -]?\d{2,4}(?:室|号)?(?![\d元块])"),
    pattern("address", r"(?<!\d)\d{3,4}室"),
    pattern(
        "address",
        rf"我(?:家|就|现在)?住(?:在|:)?(?P<hide>[{HANZI}\dA-Za-z-]{{2,30}}?(?:[路街苑镇村]|花园|公寓|大厦|家园|{DOOR}))",
    ),
)

ADDRESSES: tuple[Finder, ...] = (*ENGLISH, *CONTINENTAL, *CHINESE)
