"""What a customer is called: names after the words that introduce them, English and Chinese."""

from __future__ import annotations

import re

from botcore.dialogue.words import FUNCTION_WORDS
from botcore.learning.finding import HAN, LATIN, Finder, Pattern, cased, pattern, where

LETTER = "A-Za-zÀ-ÖØ-öø-ÿ"
CAPITALISED = r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ÿ'-]{0,24}"
INITIAL = r"[A-Z]\.?"
NAME = rf"{CAPITALISED}(?: (?:{CAPITALISED}|{INITIAL}|van|von|de|der|den|da|di|al|el|bin|la|le)){{0,3}}"
TITLE = r"(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herr|Frau)\.? )?"

NO_NAMES = FUNCTION_WORDS | frozenset(
    (
        # of a people, a faith, a way of life
        "italian german french spanish english british irish scottish welsh american canadian mexican "
        "brazilian chinese "
        "japanese korean indian pakistani russian ukrainian polish dutch belgian swiss austrian danish "
        "swedish norwegian "
        "finnish greek turkish arab arabic iranian persian israeli jewish muslim christian catholic hindu "
        "buddhist african "
        "asian european australian portuguese czech hungarian romanian bulgarian vietnamese thai filipino indonesian "
        "malaysian taiwanese egyptian moroccan latina latino hispanic black white brown asian-american vegan "
        "vegetarian "
        "gluten lactose lgbt gay straight cancer leo virgo libra aries taurus gemini scorpio sagittarius capricorn "
        "aquarius pisces autistic diabetic gen "
        # of a state or a wish
        "sorry sure new pregnant tall short small big large medium petite plus size old older young younger "
        "tired sick busy "
        "ready done lost stuck allergic afraid unhappy angry upset ok okay single married retired broke "
        "cheap picky lazy "
        "crazy silly stupid weird boring basic fussy paranoid dumb mad curious desperate serious excited "
        "worried careful "
        "left right both xs xl xxl xxxl tv pc ios android online offline between torn hoping trying planning "
        "very quite "
        "pretty super extremely currently already back home currently usually absolutely totally completely certainly "
        "wrong spelled spelt misspelled misspelt missing printed engraved written registered listed incorrect correct "
        "blank unknown taken private shown hidden stitched embroidered cut different "
        "student teacher nurse doctor engineer developer designer artist beginner runner mom mum dad mother father "
        # after "call me"
        "old-fashioned later tomorrow today tonight now asap anytime crazy maybe please again instead directly first "
        "soon immediately monday tuesday wednesday thursday friday saturday sunday morning evening afternoon "
        # after "thanks"
        "bye cheers regards thanks thank best kind warm yours sincerely merry hi hello dear great nice perfect lovely "
        "wonderful amazing love cool appreciate bot everyone all team"
    ).split()
)
"""What may follow "I'm", "call me", "my name is" and is nobody's name."""
BRANDS = frozenset(
    "coffee clean muscle pepper martens beast bean bronner bronner's meyer's jart barbara scholl".split()
)


def _all_names(match: re.Match[str]) -> bool:
    """Whether no word of the name is one that shoppers say of themselves."""
    words = [word.lower().removesuffix("'s") for word in match.group("hide").split()]
    return not any(word in NO_NAMES or word in BRANDS for word in words if len(word) > 1) and not _participle(words[0])


def _first_is_a_name(match: re.Match[str]) -> bool:
    word = match.group("hide").split()[0].lower().strip("'-")
    return word.removesuffix("'s") not in NO_NAMES and word not in BRANDS and not _participle(word)


def _participle(word: str) -> bool:
    return len(word) > 5 and word.endswith(("ing", "ed", "ly"))


LOWER_STOP = (
    r"(?! (?:and|i|i'm|im|is|but|from|can|do|so|the|my|who|with|where|for|to|in|on|at|of|a|an|it|we|you|"
    r"this|that|what|how|"
    r"please|have|was|are|would|want|need|looking|thanks|here|not|if|or|by|as|just|am|speaking|calling)\b)"
)
RELATION = (
    r"(?:husband|wife|son|daughter|friend|boyfriend|girlfriend|brother|sister|mother|father|mom|mum|dad|boss|colleague|"
    r"neighbou?r|partner|nephew|niece|cousin|uncle|aunt|grandma|grandpa|fianc[eé]e?|roommate|flatmate|"
    r"baby|boy|girl|kid)"
)

ENGLISH: tuple[Finder, ...] = where(
    LATIN,
    cased(
        "name",
        rf"(?i:\b(?:my|his|her|their|our|full|first|last|family|sur|maiden|recipient'?s?|customer|contact|"
        rf"account|the|{RELATION}'s) ?name"
        rf"(?:'s|'d be| is| was| should be| ?:)|\bi am called|\bich hei(?:ß|ss)e|\bmein name ist|\bname ?:|"
        rf"\bsurname is) {{0,2}}"
        rf"(?P<hide>{TITLE}{NAME})",
        _first_is_a_name,
    ),
    pattern(
        "name",
        rf"\b(?:my|his|her|their|full|first|last|family|sur|{RELATION}'s) ?name(?:'s| is| was| ?:) {{0,2}}"
        rf"(?P<hide>[{LETTER}][{LETTER}'-]{{1,24}}(?:{LOWER_STOP} [{LETTER}][{LETTER}'-]{{1,24}})?)",
        _first_is_a_name,
    ),
    cased(
        "name",
        rf"(?i:\b(?:i'm|i am|im|it's|it is|this is)) (?P<hide>{TITLE}{CAPITALISED}(?: {INITIAL})? {CAPITALISED})(?!\w)",
        _all_names,
    ),
    cased(
        "name",
        rf"(?:^|(?i:[.!?,\n] {{0,2}}|\bhi |\bhello |\bhey |\band )) {{0,2}}(?:I'm|I am|i'm|i am|Im|im) "
        rf"(?P<hide>{TITLE}[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ'-]{{1,24}})"
        r"(?![\w'-])(?= {0,2}(?:$|[.,;!\n])| {1,2}[a-z])",
        _all_names,
    ),
    cased(
        "name",
        rf"(?i:\b(?:please )?call me|\bthey call me|\bi go by|\beveryone calls me) "
        rf"(?P<hide>{TITLE}{CAPITALISED}(?: {CAPITALISED})?)",
        _first_is_a_name,
    ),
    pattern("name", rf"\bcall me (?P<hide>[{LETTER}]{{2,24}})(?= {{0,2}}(?:$|[.,;!\n]))", _first_is_a_name),
    pattern(
        "name",
        rf"\bthis is (?P<hide>[{LETTER}][{LETTER}'.-]{{1,24}}(?: (?!speaking|here|from|"
        rf"calling)[{LETTER}][{LETTER}'-]{{1,24}}){{0,2}}) (?:speaking|calling|here\b(?=[.,!]|$))",
        _first_is_a_name,
    ),
    cased("name", rf"(?i:\bthis is) (?P<hide>{NAME}) (?i:from|with|again)\b", _all_names),
    cased("name", rf"(?P<hide>\b{NAME}) (?:speaking|here)(?= {{0,2}}(?:$|[.,;!\n]))", _all_names),
    cased(
        "name",
        rf"(?i:\b(?:regards|sincerely|faithfully|truly|wishes|cheers|yours|best|greetings|gr[üu](?:ß|ss)e|"
        rf"signed|xoxo|love)) ?[,.!:\n-]{{1,3}}\s{{0,3}}"
        rf"(?P<hide>{TITLE}{NAME})(?=\s{{0,3}}(?:$|[.,!\n(<{chr(0)}-]))",
        _all_names,
    ),
    pattern(
        "name",
        rf"\b(?:regards|sincerely|faithfully|yours truly|wishes) ?[,\n]{{1,2}}\s{{0,3}}"
        rf"(?P<hide>[{LETTER}][{LETTER}'-]{{1,24}}(?: [{LETTER}][{LETTER}'-]{{1,24}})?)(?=\s{{0,3}}$)",
        _first_is_a_name,
    ),
    cased(
        "name",
        rf"(?i:\bthank(?:s| you)(?: (?:a lot|so much|very much|again|in advance))?) ?[,.!\n-]{{1,3}}\s{{0,3}}"
        rf"(?P<hide>{NAME})(?=[.!]?\s{{0,3}}$)",
        _all_names,
    ),
    cased(
        "name",
        rf"(?i:\b(?:in the name of|under the name(?: of)?|in care of|c/o|attn\.?:?|attention:|recipient(?: is|"
        rf":)|ordered by|addressed to|made out to|"
        rf"customer:|contact(?: person)?:|kontakt:|empfänger:|care of|signed by|engraved with|ask for|on "
        rf"behalf of|buyer:|receiver:)) {{0,2}}"
        rf"(?P<hide>{TITLE}{NAME})",
        _first_is_a_name,
    ),
    cased(
        "name",
        rf"(?<![A-Za-z])(?P<hide>(?:Mr|Mrs|Ms|Miss|Herr|Frau|MR|MRS)\.? {CAPITALISED}(?: {CAPITALISED})?)",
        lambda m: not BRANDS & set(m.group().lower().split()),
    ),
    cased(
        "name",
        rf"(?i:\bmy {RELATION})(?:'s name is|,? named|,? called| is called|,)? "
        rf"(?P<hide>[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ'-]{{1,24}}(?: {CAPITALISED})?)(?![\w])",
        _first_is_a_name,
    ),
)

SURNAME = (
    r"(?:欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|端木|长孙|宇文|"
    r"[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭"
    r"廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向"
    r"柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华])"
)
GIVEN = r"(?:(?![的了想要买在是和有不住电手您你他她它吗呢吧啊请收，说问])[\u4e00-\u9fff])"
FULL = rf"{SURNAME}{GIVEN}{{1,2}}"
PET = r"(?:[小阿老大]" + GIVEN + r"{1,2})"
STOP = r"(?=$|[^\u4e00-\u9fff]|[的,是想要买在和有住电手请收来咨问说])"
FOREIGN = rf"(?:[{LETTER}][{LETTER}'.-]{{0,24}}(?: (?!and\b|i\b)[{LETTER}][{LETTER}'-]{{0,24}}){{0,2}})"
NO_SELF = (
    r"(?!单身|高个|高中|高考|高度|高级|白领|白羊|白皮|白天|常客|常年|安卓|黄皮|黄黑|黄种|方脸|方形|马上|"
    r"经常|金牛|江西|江苏|江浙|成都|成年|成人|"
    r"何时|周[一二三四五六日末]|许多|程序|苏州|唐山|张家|徐州|郑州|广东|武汉|石家|温州|万一|时候|任何|毛孔|"
    r"毛躁|路过|路人|路痴|胡子|胡乱|夏天|夏季|"
    r"石油|华人|华侨|关于|关注|管理|左手|左撇|左右|卫校|包邮|文科|文员|文艺|项目|强迫|游客|康复|牛仔|甘肃|"
    r"景区|司机|宁波|宁夏|阳台|洪水|陶瓷|"
    r"兰州|海|向往|解决|成功|查|安徽|云|南|汤|林业|金融|金色|金属|黄色|白色|马拉|武术|雷达|易过|易出|"
    r"易胖|易敏|盛|甘|章|柏|单|位|植|沿|曲|时|解|成|向|易|常|"
    r"高|方形|苗条|大|老|顾客|客|施工|关|左|谷|管|路|万|安)"
)
PEOPLE = r"(?![^\s]{0,2}[人座皮党控码脸子客领手迷粉员机肤发妈爸女男版号型家族师生季色们])"


def _chinese(source: str) -> Pattern:
    return pattern("name", source)


CHINESE: tuple[Finder, ...] = where(
    HAN,
    _chinese(
        r"(?:收件人|收货人|联系人|签收人|寄件人|收款人|持卡人|下单人|姓名|真实姓名|名字|称呼|本名|全名|户名|"
        r"收货姓名)(?:改成|改为|就?是(?![不否什谁哪])|叫|为|[: ]) ?"
        rf"(?P<hide>{FOREIGN}|{FULL}?(?={STOP[3:-1]})|{FULL}|{PET}|[\u4e00-\u9fff]{{2,4}}(?=$|[^\u4e00-\u9fff]))"
    ),
    _chinese(rf"(?:收件人|收货人|联系人|姓名)(?P<hide>{SURNAME}{GIVEN}{{1,2}}?{STOP}|{FULL})"),
    _chinese(
        r"(?:我的?(?:真?名字?|全名)?就?叫做?|本人叫?|我名叫|名叫|可以叫我|叫我|喊我|称呼我(?:为)?|"
        r"(?:儿子|女儿|老公|老婆|朋友|妈妈|爸爸|男友|女友|先生|太太|宝宝|孩子)"
        r"(?:名字)?叫) ?"
        rf"(?P<hide>(?!车)(?:{SURNAME}{GIVEN}{{1,2}}?{STOP}|{FULL}|{SURNAME}?[小阿老]{GIVEN}{{1,2}}?{STOP}|{PET}|"
        rf"{SURNAME}(?:先生|女士|小姐|哥|姐|总|老师))|{FOREIGN})"
    ),
    _chinese(
        rf"我(?:的名字)?叫 ?(?P<hide>"
        rf"(?![了不他她你您它个车外快人什过做出错来去这那啥]){GIVEN}{{2,3}})(?=$|"
        rf"[^\u4e00-\u9fff])"
    ),
    _chinese(rf"(?:我|本人|免贵|敝|小女子|鄙人|他|她)(?:是)?姓 ?(?P<hide>{SURNAME}(?:{GIVEN}{{1,2}}{STOP})?)"),
    _chinese(rf"(?P<hide>{SURNAME}[\u4e00-\u9fff]{{0,2}}?(?:先生|女士|小姐(?!姐)|太太|夫人)|{SURNAME}某某?)"),
    _chinese(
        rf"(?:我是|这里是|我就是|我这边是|本人是|本人) ?"
        rf"(?P<hide>{NO_SELF}{PEOPLE}{SURNAME}{GIVEN}{{1,2}})(?=$|"
        rf"[^\u4e00-\u9fff])"
    ),
    _chinese(
        rf"(?P<hide>(?!周[一二三四五六日末]|何时|马上|任何){SURNAME}{GIVEN}{{1,2}}) ?["
        rf"(]?收[)]?(?=$|[ ,.。;!]|\d|{chr(0)})"
    ),
    cased(
        "name",
        r"(?:我是|这里是) ?(?P<hide>[A-Z][a-z]{1,20}(?: [A-Z][a-z]{1,20}){0,2})(?=$|[,.。!;\n])",
        _all_names,
    ),
)

NAMES: tuple[Finder, ...] = (*ENGLISH, *CHINESE)
