"""The catalogue in a real browser: an import with errors and its undo, edits in the table, and pages that fit their window."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from botcore import change_sets
from catalog.models import AttributeValue, ChangeSet, Product, Shop, Variant
from tests.browser import IN_A_BROWSER, windows_of
from tests.factories import ArticleFactory, UserFactory
from tests.journeys.small_shop import open_shop

pytestmark = IN_A_BROWSER

FEED = """Artikel,title,price,stock,category,color,color_zh
J-1,Moss jacket,95.00,5,Clothing > Jackets,green,绿色
J-2,Dune jacket,1.299,5,Clothing > Jackets,yellow,
H-1,Fern hat,25.00,7,Clothing > Hats,green,绿色
H-2,Sand hat,abc,7,Clothing > Hats,yellow,
"""


@pytest.fixture
def shop(database_calls_allowed: None, transactional_db: None, settings: Any, web_folder: Path) -> Shop:
    settings.IMPORTS_DIR = web_folder / "imports"
    shop = open_shop("lantern")
    UserFactory(username="ann", shops=[shop])
    return shop


@pytest.fixture
def chromium(shop: Shop, web_process: str) -> Iterator[Any]:
    """Opens a window in which ann is logged in; any breach of the policy, and any script's error, fails the test."""
    with windows_of(web_process) as windows:
        yield partial(windows.logged_in, "ann")


def work() -> None:
    """What the worker does with what waits."""
    for pk in list(ChangeSet.objects.filter(status="waits").values_list("pk", flat=True)):
        change_sets.carry_out(pk)


def upload(page: Any, tmp_path: Path, text: str = FEED) -> ChangeSet:
    file = tmp_path / "autumn.csv"
    file.write_text(text, encoding="utf-8")
    page.goto(reverse("console:imports"))
    page.set_input_files("#upload-file", file)
    page.get_by_role("button", name="Upload and look").click()
    page.wait_for_url("**/imports/*/")
    return ChangeSet.objects.latest("pk")


def stored() -> dict[str, tuple[str, Decimal]]:
    rows = Variant.objects.values_list("product__sku", "product__title", "price")
    return {sku: (title, price) for sku, title, price in rows}


def test_an_import_with_errors_is_looked_at_mapped_carried_out_and_undone(chromium, shop, tmp_path):
    before = stored()
    page = chromium()
    upload(page, tmp_path)
    work()
    # Nothing has an SKU: the column has a name of its own.
    page.get_by_text("No SKU: give every row one of its own").first.wait_for()
    page.get_by_label("Meaning of column “artikel”").select_option("sku")
    page.get_by_role("button", name="Read it like this").click()
    work()
    page.get_by_text("Price “1.299” can be read two ways: write 1299.00 or 1.29.").wait_for()
    page.get_by_text("Price “abc” is no number: write 12.50.").wait_for()
    table = page.get_by_role("table").last
    assert "new" in table.get_by_role("row", name="Fern hat").inner_text()
    assert "changes" in table.get_by_role("row", name="Moss jacket").inner_text()
    assert stored() == before
    with page.expect_download() as download:
        page.get_by_role("link", name="All of them as CSV").click()
    assert len(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()) == 3

    page.get_by_role("button", name="Import", exact=True).click()
    work()
    page.get_by_role("heading", name="What it did").wait_for()
    page.get_by_text("$89.50").wait_for()
    assert stored() == {**before, "J-1": ("Moss jacket", Decimal("95.00")), "H-1": ("Fern hat", Decimal("25.00"))}
    assert AttributeValue.objects.get(value="green").names == {"zh": ["绿色"]}

    Variant.objects.filter(product__sku="J-1").update(price=99)
    page.get_by_role("button", name="Undo all of it").click()
    work()
    page.get_by_text("was changed again since").wait_for()
    assert stored() == {**before, "J-1": ("Moss jacket", Decimal("99.00"))}
    assert AttributeValue.objects.get(value="green").names == {}


def test_a_value_of_the_table_is_saved_at_once_undone_and_not_lost_to_somebody_newer(chromium, shop):
    page = chromium()
    page.goto(reverse("console:products"))
    product = Product.objects.get(sku="J-1")
    price = page.locator(f"#price-{product.pk}")
    price.fill("79")
    price.press("Enter")
    page.get_by_role("button", name="Undo Moss jacket").wait_for()
    assert stored()["J-1"][1] == 79
    page.get_by_role("button", name="Undo Moss jacket").click()
    expect(price).to_have_value("89.50")
    assert stored()["J-1"][1] == Decimal("89.50")

    Variant.objects.filter(product=product).update(price=70)
    price.fill("60")
    price.press("Tab")
    page.get_by_text("Somebody else has changed the price since: it is “70.00” now.").wait_for()
    assert stored()["J-1"][1] == 70
    page.get_by_role("button", name="Save “60” all the same").click()
    page.get_by_role("button", name="Undo Moss jacket").wait_for()
    assert stored()["J-1"][1] == 60

    title = page.locator(f"#title-{product.pk}")
    title.fill("Moss parka")
    title.press("Tab")
    page.get_by_role("button", name="Undo Moss parka").wait_for()
    assert page.evaluate("document.activeElement.id") == f"sku-{product.pk}"
    visible = page.get_by_role("switch", name="Visible: Moss parka")
    visible.click()
    expect(visible).not_to_be_checked()
    product.refresh_from_db()
    assert (product.title, product.active) == ("Moss parka", False)
    assert "moss parka" in product.document


def test_prices_of_chosen_products_are_lowered_after_a_look(chromium, shop):
    page = chromium()
    page.goto(reverse("console:products"))
    assert not page.locator("#bulk-percent").is_visible()
    page.get_by_label("Choose Moss jacket").check()
    page.locator("#bulk-action").select_option("price")
    page.fill("#bulk-percent", "-10")
    page.locator("#bulk-rounding").select_option("ninety_nine")
    page.get_by_role("button", name="Show what it would do").click()
    assert "80.99" in page.get_by_role("row", name="Moss jacket").inner_text()
    page.get_by_role("button", name="Change 1 product").click()
    page.get_by_text("1 product is changed.").wait_for()
    assert {sku: price for sku, (_, price) in stored().items()} == {
        "J-1": Decimal("80.99"), "J-2": Decimal("120.00"), "B-1": Decimal("45.50"),
    }  # fmt: skip


def test_a_value_gets_its_chinese_name_in_place(chromium, shop):
    page = chromium()
    page.goto(f"{reverse('console:attributes')}?attribute=color")
    name = page.get_by_label("中文: yellow")
    name.fill("黄色，沙色")
    name.press("Enter")
    page.get_by_text("Saved.").wait_for()
    assert AttributeValue.objects.get(value="yellow").names == {"zh": ["黄色", "沙色"]}
    assert "黄色" in Product.objects.get(sku="J-2").document


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-CN", 820), ("en", 390), ("zh-CN", 390)])
def test_no_page_is_wider_than_its_window(chromium, shop, tmp_path, language, width):
    article = ArticleFactory(shop=shop, slug="delivery")
    page = chromium(language, width)
    imported = change_sets.receive(shop, "feed.csv", [FEED.replace("Artikel", "sku").encode()])
    change_sets.ask(imported, "check")
    work()
    addresses = [
        *(reverse(f"console:{name}") for name in ("products", "imports", "articles", "new_article", "attributes", "feeds")),
        reverse("console:shop_settings"),
        f"{reverse('console:retention')}?days=30",
        reverse("console:product", args=[Product.objects.get(sku="J-1").pk]),
        reverse("console:article", args=[article.pk]),
        reverse("console:change_set", args=[imported.pk]),
    ]  # fmt: skip
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
