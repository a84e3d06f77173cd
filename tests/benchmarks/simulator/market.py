"""A shop of kettles and toasters, small enough to know by heart."""

from decimal import Decimal

from benchmarks.simulator.goods import Good, Market, Offer

COLORS = {"red": "红色", "green": "绿色", "black": "黑色", "silver": "银色"}
MATERIALS = {"glass": "玻璃", "stainless steel": "不锈钢", "retro enamel": "复古珐琅"}
FEATURES = {"keep-warm": "保温", "timer": "定时", "gooseneck": "鹅颈壶嘴"}
CHINESE = {"kettle": "水壶", "toaster": "烤面包机"}


def good(kind: str, number: int, color: str, material: str, feature: str, price: str = "30", stock: int = 5) -> Good:
    words = [kind, color, material, feature, CHINESE[kind], COLORS[color], MATERIALS[material], FEATURES[feature]]
    return Good(
        sku=f"{kind}-{number:02}",
        kind=kind,
        department="home-appliances",
        category=f"home-appliances/{kind}s",
        values={"color": frozenset({color}), "material": frozenset({material}), "feature": frozenset({feature})},
        offers=(Offer(Decimal(price), stock, {"color": frozenset({color})}),),
        popularity=float(number),
        texts=" ".join(words),
    )


def market() -> Market:
    goods = [
        good(kind, number, *values, price=str(20 + 5 * (number % 9)), stock=number % 12)
        for kind in CHINESE
        for number, values in enumerate((c, m, f) for c in COLORS for m in MATERIALS for f in FEATURES)
    ]
    names = {("color", v): zh for v, zh in COLORS.items()}
    names |= {("material", v): zh for v, zh in MATERIALS.items()} | {("feature", v): zh for v, zh in FEATURES.items()}
    called = {"kettle": "home-appliances/kettles", "toasters": "home-appliances/toasters"}
    return Market({good.sku: good for good in goods}, names, called)
