"""The demo shop: what it promises to hold, that its texts are whole and true, that its customers have tastes."""

import itertools
import random
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils.text import slugify
from PIL import Image

from catalog.demo.assortment import demo_products, picture_subjects
from catalog.demo.content import articles, category_translations, read
from catalog.demo.customers import Event, Person, mean_ratings, simulate
from catalog.demo.load import load_demo
from catalog.demo.pictures import draw
from catalog.demo.products import DemoProduct
from catalog.ingest.records import ProductRecord
from catalog.models import Category, Customer, Interaction, KnowledgeArticle, Product, Shop, Variant

UNTIL = date(2026, 11, 1)
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def products() -> list[DemoProduct]:
    return demo_products(seed=7)


@pytest.fixture(scope="module")
def records(products: list[DemoProduct]) -> list[ProductRecord]:
    return [product.record for product in products]


@pytest.fixture(scope="module")
def simulation(products: list[DemoProduct]) -> tuple[list[Person], list[Event]]:
    return simulate(products, seed=7, until=UNTIL)


@pytest.fixture(scope="module")
def events(simulation: tuple[list[Person], list[Event]]) -> list[Event]:
    return simulation[1]


def _options() -> dict[str, dict[tuple[str, str], list]]:
    """By family: what is written for each value of each axis."""
    return {
        key: {(axis, value): said for axis, options in family["axes"].items() for value, said in options.items()}
        for name in ("clothing", "appliances", "beauty")
        for key, family in read(name)["families"].items()
    }


def test_shop_has_four_departments_and_the_promised_numbers(records):
    assert {record.category[0] for record in records} == {"Clothing", "Home Appliances", "Beauty", "Books"}
    assert len(records) >= 1200
    assert sum(len(record.variants) for record in records) >= 3000
    assert sum(record.category[0] == "Books" for record in records) >= 150


def test_no_sku_title_or_description_is_used_twice(records):
    for values in (
        [record.sku for record in records],
        [variant.sku for record in records for variant in record.variants],
        [record.title for record in records],
        [record.description for record in records],
        [record.translations["zh"]["title"] for record in records],
        [record.translations["zh"]["description"] for record in records],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []


def test_same_seed_gives_the_same_shop_and_another_seed_another(products):
    assert demo_products(seed=7) == products
    assert demo_products(seed=8) != products


def test_every_text_is_there_in_both_languages_with_nothing_left_to_fill_in(records):
    for record in records:
        chinese = record.translations["zh"]
        assert record.description.endswith((".", "!", "?")) and not CHINESE.search(record.description), record.sku
        assert chinese["description"].endswith("。") and CHINESE.search(chinese["title"]), record.sku
        for text in (record.title, record.description, *chinese.values()):
            assert text.strip() == text and not re.search(r"[{}<>]|None|  ", text), text


def test_description_says_what_the_attributes_say_and_nothing_else(products):
    written = _options()
    for product in random.Random(1).sample([p for p in products if p.family in written], 300):
        record = product.record
        for (axis, value), (_, english, chinese, *_) in written[product.family].items():
            chosen = value in record.attributes[axis]
            assert (english in record.description) == chosen, (record.sku, value)
            assert (chinese in record.translations["zh"]["description"]) == chosen, (record.sku, value)


def test_values_that_contradict_each_other_never_meet(products):
    families = {
        key: family for name in ("clothing", "appliances", "beauty") for key, family in read(name)["families"].items()
    }
    for product in products:
        values = set(itertools.chain.from_iterable(product.record.attributes.values()))
        for pair in families.get(product.family, {}).get("never", []):
            assert not set(pair) <= values, product.record.title


def test_attribute_values_are_lower_case_and_have_chinese_names(records):
    untranslated = Counter()
    for record in records:
        for attributes in (record.attributes, *(variant.attributes for variant in record.variants)):
            for attribute, values in attributes.items():
                assert values == [value.lower() for value in values]
                untranslated.update(
                    (attribute, value) for value in values if not record.names.get((attribute, value), {}).get("zh")
                )
    assert {attribute for attribute, _ in untranslated} <= {"pages", "size"}
    assert all(value.startswith("eu ") for attribute, value in untranslated if attribute == "size")


def test_green_finds_olive_because_a_shade_carries_its_broader_color(records):
    olive = [record for record in records if "olive" in record.attributes.get("color", [])]
    assert olive and all("green" in record.attributes["color"] for record in olive)


def test_six_to_ten_percent_of_variants_are_sold_out_and_some_products_entirely(records):
    stocks = [[variant.stock for variant in record.variants] for record in records]
    flat = list(itertools.chain.from_iterable(stocks))
    assert 0.06 <= flat.count(0) / len(flat) <= 0.10
    assert 10 <= sum(not any(stock) for stock in stocks) <= 60


def test_prices_are_sane_and_bigger_packs_cost_more(records):
    assert all(Decimal(1) < variant.price < Decimal(1000) for record in records for variant in record.variants)
    for record in records:
        prices = {
            variant.attributes["capacity"][0]: variant.price
            for variant in record.variants
            if "capacity" in variant.attributes
        }
        ordered = [price for _, price in sorted(prices.items(), key=lambda pair: float(pair[0].split()[0]))]
        assert ordered == sorted(ordered)


def test_forty_articles_exist_in_both_languages_under_the_same_slugs():
    slugs = defaultdict(set)
    for article in articles():
        slugs[article.language].add(article.slug)
        assert article.slug == slugify(article.slug)
        assert article.body.endswith("." if article.language == "en" else "。")
    assert slugs["en"] == slugs["zh"] and len(slugs["en"]) >= 40


def test_articles_quote_the_same_numbers_in_both_languages():
    bodies = {(article.slug, article.language): article.body for article in articles()}
    dollars = {"en": r"\$([\d.]+\d)", "zh": r"([\d.]+)(?:至500)?美元"}
    for slug in {slug for slug, _ in bodies} - {"gift-cards", "loyalty"}:
        amounts = {language: set(re.findall(pattern, bodies[slug, language])) for language, pattern in dollars.items()}
        assert amounts["en"] == amounts["zh"], slug


def test_every_category_has_a_chinese_name(records):
    told = category_translations()
    for record in records:
        assert CHINESE.search(told[record.category]["zh"]["name"]) and told[record.category]["aliases"]


def test_simulation_makes_sixty_thousand_interactions_of_two_thousand_people_in_half_a_year(simulation):
    people, events = simulation
    end = datetime(2026, 11, 1, tzinfo=UTC)
    assert len(people) == 2000 and len(events) == 60_000
    assert {event.customer for event in events} == set(range(2000))
    assert all(end - timedelta(days=180) <= event.at < end for event in events)
    assert events == sorted(events, key=lambda event: event.at)


def test_simulation_is_the_same_for_the_same_seed(products):
    small = {"until": UNTIL, "customers": 50, "interactions": 1000}
    assert simulate(products, 3, **small) == simulate(products, 3, **small)
    assert simulate(products, 3, **small) != simulate(products, 4, **small)


def test_people_come_back_to_their_departments_far_more_often_than_popularity_explains(products, events):
    orders = defaultdict(list)
    for event in events:
        if event.kind == "order":
            orders[event.customer].append(products[event.product].record.category[0])
    pairs = [pair for bought in orders.values() for pair in itertools.pairwise(bought)]
    overall = Counter(itertools.chain.from_iterable(orders.values()))
    by_chance = sum((count / overall.total()) ** 2 for count in overall.values())
    assert sum(first == second for first, second in pairs) / len(pairs) > 2 * by_chance


def test_people_have_favorite_colors(products, events):
    colors = defaultdict(list)
    for event in events:
        if event.kind == "order":
            colors[event.customer].append(products[event.product].color)
    pairs = [pair for bought in colors.values() for pair in itertools.combinations(bought, 2)]
    overall = Counter(itertools.chain.from_iterable(colors.values()))
    by_chance = sum((count / overall.total()) ** 2 for count in overall.values())
    assert sum(first == second for first, second in pairs) / len(pairs) > 1.5 * by_chance


def test_what_goes_together_is_ordered_together_in_colors_that_match(products, events):
    together = read("together")
    colors = {frozenset((color, other)) for color, others in together["colors"].items() for other in (color, *others)}
    baskets = defaultdict(list)
    for event in events:
        if event.kind == "order":
            baskets[event.customer, event.at.date()].append(products[event.product])
    pairs = [pair for bought in baskets.values() for pair in itertools.combinations(bought, 2)]
    companions = [
        (one, other)
        for one, other in pairs
        if other.family in together["families"].get(one.family, {})
        or one.family in together["families"].get(other.family, {})
    ]
    assert len(companions) > 600
    worn = [pair for pair in companions if all(product.record.category[0] == "Clothing" for product in pair)]
    matching = sum(frozenset((one.color, other.color)) in colors for one, other in worn)
    assert matching / len(worn) > 0.6


def test_nobody_orders_without_a_cart_nor_reviews_without_an_order(events):
    done = set()
    before = {"order": "cart", "review": "order"}
    for event in events:
        if event.kind in before:
            assert (event.customer, event.product, before[event.kind]) in done
        done.add((event.customer, event.product, event.kind))


def test_reviews_agree_with_their_stars_and_differ_from_each_other(events):
    good, bad = (
        [sentence for aspect in read("reviews") for pair in aspect[tone] for sentence in pair]
        for tone in ("good", "bad")
    )
    reviews = [event for event in events if event.kind == "review"]
    for event in random.Random(2).sample(reviews, 500):
        praise = any(sentence in event.text for sentence in good)
        blame = any(sentence in event.text for sentence in bad)
        assert bool(CHINESE.search(event.text)) == (event.language == "zh")
        assert praise >= (event.rating >= 3) and blame >= (event.rating <= 3)
        assert not (event.rating == 5 and blame) and not (event.rating == 1 and praise)
    assert len({event.text for event in reviews}) > 0.5 * len(reviews)
    assert {1, 2, 3, 4, 5} == {event.rating for event in reviews}


def test_better_products_are_rated_better(products, events):
    rated = [(products[product].quality, mean) for product, (mean, count) in mean_ratings(events).items() if count >= 3]
    rated.sort()
    third = len(rated) // 3
    worst, best = ([mean for _, mean in part] for part in (rated[:third], rated[-third:]))
    assert sum(best) / third > sum(worst) / third + 0.5


def test_every_family_and_color_has_a_drawing_with_the_color_in_it():
    assert {product.record.image for product in demo_products(1)} <= {
        f"demo/{family}-{color.replace(' ', '-')}.png" for family, color in picture_subjects()
    }
    for family in dict(picture_subjects()):
        picture = draw(family, "#a0208c")
        assert picture.size == (512, 512)
        painted = sum(count for count, color in picture.getcolors(512 * 512) if color == (0xA0, 0x20, 0x8C))
        assert painted > 1500, family


@pytest.mark.slow
@pytest.mark.django_db
def test_loaded_shop_is_complete_and_loading_again_changes_nothing(tmp_path: Path):
    told = []
    shop = load_demo(tmp_path, lambda step, done, total: told.append((step, done, total)), until=UNTIL)

    def counts() -> dict[str, int]:
        models = (Product, Variant, KnowledgeArticle, Customer, Interaction, Category)
        return {model.__name__: model.objects.count() for model in models}

    first = counts()
    assert first["Interaction"] == 60_000 and first["Customer"] == 2000 and first["KnowledgeArticle"] >= 80
    assert not Customer.objects.filter(simulated=False).exists()
    assert not Interaction.objects.filter(simulated=False).exists()
    assert {step for step, done, total in told if done == total} == {"pictures", "products", "interactions"}

    images = set(Product.objects.values_list("image", flat=True)) | set(
        Variant.objects.exclude(image="").values_list("image", flat=True)
    )
    for image in images:
        assert (tmp_path / image).is_file()
    with Image.open(tmp_path / min(images)) as picture:
        assert (picture.format, picture.size) == ("PNG", (512, 512))

    jackets = Category.objects.get(shop=shop, path="clothing/jackets")
    assert jackets.translations["zh"]["name"] == "夹克" and "外套" in jackets.aliases
    best = Product.objects.filter(shop=shop, rating_count__gt=0).latest("rating_count")
    stars = [review.rating for review in best.interactions.filter(kind="review")]
    assert len(stars) == best.rating_count and round(sum(stars) / len(stars), 2) == best.rating
    assert Product.objects.filter(shop=shop, popularity__gt=0).count() > 1000

    assert load_demo(tmp_path, until=UNTIL + timedelta(days=9)) == shop == Shop.objects.get()
    assert counts() == first
