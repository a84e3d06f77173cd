"""The catalogue's pages: what is saved, what is refused with why, and nothing of another shop."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from botcore import change_sets, retention
from botcore.models import AuditEntry, Conversation
from botcore.roles import Role
from catalog import editing
from catalog.models import AttributeValue, ChangeSet, Feed, KnowledgeArticle, Product, RowProblem, Variant
from tests.factories import (
    ArticleFactory,
    AttributeValueFactory,
    CategoryFactory,
    ConversationFactory,
    ProductFactory,
    ShopFactory,
    TurnFactory,
    UserFactory,
    VariantFactory,
)

pytestmark = pytest.mark.django_db

SWAPPED = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.IMPORTS_DIR = tmp_path / "imports"


@pytest.fixture
def product(shop):
    return ProductFactory(shop=shop, sku="P1", title="Canvas jacket", variant__price=Decimal("49.00"), variant__stock=5)


def edit(browser, product, field, value, was):
    address = reverse("console:edit_product", args=[product.pk])
    return browser.post(address, {"field": field, "value": value, "was": was}, headers=SWAPPED)


# --- the table ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "was", "value"),
    [
        ("title", "Canvas jacket", "Linen jacket"),
        ("price", "49.00", "59.90"),
        ("stock", "5", "0"),
        ("active", "on", "off"),
    ],
)
def test_a_value_is_saved_and_its_row_offers_to_put_it_back(merchant, product, field, was, value):
    row = edit(merchant, product, field, value, was)
    assert row.status_code == 200 and row.content.decode().count("<tr") == 1
    assert "Undo" in row.content.decode()
    assert editing.value_of(Product.objects.get(), field) == value
    edit(merchant, product, field, was, value)
    assert editing.value_of(Product.objects.get(), field) == was


def test_what_somebody_else_saved_meanwhile_is_shown_and_stays(merchant, product):
    Variant.objects.update(price=60)
    row = edit(merchant, product, "price", "55", "49.00")
    assert row.status_code == 409
    assert "60.00" in row.content.decode() and "Save “55” all the same" in row.content.decode()
    assert Variant.objects.get().price == 60


def test_somebody_elses_edit_of_another_value_is_no_conflict(merchant, product):
    Variant.objects.update(price=60)
    assert edit(merchant, product, "title", "New", "Canvas jacket").status_code == 200


@pytest.mark.parametrize(
    ("field", "was", "value", "why"),
    [
        ("price", "49.00", "1.299", "can be read two ways"),
        ("price", "49.00", "€ 12", "not in USD"),
        ("price", "49.00", "-1", "is no number"),
        ("stock", "5", "99999999999", "no whole number"),
        ("title", "Canvas jacket", "  ", "No title"),
        ("title", "Canvas jacket", "x" * 301, "at most 300"),
    ],
)
def test_what_the_catalogue_does_not_take_is_refused_with_why(merchant, product, field, was, value, why):
    row = edit(merchant, product, field, value, was)
    assert row.status_code == 422 and why in row.content.decode()
    assert editing.value_of(Product.objects.get(), field) == was


def test_only_the_named_fields_can_be_edited(merchant, product):
    assert edit(merchant, product, "popularity", "100", "0").status_code == 400


def test_a_price_of_several_variants_is_not_changed_from_the_table(merchant, product):
    VariantFactory(product=product, sku="P1-m")
    assert edit(merchant, product, "price", "1", "").status_code == 422


def test_hiding_a_product_takes_its_values_out_of_the_count_and_showing_puts_them_back(merchant, product):
    AttributeValueFactory(shop=product.shop, attribute="color", value="green", product_count=1)
    edit(merchant, product, "active", "off", "on")
    assert AttributeValue.objects.get(value="green").product_count == 0
    edit(merchant, product, "active", "on", "off")
    assert AttributeValue.objects.get(value="green").product_count == 1


# --- who may ------------------------------------------------------------------------------------------------------------


def rows_of(shop):
    feed = Feed.objects.create(shop=shop, name="F", url="https://shop.example/f.csv", next_at=timezone.now())
    change_set = ChangeSet.objects.create(shop=shop, kind="file", name="feed.csv", task="check", status="done")
    value = AttributeValueFactory(shop=shop, attribute="color", value="green", product_count=1)
    return {
        "edit_product": ProductFactory(shop=shop), "product": ProductFactory(shop=shop), "map_columns": change_set,
        "start_import": change_set, "undo_import": change_set, "discard_import": change_set, "problems": change_set,
        "change_set": change_set, "article": ArticleFactory(shop=shop), "name_value": value, "rename_value": value,
        "feed": feed, "switch_feed": feed, "run_feed": feed, "remove_feed": feed,
    }  # fmt: skip


def test_another_shop_s_rows_do_not_exist(merchant):
    for name, row in rows_of(ShopFactory()).items():
        address = reverse(f"console:{name}", args=[row.pk])
        assert {merchant.get(address).status_code, merchant.post(address).status_code} <= {404, 405}, name
        assert 404 in {merchant.get(address).status_code, merchant.post(address).status_code}, name


@pytest.mark.parametrize(
    "name",
    [
        "products",
        "change_many",
        "imports",
        "articles",
        "new_article",
        "attributes",
        "feeds",
        "shop_settings",
        "retention",
    ],
)
def test_another_shop_is_not_reached_by_its_name(merchant, name):
    address = f"{reverse(f'console:{name}')}?shop={ShopFactory(slug='elsewhere').slug}"
    assert 404 in {merchant.get(address).status_code, merchant.post(address).status_code}


def test_a_reviewer_reads_the_catalogue_and_changes_nothing(shop):
    browser = Client()
    reviewer = UserFactory(shops=[shop], shops__role=Role.REVIEWER)
    browser.force_login(reviewer, backend="django.contrib.auth.backends.ModelBackend")
    rows = rows_of(shop)
    for name in ("products", "articles", "attributes"):
        page = browser.get(reverse(f"console:{name}"))
        assert page.status_code == 200 and 'method="post" action="/console/' + name not in page.content.decode()
    for name, row in rows.items():
        assert browser.post(reverse(f"console:{name}", args=[row.pk])).status_code in (403, 404, 405), name
    for name in ("imports", "feeds", "change_many", "shop_settings", "retention", "new_article"):
        assert browser.post(reverse(f"console:{name}")).status_code == 403


# --- imports ------------------------------------------------------------------------------------------------------------


def send(browser, content, name="feed.csv"):
    return browser.post(reverse("console:imports"), {"file": SimpleUploadedFile(name, content)})


def test_a_file_that_is_no_feed_is_refused_on_the_page(merchant, shop):
    answer = send(merchant, b"%PDF-1.7\n\0\0", "feed.csv")
    assert answer.status_code == 422 and "no table of products" in answer.content.decode()
    assert not ChangeSet.objects.exists()


def test_the_name_of_a_file_leads_nowhere(merchant, shop, settings):
    send(merchant, b"sku,title,price\n1,A,2\n", "../../etc/passwd.csv")
    (stored,) = settings.IMPORTS_DIR.iterdir()
    assert stored.suffix == ".csv" and ChangeSet.objects.get().name == "passwd.csv"


def test_the_first_rows_are_shown_as_they_would_become(merchant, product):
    feed = b"sku,title,price,stock,category,material\nP1,Canvas jacket,39,5,,wool\nP2,Hat,20,1,Hats,felt\n"
    address = send(merchant, feed).url
    change_sets.carry_out(ChangeSet.objects.get().pk)
    preview = merchant.get(address).context["preview"]
    assert [(line.record.sku, line.fate) for line in preview.lines] == [("P1", "changed"), ("P2", "new")]
    assert set(preview.lines[0].changes) == {"attributes", "category", "variants"}
    assert {column.key: column.meaning for column in preview.columns}["material"] == "attribute"
    assert (Product.objects.count(), Variant.objects.get().price) == (1, 49)


def test_two_columns_cannot_mean_the_same(merchant, shop):
    address = send(merchant, b"a,b,c\n1,A,2\n").url
    change_set = ChangeSet.objects.get()
    change_sets.carry_out(change_set.pk)
    said = {"encoding": "utf-8-sig", "column_0": "title", "column_1": "title"}
    answer = merchant.post(f"{address}mapping/", said)
    assert answer.status_code == 422 and "Another column has this meaning" in answer.content.decode()


def test_a_mapping_of_a_file_at_work_is_not_changed(merchant, shop):
    address = send(merchant, b"sku,title,price\n1,A,2\n").url
    ChangeSet.objects.update(task="write", status="runs")
    assert merchant.post(f"{address}mapping/", {"encoding": "utf-8-sig"}).status_code == 404


def test_no_problem_of_a_row_is_a_formula_in_the_downloaded_table(merchant, shop):
    change_set = ChangeSet.objects.create(shop=shop, kind="file", name="feed.csv", status="done")
    RowProblem.objects.create(change_set=change_set, line=7, reason="=HYPERLINK(1) is odd")
    answer = merchant.get(reverse("console:problems", args=[change_set.pk]))
    assert b"".join(answer.streaming_content).decode("utf-8-sig").splitlines() == [
        "line,problem",
        "7,'=HYPERLINK(1) is odd",
    ]


# --- one product --------------------------------------------------------------------------------------------------------


def sheet(browser, product, **changed):
    form = browser.get(reverse("console:product", args=[product.pk])).context["form"]
    said = {name: form[name].value() or "" for name in form.fields}
    variants = {f"{name}-{v.pk}": str(getattr(v, name)) for v in product.variants.all() for name in ("price", "stock")}
    return {**said, **variants, **changed}


def test_a_product_is_saved_as_its_page_says(merchant, product):
    variant = product.variants.get()
    said = sheet(
        merchant, product, title="Linen jacket", title_other="亚麻外套", attributes="material: Linen | Cotton\nfit: slim",
        **{f"price-{variant.pk}": "39.5"},
    )  # fmt: skip
    assert merchant.post(reverse("console:product", args=[product.pk]), said).status_code == 302
    product = Product.objects.get()
    assert (product.title, product.translations) == ("Linen jacket", {"zh": {"title": "亚麻外套"}})
    assert product.attributes == {"material": ["linen", "cotton"], "fit": ["slim"]}
    assert product.variants.get().price == Decimal("39.50") and "亚麻" in product.document


def test_a_page_that_shows_an_older_product_saves_nothing_at_first(merchant, product):
    said = sheet(merchant, product, title="Mine")
    Variant.objects.update(price=60)
    answer = merchant.post(reverse("console:product", args=[product.pk]), said)
    assert answer.status_code == 409 and "Somebody else has changed this product" in answer.content.decode()
    assert Product.objects.get().title == "Canvas jacket"
    again = merchant.post(reverse("console:product", args=[product.pk]), {**said, "version": answer.context["version"]})
    assert again.status_code == 302 and Product.objects.get().title == "Mine"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"image": "javascript:alert(1)"}, "no web address"),
        ({"url": "ftp://shop.example"}, "no web address"),
        ({"attributes": "no colon"}, "write a name, a colon and values"),
    ],
)
def test_a_product_is_not_saved_with_what_may_not_be_in_it(merchant, product, changed, why):
    answer = merchant.post(reverse("console:product", args=[product.pk]), sheet(merchant, product, **changed))
    assert answer.status_code == 422 and why in answer.content.decode()


def test_a_category_of_another_shop_cannot_be_chosen(merchant, product):
    said = sheet(merchant, product, category=CategoryFactory().pk)
    assert merchant.post(reverse("console:product", args=[product.pk]), said).status_code == 422


def one_more(**changed):
    return {
        "new_sku": "P1-L", "new_attributes": "size: L; color: Navy Blue | grey", "new_price": "51", "new_stock": "2", **changed
    }  # fmt: skip


def test_a_variant_is_added_to_a_product_and_its_values_are_the_product_s(merchant, product):
    assert (
        merchant.post(reverse("console:product", args=[product.pk]), sheet(merchant, product, **one_more())).status_code
        == 302
    )
    added = Variant.objects.get(sku="P1-L")
    assert (added.price, added.stock) == (Decimal("51.00"), 2)
    assert added.attributes == {"size": ["l"], "color": ["navy blue", "grey"]}
    assert Product.objects.get().attributes["size"] == ["l"]
    assert AttributeValue.objects.get(attribute="size", value="l").product_count == 1


def test_a_variant_is_withdrawn_with_the_values_that_only_it_had(merchant, product):
    address = reverse("console:product", args=[product.pk])
    assert merchant.post(address, sheet(merchant, product, **one_more())).status_code == 302
    first, second = product.variants.order_by("pk")
    assert merchant.post(address, sheet(merchant, product, **{f"withdraw-{second.pk}": "on"})).status_code == 302
    assert list(product.variants.all()) == [first]
    assert "size" not in Product.objects.get().attributes


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"new_sku": ""}, "Give the new variant a SKU"),
        ({"new_price": ""}, "is no number"),
        ({"new_price": "dear"}, "is no number"),
        ({"new_stock": "-1"}, "is no whole number"),
        ({"new_attributes": "large"}, "write a name, a colon and values"),
    ],
)
def test_a_variant_that_cannot_be_sold_is_not_added(merchant, product, changed, why):
    answer = merchant.post(
        reverse("console:product", args=[product.pk]), sheet(merchant, product, **one_more(**changed))
    )
    assert answer.status_code == 422 and why in answer.content.decode()
    assert Variant.objects.count() == 1


def test_a_variant_has_a_sku_of_its_own_and_a_product_one_variant_at_least(merchant, product):
    address, only = reverse("console:product", args=[product.pk]), product.variants.get()
    answer = merchant.post(address, sheet(merchant, product, **one_more(new_sku=only.sku)))
    assert answer.status_code == 422 and "share a SKU" in answer.content.decode()
    answer = merchant.post(address, sheet(merchant, product, **{f"withdraw-{only.pk}": "on"}))
    assert answer.status_code == 422 and "Nothing to sell" in answer.content.decode()
    assert product.variants.get() == only


# --- a new one ----------------------------------------------------------------------------------------------------------

NEW = {
    "sku": "N-1", "title": "Rain hat", "category": "Clothing > Hats", "price": "19.5", "stock": "4",
    "attributes": "material: waxed cotton",
}  # fmt: skip


def test_a_product_is_added_by_hand_where_the_shop_had_nothing(merchant, shop, django_capture_on_commit_callbacks):
    address = f"{reverse('console:new_product')}?shop={shop.slug}"
    assert merchant.get(address).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        answer = merchant.post(address, NEW)
    added = Product.objects.get()
    assert answer.url == reverse("console:product", args=[added.pk])
    assert (added.shop, added.title, added.category.path) == (shop, "Rain hat", "clothing/hats")
    assert (added.category.name, added.category.parent.name) == ("Hats", "Clothing")
    assert (added.variants.get().price, added.variants.get().stock) == (Decimal("19.50"), 4)
    assert added.attributes == {"material": ["waxed cotton"]} and "rain hat" in added.document.lower()
    assert '<option value="Clothing &gt; Hats">' in merchant.get(address).content.decode()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"sku": "P1"}, "There is a product with the SKU “P1”"),
        ({"price": "1.299"}, "can be read two ways"),
        ({"price": "¥5"}, "the currency of the shop"),
        ({"stock": "some"}, "is no whole number"),
        ({"title": ""}, "required"),
        ({"category": "Hats > !!"}, "has a part without letters"),
        ({"image": "javascript:alert(1)"}, "no web address"),
        ({"title": "x\0"}, "Null characters"),
    ],
)
def test_a_product_that_the_catalogue_does_not_take_is_not_added(merchant, shop, product, changed, why):
    answer = merchant.post(f"{reverse('console:new_product')}?shop={shop.slug}", {**NEW, **changed})
    assert answer.status_code == 422 and why in answer.content.decode()
    assert Product.objects.get() == product


# --- articles, values, feeds, the shop ----------------------------------------------------------------------------------


def test_an_article_tells_its_pieces_and_which_questions_it_answered(merchant, shop):
    article = ArticleFactory(shop=shop, slug="returns", body="Send it back. Within 30 days.")
    TurnFactory(conversation__shop=shop, text="can I return it?", source={"kind": "article", "id": "returns"})
    TurnFactory(conversation__shop=shop, text="what about another?", source={"kind": "article", "id": "other"})
    TurnFactory(text="in another shop", source={"kind": "article", "id": "returns"})
    page = merchant.get(reverse("console:article", args=[article.pk]))
    assert page.context["pieces"] == ["Send it back.", "Within 30 days."]
    assert [turn.words for turn in page.context["questions"]] == ["can I return it?"]
    assert merchant.get(reverse("console:articles")).context["rows"][0].quoted == 1


def test_an_article_is_written_translated_and_not_written_over_something_newer(merchant, shop):
    said = {"title": "Do you deliver?", "body": "Yes.", "active": "on", "language": "en"}
    address = merchant.post(reverse("console:new_article"), said).url
    article = KnowledgeArticle.objects.get()
    assert (article.slug, article.language) == ("do-you-deliver", "en") and "deliver" in article.document
    chinese = {**said, "title": "配送吗？", "body": "配送。", "language": "zh"}
    merchant.post(f"{reverse('console:new_article')}?translates={article.slug}", chinese)
    assert KnowledgeArticle.objects.filter(slug="do-you-deliver").count() == 2
    assert merchant.post(reverse("console:new_article"), said).status_code == 422

    version = editing.article_version(article)
    KnowledgeArticle.objects.filter(pk=article.pk).update(body="No.")
    answer = merchant.post(address, {**said, "body": "Maybe.", "version": version})
    assert answer.status_code == 409 and "No." in answer.content.decode()
    article.refresh_from_db()
    assert article.body == "No."


def test_changed_words_of_an_article_are_indexed_anew(merchant, shop, django_capture_on_commit_callbacks):
    article = ArticleFactory(shop=shop)
    said = {"title": "T", "body": "New words.", "active": "on", "version": editing.article_version(article)}
    with django_capture_on_commit_callbacks() as callbacks:
        merchant.post(reverse("console:article", args=[article.pk]), said)
    article.refresh_from_db()
    assert callbacks and article.text_digest != article.embedded_digest and "words" in article.document


def test_two_values_become_one(merchant, shop, product):
    ProductFactory(shop=shop, attributes={"color": ["emerald"]})
    old = AttributeValueFactory(shop=shop, attribute="color", value="emerald", product_count=1)
    AttributeValueFactory(shop=shop, attribute="color", value="green", product_count=1)
    merchant.post(reverse("console:rename_value", args=[old.pk]), {"to": " Green "})
    rows = merchant.get(f"{reverse('console:attributes')}?attribute=color").context["rows"]
    assert [(row.value, row.product_count, others) for row, _, others in rows] == [("green", 2, "emerald")]


@pytest.mark.parametrize(
    ("url", "why"), [("http://shop.example/a.csv", "Only https"), ("file:///etc/passwd", "valid URL"), ("", "required")]
)
def test_only_https_addresses_become_feeds(merchant, shop, url, why):
    answer = merchant.post(reverse("console:feeds"), {"name": "F", "url": url, "every": "day"})
    assert answer.status_code == 422 and why in answer.content.decode()
    assert not Feed.objects.exists()


def test_a_feed_is_stored_due_paused_and_removed(merchant, shop):
    address = merchant.post(
        reverse("console:feeds"), {"name": "F", "url": "https://shop.example/a.csv", "every": "hour"}
    ).url
    feed = Feed.objects.get()
    assert feed.next_at <= timezone.now() and feed.active
    merchant.post(reverse("console:switch_feed", args=[feed.pk]), {"active": "off"})
    assert "paused" in merchant.get(address).content.decode()
    merchant.post(reverse("console:remove_feed", args=[feed.pk]))
    assert not Feed.objects.exists()


def test_another_currency_is_taken_when_it_is_known_that_no_price_changes(merchant, shop, product):
    said = {
        "name": "Pine & Co", "language": "en", "currency": "eur", "diversity": "0.4", "popularity_half_life_days": "30",
    }  # fmt: skip
    answer = merchant.post(reverse("console:shop_settings"), said)
    assert answer.status_code == 422 and "stay as they are" in answer.content.decode()
    shop.refresh_from_db()
    assert (shop.name, shop.currency) == ("Pine", "USD")
    merchant.post(reverse("console:shop_settings"), {**said, "confirmed": "on"})
    shop.refresh_from_db()
    assert (shop.name, shop.currency, Variant.objects.get().price) == ("Pine & Co", "EUR", 49)


def test_how_many_conversations_would_go_is_said_before_a_limit_is_set(merchant, shop):
    old, _new = ConversationFactory(shop=shop), ConversationFactory(shop=shop)
    Conversation.objects.filter(pk=old.pk).update(last_message_at=timezone.now() - timedelta(days=40))
    Conversation.objects.filter(pk=ConversationFactory().pk).update(last_message_at=timezone.now() - timedelta(days=40))
    address = reverse("console:retention")
    page = merchant.get(address, {"days": "30"}).content.decode()
    assert "1 of 2 conversations has been silent" in page and retention.limit(shop) is None
    for wrong in ("13", "3651", "soon"):
        assert (
            merchant.get(address, {"days": wrong}).status_code
            == merchant.post(address, {"days": wrong}).status_code
            == 422
        )
    assert retention.limit(shop) is None
    merchant.post(address, {"days": "30"})
    assert retention.limit(shop) == 30
    entry = AuditEntry.objects.get(kind="retention")
    assert (entry.action, entry.shop_id, entry.changes) == ("created", shop.pk, {"days": [None, 30]})
    assert "after 30 days" in merchant.get(reverse("console:shop_settings")).content.decode()
    assert "Nothing goes from now on" in merchant.get(address, {"days": ""}).content.decode()
    merchant.post(address, {"days": ""})
    assert retention.limit(shop) is None


def test_a_change_of_many_is_shown_first_and_keeps_to_the_filter(merchant, shop, product):
    ProductFactory(shop=shop, sku="P2", active=False)
    theirs = ProductFactory()
    address = f"{reverse('console:change_many')}?shop={shop.slug}&shown=on"
    said = {"scope": "all", "action": "stock", "stock": "77"}
    assert merchant.post(address, said).context["count"] == 1
    assert not Variant.objects.filter(stock=77).exists()
    merchant.post(address, {**said, "confirmed": "1"})
    assert list(Variant.objects.filter(stock=77).values_list("product__sku", flat=True)) == ["P1"]
    merchant.post(address, {**said, "scope": "chosen", "ids": [theirs.pk], "stock": "78", "confirmed": "1"})
    assert not Variant.objects.filter(stock=78).exists()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"scope": "chosen", "action": "hide"}, "Choose products in the table first"),
        ({"scope": "all", "action": "price"}, "This change needs it"),
        ({"scope": "all", "action": "price", "percent": "-101"}, "greater than or equal to -100"),
        ({"scope": "all", "action": "rename"}, ""),
    ],
)
def test_a_change_of_many_that_says_too_little_changes_nothing(merchant, shop, product, said, why):
    answer = merchant.post(reverse("console:change_many"), {**said, "confirmed": "1"})
    assert answer.status_code == 422 and why in answer.content.decode()
    assert not ChangeSet.objects.exists()
