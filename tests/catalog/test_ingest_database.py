"""Feeds become rows: per shop, by SKU, once, and whole or not at all."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from catalog.ingest.records import ArticleRecord, ProductRecord, VariantRecord
from catalog.ingest.signals import texts_changed
from catalog.ingest.vocabulary import recount
from catalog.ingest.write import refresh_texts, upsert_articles, upsert_products
from catalog.models import AttributeValue, Category, KnowledgeArticle, Product, Shop, Variant

SHARED = Path(__file__).resolve().parents[3] / "shared"

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop.objects.create(slug="alpina", name="Alpina")


def pack(sku="1", **said) -> ProductRecord:
    return ProductRecord(
        **{
            "sku": sku,
            "title": "Trail Pack",
            "category": ("Bags", "Backpacks"),
            "variants": (VariantRecord(sku, Decimal("50.00"), 3),),
            "attributes": {"color": ["green"]},
            **said,
        }
    )


def run(command, path, *args):
    call_command(command, str(path), "--shop", "alpina", *args)


def touched():
    """Every row's physical version: changes whenever the row is written, even with the same values."""
    tables = (Product, Variant, Category, AttributeValue, KnowledgeArticle)
    version = {"version": "ctid::text || ' ' || xmin::text"}
    return [list(table.objects.extra(select=version).order_by("pk").values_list("pk", "version")) for table in tables]


ROWS = [
    {"id": "1", "title": "Trail Pack", "price": "49.90", "stock": "3", "category": "Bags > Backpacks", "wheels": "2"},
    {"id": "2", "title": "City Pack", "price": "39.90", "stock": "0", "category": "Bags > Backpacks", "wheels": "4"},
]


def write_csv(path):
    lines = [",".join(ROWS[0]), *(",".join(row.values()) for row in ROWS)]
    path.write_text("\n".join(lines))


def write_xlsx(path):
    book = Workbook()
    for row in [list(ROWS[0]), *(list(row.values()) for row in ROWS)]:
        book.active.append(row)
    book.save(path)


def write_jsonl(path):
    path.write_text("\n".join(map(json.dumps, ROWS)))


def write_yaml(path):
    path.write_text("".join(f"- {json.dumps(row)}\n" for row in ROWS))


@pytest.mark.parametrize(
    ("suffix", "write"), [(".csv", write_csv), (".xlsx", write_xlsx), (".jsonl", write_jsonl), (".yaml", write_yaml)]
)
def test_every_format_brings_the_same_products_and_a_second_time_touches_nothing(tmp_path, shop, capsys, suffix, write):
    path = tmp_path / f"feed{suffix}"
    write(path)
    run("import_products", path)
    assert list(Product.objects.order_by("sku").values_list("sku", "title", "category__path", "attributes")) == [
        ("1", "Trail Pack", "bags/backpacks", {"wheels": ["2"]}),
        ("2", "City Pack", "bags/backpacks", {"wheels": ["4"]}),
    ]
    assert list(Variant.objects.order_by("sku").values_list("price", "stock")) == [
        (Decimal("49.90"), 3),
        (Decimal("39.90"), 0),
    ]
    before = touched()
    run("import_products", path)
    assert "0 created, 0 updated, 2 unchanged" in capsys.readouterr().out
    assert touched() == before


def test_a_bad_row_is_reported_and_the_rest_goes_in(tmp_path, shop, capsys):
    path = tmp_path / "feed.csv"
    path.write_text("id,title,price\n1,Trail Pack,49.90\n2,City Pack,abc\n3,Tent,99\n")
    run("import_products", path)
    said = capsys.readouterr()
    assert said.err == 'line 3: price "abc" is not a number: write 12.50\n'
    assert "products: 2 created, 0 updated, 0 unchanged, 1 row left out" in said.out
    assert set(Product.objects.values_list("sku", flat=True)) == {"1", "3"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("feed.csv", 'id,title,price\n1,New,5\n2,"never closed,5\n'),
        ("feed.csv", b"id,title,price\n1,New,5\n2,\xff,5\n"),
        ("feed.xlsx", b"PK\x03\x04 torn"),
        ("feed.yaml", "- {id: 1, title: New, price: 5}\n- {id: 2, title: New"),
        ("feed.jsonl", b'{"id": "1", "title": "New", "price": 5}\n\0'),
        ("feed.doc", "x"),
    ],
)
def test_a_broken_file_changes_nothing(tmp_path, shop, name, content):
    upsert_products(shop, [pack()])
    before = touched()
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(CommandError, match=r"Nothing was changed by feed\."):
        run("import_products", path)
    assert touched() == before


def test_a_file_of_bad_rows_fails_and_makes_no_shop(tmp_path, capsys):
    path = tmp_path / "feed.csv"
    path.write_text("id,title\n1,Trail Pack\n")
    with pytest.raises(CommandError, match="nothing imported"):
        run("import_products", path, "--create-shop")
    assert "line 2: no price" in capsys.readouterr().err
    assert not Shop.objects.exists()


def test_a_dry_run_counts_and_changes_nothing(tmp_path, capsys):
    path = tmp_path / "feed.csv"
    write_csv(path)
    run("import_products", path, "--create-shop", "--dry-run")
    assert "dry run, nothing written. products: 2 created" in capsys.readouterr().out
    assert not Shop.objects.exists()


def test_a_shop_is_made_on_request_only(tmp_path):
    path = tmp_path / "feed.csv"
    path.write_text("货号,标题,价格\n1,背包,199元\n")
    with pytest.raises(CommandError, match=r"no shop 'alpina' .*add --create-shop"):
        run("import_products", path)
    run("import_products", path, "--create-shop", "--name", "阿尔卑斯", "--currency", "CNY", "--language", "zh")
    shop = Shop.objects.get()
    assert (shop.slug, shop.name, shop.currency, shop.language) == ("alpina", "阿尔卑斯", "CNY", "zh")
    with pytest.raises(CommandError, match="has currency CNY; leave --currency out"):
        run("import_products", path, "--currency", "USD")


@pytest.mark.parametrize("wrong", [["--currency", "dollars"], ["--currency", "usd"]])
def test_a_currency_that_is_none_is_refused(tmp_path, wrong):
    path = tmp_path / "feed.csv"
    write_csv(path)
    with pytest.raises(CommandError):
        run("import_products", path, "--create-shop", *wrong)


def test_titles_alone_go_in_at_the_price_the_importer_names(tmp_path, shop):
    path = tmp_path / "feed.csv"
    path.write_text("id,title\n1,Trail Pack\n")
    run("import_products", path, "--default", "price=9.90", "--default", "stock=1")
    assert Variant.objects.values_list("price", "stock").get() == (Decimal("9.90"), 1)
    assert Product.objects.get().category.path == "other"
    with pytest.raises(CommandError, match="--default prize=1: write FIELD=VALUE"):
        run("import_products", path, "--default", "prize=1")


def test_two_shops_do_not_see_each_other(shop):
    other = Shop.objects.create(slug="other", name="Other")
    upsert_products(shop, [pack()])
    upsert_products(other, [pack(title="Other Pack", attributes={"color": ["red"]})])
    upsert_articles(shop, [ArticleRecord("returns", "Returns", "30 days")])
    upsert_articles(other, [ArticleRecord("returns", "Returns", "14 days")])
    assert shop.products.get().title == "Trail Pack"
    assert other.products.get().title == "Other Pack"
    assert [value.value for value in shop.attribute_values.all()] == ["green"]
    assert shop.categories.count() == other.categories.count() == 2
    assert shop.articles.get().body == "30 days"


def test_the_category_tree_grows_from_the_root_and_keeps_chinese_names(shop):
    upsert_products(shop, [pack(), pack("2", category=("箱包", "登山 背包")), pack("3", category=("BAGS",))])
    assert set(shop.categories.values_list("path", "name", "parent__path")) == {
        ("bags", "Bags", None),
        ("bags/backpacks", "Backpacks", "bags"),
        ("箱包", "箱包", None),
        ("箱包/登山-背包", "登山 背包", "箱包"),
    }


def test_variants_that_left_the_feed_are_withdrawn(shop):
    two = (
        VariantRecord("s", Decimal("20"), 1, {"size": ["s"]}),
        VariantRecord("m", Decimal("22"), 1, {"size": ["m"]}),
    )
    upsert_products(shop, [pack(variants=two)])
    assert shop.products.get().attributes == {"color": ["green"], "size": ["s", "m"]}
    report = upsert_products(shop, [pack(variants=(replace(two[1], price=Decimal("21")),))])
    assert (report.created, report.updated, report.unchanged) == (0, 1, 0)
    product = shop.products.get()
    assert [(variant.sku, variant.price) for variant in product.variants.all()] == [("m", 21)]
    assert product.attributes == {"color": ["green"], "size": ["m"]}
    assert set(shop.attribute_values.values_list("value", "product_count")) == {("green", 1), ("s", 0), ("m", 1)}


def test_what_a_feed_leaves_empty_stays_and_what_a_merchant_hid_stays_hidden(shop):
    upsert_products(shop, [pack(description="Dries fast.", translations={"zh": {"title": "背包"}}, rating=4.5)])
    shop.products.update(active=False, popularity=7)
    upsert_products(shop, [pack(title="Trail Pack 2")])
    product = shop.products.get()
    assert (product.title, product.description, product.rating) == ("Trail Pack 2", "Dries fast.", 4.5)
    assert product.translations == {"zh": {"title": "背包"}}
    assert (product.active, product.popularity) == (False, 7)


def test_a_brand_is_an_attribute_and_counts_are_per_value(shop):
    upsert_products(shop, [pack(brand="Alpina"), pack("2"), pack("3", attributes={"color": ["green", "red"]})])
    assert set(shop.attribute_values.values_list("attribute", "value", "product_count")) == {
        ("brand", "alpina", 1),
        ("color", "green", 3),
        ("color", "red", 1),
    }


def test_bar_codes_and_prose_are_kept_but_are_no_vocabulary(shop):
    records = [
        pack(str(n), attributes={"gtin": [f"978{n}"], "care": ["wash " * 30], "color": ["red"]}) for n in range(201)
    ]
    upsert_products(shop, records)
    assert list(shop.attribute_values.values_list("attribute", "product_count")) == [("color", 201)]
    assert shop.products.get(sku="7").attributes["gtin"] == ["9787"]


def test_names_of_values_reach_the_texts_of_every_product_that_has_the_value(shop):
    upsert_products(shop, [pack()])
    names = {("color", "green"): {"zh": ["绿色"]}}
    upsert_products(shop, [pack("2", names=names)])
    assert shop.attribute_values.get().names == {"zh": ["绿色"]}
    assert all("绿色" in document for document in shop.products.values_list("document", flat=True))
    before = touched()
    assert upsert_products(shop, [pack("2", names=names)]).unchanged == 1
    assert touched() == before


def test_texts_follow_names_edited_by_hand(shop):
    upsert_products(shop, [pack()])
    Category.objects.filter(path="bags").update(
        name="Luggage", translations={"zh": {"name": "箱包"}}, aliases=["sacks"]
    )
    assert refresh_texts(shop) == 1
    assert {"luggage", "箱包", "sacks"} <= set(shop.products.get().document.split())
    assert refresh_texts(shop) == 0


def test_changed_texts_are_stale_and_announced_after_the_commit(shop, django_capture_on_commit_callbacks):
    heard = []

    def hear(shop_id, **_):
        heard.append(shop_id)

    texts_changed.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        upsert_products(shop, [pack()])
        assert heard == []
    assert heard == [shop.pk]
    product = shop.products.get()
    shop.products.update(embedded_digest=product.text_digest)

    with django_capture_on_commit_callbacks(execute=True):
        upsert_products(shop, [pack(variants=(VariantRecord("1", Decimal("45"), 1),))])
    product.refresh_from_db()
    assert product.embedded_digest == product.text_digest
    assert heard == [shop.pk]

    with django_capture_on_commit_callbacks(execute=True):
        upsert_products(shop, [pack(title="Trail Pack 2")])
    product.refresh_from_db()
    assert product.embedded_digest != product.text_digest
    assert heard == [shop.pk, shop.pk]
    texts_changed.disconnect(hear)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"variants": ()}, "nothing to sell"),
        ({"title": "x" * 301}, "has 301 characters: at most 300 fit"),
        ({"title": "a\0b"}, "NUL or a broken character"),
        ({"attributes": {"color": ["\ud800"]}}, "NUL or a broken character"),
        ({"category": ("Bags", "!!!")}, "has a part without letters or digits"),
        ({"variants": (VariantRecord("1", Decimal("-1")),)}, "price -1 is not between 0"),
        ({"variants": (VariantRecord("1", Decimal(1), stock=2**31),)}, "stock 2147483648 is not between"),
        ({"variants": (VariantRecord("1", Decimal(1)),) * 2}, "two variants share a SKU"),
        ({"attributes": {"x" * 61: ["a"]}}, "attribute name"),
    ],
)
def test_what_the_database_would_refuse_is_one_bad_row(shop, said, reason):
    report = upsert_products(shop, [pack(), pack("2", line=7, **said)])
    assert report.created == 1
    assert [error.line for error in report.errors] == [7]
    assert reason in report.errors[0].reason


def test_batches_report_their_progress(shop):
    done = []
    upsert_products(shop, [pack(str(n)) for n in range(5)], done.append, batch_size=2)
    assert done == [2, 2, 1]


def test_articles_are_stored_once_per_language(tmp_path, shop, capsys):
    path = tmp_path / "faq.yaml"
    path.write_text(
        "- {slug: returns, title: Returns, body: Thirty days.}\n"
        "- {slug: returns, title: 退货, body: 三十天内可以退货, language: zh}\n"
        "- {title: Nothing}\n"
    )
    run("import_knowledge", path)
    said = capsys.readouterr()
    assert "articles: 2 created, 0 updated, 0 unchanged, 1 row left out" in said.out
    assert said.err == "line 3: no body: an article needs both\n"
    assert "退货" in KnowledgeArticle.objects.get(language="zh").document.split()
    before = touched()
    run("import_knowledge", path)
    assert "2 unchanged" in capsys.readouterr().out
    assert touched() == before


@pytest.mark.skipif(
    not (SHARED / "data/aws-retail-demo").is_dir(), reason="the retail demo data is not beside the project"
)
def test_the_retail_demo_store_goes_in_whole_and_once(shop, capsys):
    path = SHARED / "data/aws-retail-demo/products.yaml"
    run("import_products", path, "--mapping", "aws-retail-demo")
    assert "2465 created, 0 updated, 0 unchanged, 0 rows left out" in capsys.readouterr().out
    jacket = shop.products.filter(category__path="apparel/jacket").first()
    assert jacket.attributes["gender"] in (["men"], ["women"])
    assert shop.categories.filter(path="food-service/sandwiches-wraps").exists()
    before = touched()
    run("import_products", path, "--mapping", "aws-retail-demo")
    assert "2465 unchanged" in capsys.readouterr().out
    assert touched() == before


@pytest.mark.skipif(not (SHARED / "scenarios").is_dir(), reason="the scenarios are not beside the project")
def test_the_scenario_shops_articles_go_in(shop, capsys):
    run("import_knowledge", SHARED / "scenarios/faq.yaml")
    assert "articles: 8 created" in capsys.readouterr().out
    assert shop.articles.get(slug="returns-and-refunds").language == "en"


def counts() -> dict[str, int]:
    return dict(AttributeValue.objects.values_list("value", "product_count"))


def test_a_large_shop_counts_only_what_an_import_changes(shop, monkeypatch):
    upsert_products(shop, [pack("1"), pack("2"), pack("3", attributes={"color": ["red"]})])
    monkeypatch.setattr("catalog.ingest.write.READ_AT_ONCE", 0)
    monkeypatch.setattr("catalog.ingest.write.recount", lambda shop: pytest.fail("read the whole catalogue"))
    upsert_products(shop, [pack("2", attributes={"color": ["blue"]}), pack("4"), pack("5")])
    assert counts() == {"green": 3, "red": 1, "blue": 1}
    upsert_products(shop, [pack("3", attributes={"color": ["green"]})])
    assert counts() == {"green": 4, "red": 0, "blue": 1}


def test_products_that_are_not_sold_count_for_nothing(shop, monkeypatch):
    upsert_products(shop, [pack("1"), pack("2")])
    Product.objects.filter(sku="2").update(active=False)
    recount(shop)
    monkeypatch.setattr("catalog.ingest.write.READ_AT_ONCE", 0)
    upsert_products(shop, [pack("2", attributes={"color": ["blue"]})])
    assert counts() == {"green": 1}
