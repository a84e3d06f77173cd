"""Personal data leaves what customers write, and shopping talk stays as it is. Pure."""

import re
import string
from collections.abc import Iterator
from re import _constants as opcodes
from re import _parser as parser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from botcore.learning import contacts, figures, persons, whereabouts
from botcore.learning.checksums import RESIDENT_CHECKS, RESIDENT_WEIGHTS, is_card, is_iban, is_resident_id
from botcore.learning.finding import Pattern
from botcore.learning.scrub import FINDERS, PLACEHOLDER, scrub

HIDDEN = [
    (
        "you can mail me at anna.b@web.de thanks",
        (
            "anna",
            "web.de",
        ),
    ),
    (
        "ANNA_B+shop@Example.CO.UK is my email",
        (
            "ANNA",
            "Example",
        ),
    ),
    (
        "write to john dot smith at gmail dot com",
        (
            "john",
            "smith",
            "gmail",
        ),
    ),
    (
        "bob (at) example (dot) org",
        (
            "bob",
            "example",
        ),
    ),
    (
        "bob[at]example[dot]org please",
        (
            "bob",
            "example",
        ),
    ),
    (
        "reach me: sara @ outlook . com",
        (
            "sara",
            "outlook",
        ),
    ),
    (
        "my email is maria at gmail.com",
        (
            "maria",
            "gmail",
        ),
    ),
    (
        "我的邮箱是zhangsan@163.com，谢谢",
        (
            "zhangsan",
            "163",
        ),
    ),
    (
        "发到１２３４５＠ｑｑ．ｃｏｍ",
        (
            "１２３４５",
            "ｑｑ",
        ),
    ),
    (
        "call +49 171 2345678",
        (
            "171",
            "2345678",
        ),
    ),
    (
        "my number is (415) 555-0132",
        (
            "415",
            "555",
            "0132",
        ),
    ),
    (
        "415.555.0132 after six",
        (
            "415",
            "0132",
        ),
    ),
    (
        "ring me on 020 7946 0958",
        (
            "020",
            "7946",
            "0958",
        ),
    ),
    (
        "07700 900123 is my mobile",
        (
            "07700",
            "900123",
        ),
    ),
    (
        "Tel.: 030/1234567",
        (
            "030",
            "1234567",
        ),
    ),
    (
        "0171 / 23 45 678",
        (
            "0171",
            "678",
        ),
    ),
    ("0044 20 7946 0958", ("7946",)),
    (
        "+86-138-0013-8000",
        (
            "138",
            "0013",
            "8000",
        ),
    ),
    ("手机13800138000", ("138001",)),
    (
        "电话：138 0013 8000",
        (
            "138",
            "8000",
        ),
    ),
    (
        "打我139-1234-5678吧",
        (
            "139",
            "5678",
        ),
    ),
    (
        "座机010-65432100转23",
        (
            "010",
            "6543",
            "23",
        ),
    ),
    (
        "１３８００１３８０００是我的号",
        (
            "１３８",
            "８０００",
        ),
    ),
    (
        "联系我 6543 2100",
        (
            "6543",
            "2100",
        ),
    ),
    ("一三八零零一三八零零零", ("一三八",)),
    (
        "call me at 555 1234",
        (
            "555",
            "1234",
        ),
    ),
    (
        "five five five one two three four",
        (
            "five five",
            "four",
        ),
    ),
    (
        "card 4111 1111 1111 1111 exp 12/27 cvv 123",
        (
            "4111",
            "12/27",
            "123",
        ),
    ),
    ("4111-1111-1111-1111", ("4111",)),
    ("pay with 378282246310005", ("3782",)),
    ("卡号6222021234567890128", ("6222",)),
    (
        "IBAN DE89 3704 0044 0532 0130 00 ok",
        (
            "DE89",
            "3704",
            "0532",
            "00",
        ),
    ),
    (
        "gb82west12345698765432",
        (
            "gb82",
            "west",
            "5432",
        ),
    ),
    (
        "身份证11010519491231002X",
        (
            "110105",
            "002X",
        ),
    ),
    (
        "110105 19491231 002X 是我的身份证",
        (
            "110105",
            "002X",
        ),
    ),
    ("护照号E1234567", ("E1234567",)),
    ("my passport number is C01X00T47", ("C01X00T47",)),
    (
        "ssn 078-05-1120",
        (
            "078",
            "1120",
        ),
    ),
    ("NI number QQ 12 34 56 C", ("12 34",)),
    ("order #10234 is late", ("10234",)),
    ("where is my order 88-1234?", ("1234",)),
    ("tracking number 1Z999AA10123456784", ("1Z999",)),
    (
        "tracking: RR123456789CN",
        (
            "RR",
            "123456",
        ),
    ),
    ("my customer number is K-7781", ("7781",)),
    ("订单号：A20231234", ("A2023",)),
    (
        "快递单号SF1234567890123",
        (
            "SF",
            "12345",
        ),
    ),
    ("取件码5-2-3011", ("5-2-3011",)),
    (
        "Amazon order 026-1234567-1234567",
        (
            "026",
            "1234567",
        ),
    ),
    (
        "my ip is 192.168.13.7",
        (
            "192",
            "168",
        ),
    ),
    (
        "2001:db8::8a2e:370:7334 cannot reach you",
        (
            "2001",
            "7334",
        ),
    ),
    (
        "see https://example.com/u/anna?x=1, please",
        (
            "example",
            "anna",
        ),
    ),
    ("www.anna-shop.de/me", ("anna",)),
    ("look at t.me/annab", ("annab",)),
    (
        "我的主页 https://weibo.com/u/12345，看看",
        (
            "weibo",
            "12345",
        ),
    ),
    ("dm me @anna_b", ("anna_b",)),
    ("my insta is annab", ("annab",)),
    ("add me on snapchat: anna.b", ("anna.b",)),
    ("微信号：zhang_san88", ("zhang_san88",)),
    ("加我微信 wxid_abc123", ("wxid_abc123",)),
    ("QQ号 123456", ("123456",)),
    ("my wechat is lily", ("lily",)),
    (
        "ship it to 12 Main Street, Springfield, IL 62704",
        (
            "Main",
            "Springfield",
            "62704",
        ),
    ),
    (
        "221B Baker Street, London NW1 6XE",
        (
            "Baker",
            "London",
            "NW1",
            "6XE",
        ),
    ),
    (
        "I live at 45 elm avenue apt 3",
        (
            "elm",
            "45",
        ),
    ),
    (
        "Flat 3, 10 Downing St, London",
        (
            "Downing",
            "Flat",
            "London",
        ),
    ),
    (
        "Hauptstraße 12, 10115 Berlin",
        (
            "Haupt",
            "10115",
            "Berlin",
        ),
    ),
    (
        "meine Adresse: Lindenallee 4a 80331 München",
        (
            "Linden",
            "München",
        ),
    ),
    (
        "deliver to 12345 Berlin",
        (
            "12345",
            "Berlin",
        ),
    ),
    ("PO Box 1234", ("1234",)),
    (
        "my postcode is SW1A 1AA",
        (
            "SW1A",
            "1AA",
        ),
    ),
    ("zip 90210", ("90210",)),
    (
        "Los Angeles, CA 90210",
        (
            "90210",
            "Angeles",
        ),
    ),
    (
        "上海市浦东新区世纪大道1234号5栋601室",
        (
            "浦东",
            "世纪",
            "1234",
            "601",
        ),
    ),
    (
        "寄到广东省深圳市南山区科技园路8号",
        (
            "深圳",
            "南山",
            "科技",
            "8号",
        ),
    ),
    (
        "我住在建国路88号",
        (
            "建国",
            "88",
        ),
    ),
    (
        "收货地址：杭州西湖文三路 45 号",
        (
            "杭州",
            "文三",
            "45",
        ),
    ),
    (
        "朝阳区望京街道12号院3号楼2单元501",
        (
            "朝阳",
            "望京",
            "501",
        ),
    ),
    ("邮编 200000", ("200000",)),
    (
        "my name is Anna Berg and I need a rug",
        (
            "Anna",
            "Berg",
        ),
    ),
    ("my name is anna", ("anna",)),
    (
        "Hi, I'm Peter Miller",
        (
            "Peter",
            "Miller",
        ),
    ),
    ("call me Bob", ("Bob",)),
    (
        "this is Maria Lopez speaking",
        (
            "Maria",
            "Lopez",
        ),
    ),
    (
        "Best regards,\nTom Baker",
        (
            "Tom",
            "Baker",
        ),
    ),
    ("kind regards, Eva", ("Eva",)),
    ("Mrs. Dalloway will collect it", ("Dalloway",)),
    ("我叫王小明，想买鞋", ("王小明",)),
    ("我叫李雷", ("李雷",)),
    ("我姓欧阳", ("欧阳",)),
    ("我是陈先生", ("陈",)),
    ("我是张伟。", ("张伟",)),
    ("收件人刘德华", ("刘德华",)),
    ("联系人：赵敏", ("赵敏",)),
    ("叫我小王", ("小王",)),
    (
        "I was born on 5 May 1990",
        (
            "May",
            "1990",
        ),
    ),
    (
        "dob 05/12/1988",
        (
            "1988",
            "05/12",
        ),
    ),
    (
        "生日是1990年5月12日",
        (
            "1990",
            "12日",
        ),
    ),
    (
        "聯繫人：陳大文 電話 9123 4567",
        (
            "陳大文",
            "9123",
            "4567",
        ),
    ),
    (
        "send it to my neighbour Tim Hughes",
        (
            "Tim",
            "Hughes",
        ),
    ),
    ("ticket TK-99812 please", ("99812",)),
    ("my card ends in 4242", ("4242",)),
    ("我叫小美，微信小美2023", ("小美2023",)),
    ("我老公叫张建国", ("张建国",)),
    (
        "收货人 小李 138-1234-5678",
        (
            "小李",
            "138",
        ),
    ),
    (
        "call 1-800-555-0199 x12",
        (
            "800",
            "0199",
            "x12",
        ),
    ),
    (
        "17 rue des Lilas, 75020 Paris",
        (
            "Lilas",
            "Paris",
        ),
    ),
]
"""A message, and pieces of personal data that must not be left of it."""

CLEAN = [
    "which of these, 19.99 29.99 39.99 or 9.99?",
    "do you have these in size 42?",
    "a 10.5 in men's please",
    "175/96A is my size",
    "is it $1,299.99 or 1299 yuan?",
    "something under 500",
    "between 500-1000 euros",
    "200-300 or 1500-2000 at most",
    "I need 3 of the iPhone 15",
    "how is the WH-1000XM5 against the QC45?",
    "the 2024 model, not the 2023 one",
    "a 1200W blender, 500ml",
    "a rug of 30 x 40 cm",
    "open from 9:30 to 18:00?",
    "20% off, really?",
    "compare [A.name] and [B.price] within [budget]",
    "call me old-fashioned but I like wool",
    "I'm Italian and I like good coffee makers",
    "I'm Looking For A New Rug",
    "sizes 36 37 38 39 40 41 42 please",
    "sizes 8.5 9.5 10.5 11.5?",
    "10.00-18.00 or 9.00-18.30",
    "64 128 256 512 gb",
    "5000mAh and 65W, 4K 120Hz, 1920x1080",
    "do you deliver on 2024-05-12 or 12.05.2024?",
    "I ordered 2 pairs for road running",
    "a 10 speed road bike",
    "an 8 inch drive or a 1 TB drive",
    "2 black and 3 white ones",
    "can I order 100 pieces?",
    "I'm not sure, I'm so tired of cheap shoes",
    "this is great, thanks",
    "Thanks, bye!",
    "Spring 2024 collection",
    "Dr. Martens in black",
    "12000 BTU or 10000 Watt?",
    "my address is wrong, can I change it?",
    "the name is printed on the back",
    "my name is spelled wrong",
    "my birthday is next week, a gift for 30 euros",
    "a birthday present for a 5 year old",
    "PS5 2TB edition",
    "A/B/C cup 75B or 80C",
    "is the line too long? my line of work is hard",
    "I saw it at noon. The price was lower",
    "ship to Germany in 3 days?",
    "is it a 3-4 person tent?",
    "M8 x 20 screws, 100 pcs, 0.5 mm",
    "I'm 5'7\" and 140 lbs",
    "I'm a size M. It is for my wife",
    "what about 2-in-1 laptops from 2022?",
    "我是学生，预算500以内",
    "我是油皮，适合吗",
    "我叫了快递，什么时候能到",
    "鞋子要42码的",
    "1299元还是999元",
    "12号色的口红有吗",
    "身高175，体重65公斤，穿什么码",
    "3楼有卖吗",
    "买2送1吗？打8折",
    "这款和那款的区别是什么",
    "超市有区别吗",
    "你家地址在哪里",
    "收件人可以改吗",
    "微信支付可以吗",
    "有没有500ml的杯子",
    "5号能发货吗",
    "我是北方人，冬天很冷",
    "电池容量5000毫安，30 x 40 cm",
    "这条路由器2号线怎么接",
    "手机 1000-2000元的有吗",
    "我是干皮，想要保湿的",
    "号码 38 39 40 有吗",
    "iPhone 15 Pro Max 256G 多少钱",
    "2024年新款有吗",
    "我是单身，送女朋友什么好",
    "[A.name]和[B.name]哪个好",
    "我姓什么不重要",
    "帮我叫一下客服",
    "小姐姐，这个怎么买",
]
"""Shopping talk that must come out as it went in."""

UNTUNED_HIDDEN = [
    (
        "Hey, could you drop me a line at k.hoffmann+shop@posteo.de when it is back?",
        (
            "hoffmann",
            "posteo",
        ),
    ),
    (
        "my mobile's 07911 123 456, text is fine",
        (
            "07911",
            "123 456",
        ),
    ),
    (
        "WhatsApp me: +34 612 34 56 78",
        (
            "612",
            "34 56",
        ),
    ),
    (
        "You can reach us on (0221) 98 76 54",
        (
            "0221",
            "98 76",
        ),
    ),
    (
        "landline 01632 960 001, ask for Mrs Patel",
        (
            "01632",
            "960",
            "Patel",
        ),
    ),
    (
        "Visa 4539 1488 0343 6467, expires 09/28",
        (
            "4539",
            "6467",
            "09/28",
        ),
    ),
    (
        "refund it to FR14 2004 1010 0505 0001 3M02 606 please",
        (
            "FR14",
            "2004",
            "3M02",
        ),
    ),
    ("Order no. DE-558213 hasn't shipped yet", ("558213",)),
    ("The parcel number is 00340434161094042557", ("0034043",)),
    ("hi there, this is Chloe from Leeds, is the blue one back?", ("Chloe",)),
    (
        "Name: Rahul Mehta. Size: L",
        (
            "Rahul",
            "Mehta",
        ),
    ),
    ("I'm Sofia, I bought a lamp last week", ("Sofia",)),
    ("Cheers,\nDave", ("Dave",)),
    (
        "please deliver to 7 Orchard Close, Reading RG1 5AB",
        (
            "Orchard",
            "RG1",
            "5AB",
        ),
    ),
    (
        "we live at 1600 Pennsylvania Ave NW, Washington, DC 20500",
        (
            "Pennsylvania",
            "20500",
        ),
    ),
    (
        "Schillerstr. 7, 60313 Frankfurt am Main",
        (
            "Schiller",
            "60313",
            "Frankfurt",
        ),
    ),
    (
        "my daughter was born on 03.11.2015, what size fits?",
        (
            "03.11",
            "2015",
        ),
    ),
    ("follow me on tiktok @luna.draws", ("luna",)),
    (
        "My discord is moonfrog#1234",
        (
            "moonfrog",
            "1234",
        ),
    ),
    (
        "my username is frog_77 and the password: Sommer2024!",
        (
            "frog_77",
            "Sommer",
        ),
    ),
    ("我微信是lulu2020，加一下", ("lulu2020",)),
    (
        "我的电话是186 1234 5678，麻烦打给我",
        (
            "186",
            "5678",
        ),
    ),
    (
        "麻烦寄到成都市武侯区人民南路四段11号附1号",
        (
            "武侯",
            "人民南路",
            "11号",
        ),
    ),
    ("我叫陈思思，上次买的鞋小了", ("陈思思",)),
    (
        "收件人：欧阳娜娜，13912345678，北京市海淀区中关村大街27号",
        (
            "欧阳娜娜",
            "139",
            "海淀",
            "27",
        ),
    ),
    ("我是刘女士，昨天下的单", ("刘",)),
    ("订单编号 2024-8871-02 什么时候发货", ("8871",)),
    ("孩子生日3月8日，送什么好", ("3月8日",)),
    (
        "我的身份证是 440524 18800101 0014",
        (
            "440524",
            "0014",
        ),
    ),
    ("顺丰单号SF1020304050607到哪了", ("SF1020",)),
    (
        "邮箱 wang.fang@qq.com 或者 QQ 88776655",
        (
            "wang",
            "88776",
        ),
    ),
    (
        "住在深圳南山区科兴科学园A栋1203",
        (
            "南山",
            "1203",
        ),
    ),
]
UNTUNED_CLEAN = [
    "Do these run small? I usually take a 38.5 or a UK 5.5",
    "Looking for a 55 inch TV below 600, 144 Hz if possible",
    "I'd like 12 plates, 12 bowls and 24 glasses",
    "Is the ThinkPad X1 Carbon Gen 11 better than the XPS 13 9315?",
    "We need 250 g of coffee, 2 kg of rice and 1.5 l of oil",
    "My wife loves green tea, call me crazy but I'd pay 80 for it",
    "I'm Swedish so I know my candles",
    "can you call me a cab too? lol",
    "What is the difference between 100% cotton and 60/40 blends?",
    "My budget is 1500-1800 and the desk must be 120 x 60 cm",
    "It's Black Friday soon, will it drop from 249.99 to 199.99?",
    "I'm Between Sizes, Should I Go Up?",
    "这件M码胸围多少？我170/60kg",
    "我是学美术的，想买一套水彩，24色的",
    "请问256G和512G差多少钱",
    "我是给妈妈买的，她今年60岁",
    "预算2000到3000，最好是15.6寸",
    "第2件半价是真的吗，满300减50能叠加吗",
    "我是新手，跑步鞋推荐3款",
    "能不能送到小区门口",
]
"""Written when the code was done. At the first try 31 of 32 were hidden and 19 of 20 left alone: an address in a district
whose name ends in 山区 stayed, and "I'm Between Sizes" lost a name. Both were then put right."""


@pytest.mark.parametrize(("message", "secrets"), [*HIDDEN, *UNTUNED_HIDDEN])
def test_personal_data_is_hidden(message, secrets):
    scrubbed = scrub(message).text
    assert not [secret for secret in secrets if secret in scrubbed], scrubbed
    assert PLACEHOLDER.search(scrubbed)


@pytest.mark.parametrize("message", [*CLEAN, *UNTUNED_CLEAN])
def test_shopping_talk_stays_as_it_is(message):
    assert scrub(message).text == message


@pytest.mark.parametrize("message", [*(message for message, _ in HIDDEN), *CLEAN])
def test_scrubbing_twice_is_scrubbing_once(message):
    once = scrub(message).text
    assert scrub(once).text == once


@pytest.mark.xfail(strict=True, reason="no cue and no list of first names")
@pytest.mark.parametrize(
    ("message", "secret"),
    [
        ("im sarah btw, looking for boots", "sarah"),
        ("hello from Dublin, Aoife Murphy", "Aoife"),
        ("24 willow lane, bristol", "bristol"),
    ],
)
def test_names_and_towns_without_a_cue_or_a_capital_are_hidden(message, secret):
    assert secret not in scrub(message).text


@pytest.mark.parametrize(
    ("message", "kinds"),
    [
        ("I'm Anna Berg, anna@web.de or +49 171 2345678", {"name": 1, "email": 1, "phone": 1}),
        ("4111 1111 1111 1111, not 5500 0000 0000 0004", {"card": 2}),
        ("DE89 3704 0044 0532 0130 00", {"iban": 1}),
        ("身份证号11010519491231002X", {"id": 1}),
        ("生日是1990年5月12日，住在上海市浦东新区世纪大道12号", {"birthday": 1, "address": 1}),
        ("order number 77812, from 10.0.0.1", {"order": 1, "ip": 1}),
        ("https://a.example/b and @anna", {"link": 1, "handle": 1}),
        ("my password is hunter2", {"secret": 1}),
        ("a rug, please", {}),
    ],
)
def test_what_was_hidden_is_counted_by_kind(message, kinds):
    assert scrub(message).counts == kinds


def test_the_rest_of_a_message_keeps_its_full_width_and_traditional_characters():
    assert scrub("ＯＫ，請打電話１３８００１３８０００，謝謝！").text == "ＯＫ，請打電話<phone>，謝謝！"


def test_invisible_characters_do_not_carry_a_number_through():
    assert scrub("call 138\u200b0013\u200b8000 now").text == "call <phone> now"
    assert scrub("1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣!").text == "<phone>!"


def test_placeholders_hold_no_digit_and_are_left_alone():
    assert scrub("my name is <name>, call <phone> or [A.name]").text == "my name is <name>, call <phone> or [A.name]"


CHECKED = st.text(string.digits, min_size=17, max_size=17).filter(lambda digits: len(set(digits)) > 3)


@st.composite
def cards(draw) -> str:
    body = draw(st.sampled_from("3456")) + draw(st.text(string.digits, min_size=14, max_size=14))
    card = next(body + check for check in string.digits if is_card(body + check) or len(set(body)) == 1)
    separator = draw(st.sampled_from(["", " ", "-"]))
    return separator.join(card[i : i + 4] for i in range(0, 16, 4))


@st.composite
def phones(draw) -> str:
    shape = draw(
        st.sampled_from(
            "+49 17# ###### #|+1 (2##) 3##-####|2##-5##-####|(2##) 5##-####|020 7### ####|07### ######|13# #### "
            "####|15#-####-####|"
            "18#########|021-5#######|+86 13# #### ####|030/#######|0171 ### ## ##|01 2# ## ## ##|400-8##-####|"
            "+33 6 ## ## ## ##".split("|")
        )
    )
    return "".join(draw(st.sampled_from(string.digits)) if c == "#" else c for c in shape)


@st.composite
def resident_ids(draw) -> str:
    body = "110105" + draw(st.integers(1940, 2015).map(str)) + draw(st.text(string.digits, min_size=7, max_size=7))
    total = sum(int(d) * weight for d, weight in zip(body, RESIDENT_WEIGHTS, strict=True))
    return body + RESIDENT_CHECKS[total % 11]


emails = st.from_regex(r"\A[a-z][a-z0-9._]{2,12}[a-z0-9]@[a-z]{2,10}\.(?:com|de|cn|org)\Z")
secrets = st.one_of(cards(), phones(), resident_ids(), emails)


def bare(text: str) -> str:
    return re.sub(r"[ ()/.-]", "", text)


@settings(max_examples=400, deadline=None)
@given(secrets, st.sampled_from(CLEAN), st.floats(0, 1))
@example("200-500-1000", "ship to Germany in 3 days?", 0.72)
@example("020 7000 1000", "a 1200W blender, 500ml", 0.8125)
@example("200-500-1000", "号码 38 39 40 有吗", 0.625)
@example("020 7000 1000", "M8 x 20 screws, 100 pcs, 0.5 mm", 0.0625)
@example("0171 999 98 97", "M8 x 20 screws, 100 pcs, 0.5 mm", 0.0625)
@example("3000 2000 1100 1005", "do you have these in size 42?", 0.0)
def test_a_secret_put_anywhere_into_a_message_never_survives(secret, message, place):
    cut = round(place * len(message))
    scrubbed = scrub(message[:cut] + secret + message[cut:]).text
    assert bare(secret) not in bare(scrubbed)
    assert not re.search(r"\d{7}", scrubbed)


pieces = st.one_of(
    secrets,
    st.sampled_from(CLEAN),
    st.sampled_from([message for message, _ in HIDDEN]),
    st.text(max_size=12),
    st.text(string.digits + " -.+()@/:#", max_size=24),
    st.sampled_from(
        "my name is |call me |我叫|我是|地址是|[A.name]|<phone>|路|号|市|区|at|dot|12 |Street|@|order |生日".split("|")
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(pieces, max_size=6), st.sampled_from(["", " ", "，", "\n"]))
def test_scrubbing_is_idempotent_and_leaves_no_seven_digits_in_a_row(parts, between):
    once = scrub(between.join(parts)).text
    assert scrub(once).text == once
    assert not re.search(r"\d{7}", once)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["[A.name]", "[B.price]", "[budget]", "[budget_low]", "[D.size]"]), min_size=1, max_size=4
    ),
    st.data(),
)
def test_tags_stay_whatever_stands_around_them(tags, data):
    said = [data.draw(st.sampled_from([*CLEAN, *(message for message, _ in HIDDEN)])) for _ in tags]
    scrubbed = scrub(" ".join(f"{words} {tag}" for words, tag in zip(said, tags, strict=True))).text
    assert all(tag in scrubbed for tag in tags)


HOSTILE = [
    "a@", "1 ", "1", "a", "a.", "1.", "1-", "+1 ", "0 ", "01 ", "(", "[", "<", "http://", "www.", "a.a/", ":1", "#1", "AB12",
    "call me ", "my name is ", "my name is A ", "I'm A ", "12 Main ", "12 a ", "a dot ", "at ", "one ", "省", "市区", "路1号",
    "地址是", "我叫", "我是王", "在", "一", "生日1", "DE89 ", "1栋", "微信a", "order 1 ", " ", "\n", "regards,\n", "北",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hundred_thousand_hostile_characters_are_read_to_the_end(unit):
    scrub((unit * 100_000)[:100_000])


def repeats(parsed: parser.SubPattern) -> Iterator[tuple[object, int]]:
    """Every repetition in a parsed expression: its kind and its most."""
    for opcode, argument in parsed:
        children = [part for part in _flat(argument) if isinstance(part, parser.SubPattern)]
        if opcode in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT, opcodes.POSSESSIVE_REPEAT):
            yield opcode, int(argument[1])
        for child in children:
            yield from repeats(child)


def _flat(argument: object) -> Iterator[object]:
    if isinstance(argument, tuple | list) and not isinstance(argument, parser.SubPattern):
        for part in argument:
            yield from _flat(part)
    else:
        yield argument


@pytest.mark.parametrize("finder", [f for f in FINDERS if isinstance(f, Pattern)], ids=lambda f: f.regex.pattern[:40])
def test_no_pattern_repeats_without_bound_but_possessively(finder):
    """What repeats without bound and can be given back makes hostile messages dear."""
    found = repeats(parser.parse(finder.regex.pattern, finder.regex.flags))
    assert [most for kind, most in found if kind is not opcodes.POSSESSIVE_REPEAT and most > 100] == []


def test_checks_know_the_published_examples():
    assert is_card("4111111111111111") and not is_card("4111111111111112") and not is_card("0" * 16)
    assert is_iban("GB82WEST12345698765432") and not is_iban("GB82WEST12345698765431")
    assert is_resident_id("11010519491231002X") and not is_resident_id("110105194912310021")


def test_every_kind_of_finder_is_in_use():
    listed = (contacts.LINKS, contacts.EMAILS, contacts.HANDLES, figures.FIGURES, persons.NAMES, whereabouts.ADDRESSES)
    assert all(finder in FINDERS for finders in listed for finder in finders)
