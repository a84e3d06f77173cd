"""Columns become fields, attributes, variants and translations."""

from decimal import Decimal

import pytest

from catalog.ingest.articles import article_slug, read_articles
from catalog.ingest.mapping import Mapping
from catalog.ingest.products import read_products
from catalog.ingest.readers import FeedError
from catalog.ingest.records import RowError, VariantRecord


def read(*rows, mapping=None, **shop):
    return read_products(list(enumerate(rows, start=2)), mapping or Mapping(), **shop)


def read_one(row, mapping=None, **shop):
    reading = read(row, mapping=mapping, **shop)
    assert reading.errors == ()
    return reading.records[0]


def test_usual_column_names_are_recognised_in_english():
    record = read_one(
        {
            "ID": "1",
            "Product Name": "Trail Pack",
            "Price": "$1,299.00",
            "Quantity": "3",
            "Category": "Bags > Backpacks",
            "Vendor": "Alpina",
            "image-link": "https://cdn.example/1.jpg",
            "Link": "https://shop.example/1",
            "Average Rating": "4.5",
            "Review count": "12",
            "Colour": "Green|Dark  Blue",
            "Body HTML": "<p>Carries <b>all</b></p>",
        }
    )
    assert (record.sku, record.title, record.category) == ("1", "Trail Pack", ("Bags", "Backpacks"))
    assert record.variants == (VariantRecord("1", Decimal("1299.00"), 3, {}, "https://cdn.example/1.jpg"),)
    assert (record.brand, record.url, record.rating, record.rating_count) == (
        "Alpina",
        "https://shop.example/1",
        4.5,
        12,
    )
    assert record.attributes == {"color": ["green", "dark blue"]}
    assert record.description == "Carries all"


def test_usual_column_names_are_recognised_in_chinese():
    record = read_one(
        {
            "货号": "1",
            "商品名称": "登山背包",
            "价格": "199元",
            "库存": "有货",
            "类目": "箱包/背包",
            "颜色": "绿色；黑色",
        },
        currency="CNY",
        language="zh",
    )
    assert (record.title, record.category) == ("登山背包", ("箱包", "背包"))
    assert record.variants[0].price == Decimal("199.00")
    assert record.attributes == {"color": ["绿色", "黑色"]}


def test_columns_nobody_knows_are_kept_as_attributes_and_named():
    reading = read({"id": "1", "title": "Pack", "price": "5", "stock": "1", "Wheel count": "Four", "gift": "yes"})
    assert reading.records[0].attributes == {"wheel_count": ["four"], "gift": ["gift"]}
    assert reading.notes == ("kept as attributes: gift, wheel_count",)


@pytest.mark.parametrize(("written", "value"), [("F", "women"), ("male", "men"), ("女", "women"), ("kids", "kids")])
def test_the_sex_that_a_product_is_for_is_called_as_customers_call_it(written, value):
    row = {"id": "1", "title": "Belt", "price": "5", "gender_affinity": written}
    assert read_one(row).attributes == {"gender": [value]}


def test_a_mapping_names_values_before_the_usual_names():
    row = {"id": "1", "title": "Belt", "price": "5", "gender": "F"}
    assert read_one(row, Mapping(values={"gender": {"f": "ladies"}})).attributes == {"gender": ["ladies"]}


def test_a_no_is_not_a_value_of_its_attribute():
    assert read_one({"id": "1", "title": "Pack", "price": "5", "waterproof": "no", "fur": "None"}).attributes == {}


def test_a_second_column_for_one_field_becomes_an_attribute():
    assert read_one({"id": "1", "title": "Pack", "name": "P-1", "price": "5"}).attributes == {"name": ["p-1"]}


def test_rows_of_one_group_are_variants_and_share_what_they_have_in_common():
    reading = read(
        {"item_group_id": "shirt", "id": "s", "title": "Shirt", "price": "20", "size": "S", "material": "linen"},
        {"item_group_id": "pack", "id": "pack", "title": "Pack", "price": "50"},
        {"item_group_id": "shirt", "id": "m", "title": "", "price": "22", "size": "M", "material": "linen"},
    )
    shirt, pack = reading.records
    assert (shirt.sku, shirt.title, shirt.attributes) == ("shirt", "Shirt", {"material": ["linen"]})
    assert [(variant.sku, variant.price, variant.attributes) for variant in shirt.variants] == [
        ("s", 20, {"size": ["s"]}),
        ("m", 22, {"size": ["m"]}),
    ]
    assert pack.sku == "pack"


def test_a_product_sku_beside_a_variant_sku_is_the_group():
    shirt = read(
        {"sku": "shirt", "variant sku": "s", "title": "Shirt", "price": "20"},
        {"sku": "shirt", "variant sku": "m", "title": "Shirt", "price": "20"},
    ).records[0]
    assert (shirt.sku, [variant.sku for variant in shirt.variants]) == ("shirt", ["s", "m"])


def test_nested_variants_attributes_and_translations_are_read():
    record = read_one(
        {
            "sku": "shirt",
            "title": "Shirt",
            "price": "20",
            "attributes": {"Material": ["Linen", "Cotton"]},
            "translations": {"zh": {"title": "衬衫"}},
            "variants": [{"sku": "s", "size": "S"}, {"sku": "m", "size": "M", "price": "22"}],
        }
    )
    assert record.sku == "shirt"
    assert [(variant.sku, variant.price) for variant in record.variants] == [("s", 20), ("m", 22)]
    assert record.attributes == {"material": ["linen", "cotton"]}
    assert record.translations == {"zh": {"title": "衬衫"}}


def test_a_nested_variant_without_a_sku_of_its_own_is_a_bad_row():
    shirt = {"id": "shirt", "title": "Shirt", "price": "20", "variants": [{"sku": "s"}, {"size": "M"}]}
    reading = read(shirt)
    assert [variant.sku for variant in reading.records[0].variants] == ["s"]
    assert reading.records[0].attributes == {}
    assert "no SKU" in reading.errors[0].reason


def test_columns_ending_in_a_language_translate_texts_and_name_values():
    record = read_one(
        {
            "id": "1",
            "title_en": "Pack",
            "title[zh]": "背包",
            "description_zh": "轻",
            "price": "5",
            "color": "green|black",
            "color_zh": "绿色|黑色",
        }
    )
    assert record.title == "Pack"
    assert record.translations == {"zh": {"title": "背包", "description": "轻"}}
    assert record.names == {("color", "green"): {"zh": ["绿色"]}, ("color", "black"): {"zh": ["黑色"]}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": "abc"}, 'price "abc" is not a number: write 12.50'),
        ({"price": ""}, "no price: fill it in, or say what rows without one cost with --default price=12.50"),
        ({"id": " "}, "no SKU"),
        ({"title": None}, "no title: say what the product is called"),
        ({"stock": "-3"}, 'stock "-3" is not a whole number'),
        ({"url": "javascript:alert(1)"}, "is no web address"),
        ({"rating": "11"}, "stars from 1 to 5"),
        ({"title": ["a", "b"]}, "title is a list: write one value"),
        ({"color": "red|blue", "color_zh": "红色"}, "color_zh names 1 values"),
    ],
)
def test_a_bad_row_is_reported_by_line_and_the_rest_is_read(change, reason):
    good = {"id": "1", "title": "Pack", "price": "5", "stock": "2"}
    reading = read(good, good | {"id": "2"} | change, good | {"id": "3"})
    assert [record.sku for record in reading.records] == ["1", "3"]
    assert [error.line for error in reading.errors] == [3]
    assert reason in reading.errors[0].reason


def test_a_sku_given_twice_is_reported_with_both_lines():
    row = {"id": "1", "title": "Pack", "price": "5"}
    assert read(row, row).errors == (RowError(3, "1 is on line 2 already: keep one of them"),)


def test_titles_alone_are_enough_once_somebody_names_a_price():
    titles = [{"id": "1", "title": "Pack"}, {"id": "2", "title": "Tent"}]
    assert read(*titles).records == ()
    reading = read(*titles, mapping=Mapping(defaults={"price": "9.90", "category": "Outdoor > Camping"}))
    assert [record.variants[0].price for record in reading.records] == [Decimal("9.90")] * 2
    assert reading.records[0].category == ("Outdoor", "Camping")
    assert reading.notes == ("no stock column: everything counts as sold out; --default stock=1 says otherwise",)


def test_a_mapping_speaks_before_the_usual_names(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_text(
        "fields: {Nr: sku, Bezeichnung: title, name: brand}\n"
        "category: [Abteilung, Gruppe]\n"
        "attributes: {Farbe: color}\n"
        "values: {color: {Grün: Green}}\n"
        "ignore: [Notiz]\n"
        "defaults: {stock: 4}\n"
    )
    record = read_one(
        {
            "Nr": "1",
            "Bezeichnung": "Rucksack",
            "name": "Alpina",
            "price": "5",
            "Abteilung": "Taschen",
            "Gruppe": "Ruck/Säcke",
            "Farbe": "grün",
            "Notiz": "x",
        },
        mapping=Mapping.load(str(path)),
    )
    assert (record.sku, record.title, record.brand) == ("1", "Rucksack", "Alpina")
    assert record.category == ("Taschen", "Ruck/Säcke")
    assert record.attributes == {"color": ["green"]}
    assert record.variants[0].stock == 4


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("columns: {a: b}", "unknown parts: columns"),
        ("fields: {a: prize}", "unknown fields: prize"),
        ("fields: [a]", "fields of the mapping holds"),
        ("category: style", "category of the mapping is a list"),
        ("- a", "write 'name: value' lines"),
        ("# nothing yet", "write 'name: value' lines"),
        ("values: {color: red}", "color of the mapping holds"),
    ],
)
def test_a_mapping_that_means_nothing_says_so(tmp_path, written, advice):
    path = tmp_path / "mapping.yaml"
    path.write_text(written)
    with pytest.raises(FeedError, match=advice):
        Mapping.load(str(path))


def test_an_unknown_mapping_lists_the_known_ones():
    with pytest.raises(FeedError, match=r"no mapping 'nope'.*aws-retail-demo"):
        Mapping.load("nope")


def test_articles_take_questions_and_answers():
    records, errors = read_articles(
        [
            (2, {"Question": "Who pays?", "Answer": "We do."}),
            (3, {"title": "怎么退货", "body": "寄回。", "lang": "ZH"}),
            (4, {"title": "x"}),
        ]
    )
    assert [(record.slug, record.title, record.language) for record in records] == [
        ("who-pays", "Who pays?", "en"),
        (article_slug("怎么退货"), "怎么退货", "zh"),
    ]
    assert errors == [RowError(4, "no body: an article needs both")]


def test_slugs_without_a_latin_letter_are_stable_codes():
    assert article_slug("怎么退货") == article_slug("怎么退货") != article_slug("怎么换货")
    assert article_slug("怎么退货").startswith("article-")
