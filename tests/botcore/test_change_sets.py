"""Files become change sets, which are checked, written and undone once each, whatever happens to a worker."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone
from openpyxl import Workbook

from botcore import change_sets, queues
from botcore.change_sets import NotNowError
from catalog import bulk
from catalog.ingest.readers import FeedError
from catalog.models import AttributeValue, ChangeSet, MerchandisingRule, Product, Variant
from tests.factories import ProductFactory, ShopFactory

pytestmark = pytest.mark.django_db

FEED = b"sku,title,price,stock\n1,Pack,50.00,3\n2,Bag,abc,3\n3,Hat,=1+1,3\n"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.IMPORTS_DIR = tmp_path / "imports"
    return settings.IMPORTS_DIR


@pytest.fixture
def shop():
    return ShopFactory()


@pytest.fixture
def woken(monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr(queues, "wake_change_set", sent.append)
    return sent


def done(change_set: ChangeSet, task: str) -> ChangeSet:
    change_sets.ask(change_set, task)
    change_sets.carry_out(change_set.pk)
    change_set.refresh_from_db()
    return change_set


def workbook() -> bytes:
    book, file = Workbook(), io.BytesIO()
    book.active.append(["货号", "标题", "价格"])
    book.active.append(["1", "背包", "50.00"])
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "titles"),
    [
        (b"sku,title,price\n1,Pack,50\n", {"Pack"}),
        (b'{"sku": "1", "title": "Pack", "price": 50}\n', {"Pack"}),
        (b"- sku: 1\n  title: Pack\n  price: 50\n", {"Pack"}),
        ("货号,标题,价格\n1,背包,50\n".encode("gb18030"), {"背包"}),
        ("sku\ttitle\tprice\n1\tPäckchen\t50\n".encode("utf-16"), {"Päckchen"}),
        (workbook(), {"背包"}),
    ],
    ids=["csv", "jsonl", "yaml", "gb18030", "utf-16", "xlsx"],
)
def test_what_a_file_is_is_read_from_what_is_in_it(shop, content, titles):
    done(change_sets.receive(shop, "export.pdf", [content]), "write")
    assert set(Product.objects.values_list("title", flat=True)) == titles


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * 150_000_000)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no table of products"),
        (b"%PDF-1.7\n\0\0\0", "no table of products"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", ".xls"),
        (b"<html><body>Log in</body></html>", "web pages"),
        (b'[{"sku": 1}]', "one object per line"),
    ],
    ids=["nothing", "a picture", "a PDF", "an old workbook", "a page", "an array"],
)
def test_what_is_no_feed_is_refused_with_what_to_do_and_leaves_nothing(shop, folder, content, why):
    with pytest.raises(FeedError, match=why):
        change_sets.receive(shop, "feed.csv", [content])
    assert not ChangeSet.objects.exists()
    assert not folder.exists() or not list(folder.iterdir())


@pytest.mark.parametrize("content", [bomb(), b"PK\x03\x04 no archive at all"], ids=["a bomb", "a torn archive"])
def test_a_hostile_workbook_ends_as_a_clear_error(shop, content):
    checked = done(change_sets.receive(shop, "feed.xlsx", [content]), "check")
    assert checked.status == "failed" and "workbook" in checked.error
    assert not Product.objects.exists()


def test_a_file_that_does_not_end_is_cut_off_and_removed(shop, folder, monkeypatch):
    monkeypatch.setattr(change_sets, "MAX_BYTES", 1_000_000)
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield b"sku,title\n" * 10_000

    with pytest.raises(FeedError, match="larger than"):
        change_sets.receive(shop, "feed.csv", endless())
    assert read < 15 and list(folder.iterdir()) == []


def test_a_check_writes_no_product_and_the_import_what_was_foreseen(shop, folder):
    change_set = done(change_sets.receive(shop, "feed.csv", [FEED]), "check")
    assert not Product.objects.exists()
    foreseen = change_set.counts
    assert foreseen == {"created": 1, "updated": 0, "unchanged": 0, "withdrawn": 0, "errors": 2}
    assert [problem.line for problem in change_set.problems.order_by("line")] == [3, 4]
    assert done(change_set, "write").counts == foreseen
    assert list(folder.iterdir()) == []
    assert done(change_set, "undo").counts["undone"] == 1
    assert not Product.objects.exists()


@pytest.mark.parametrize(("first", "then"), [(None, "undo"), ("write", "write"), ("write", "check"), ("undo", "write")])
def test_what_is_not_its_turn_is_refused(shop, first, then):
    change_set = change_sets.receive(shop, "feed.csv", [FEED])
    for task in {None: [], "write": ["write"], "undo": ["write", "undo"]}[first]:
        done(change_set, task)
    with pytest.raises(NotNowError):
        change_sets.ask(change_set, then)


def test_two_workers_woken_for_one_import_do_it_once(shop, monkeypatch):
    change_set = change_sets.receive(shop, "feed.csv", [FEED])
    change_sets.ask(change_set, "write")
    real, calls = change_sets._write, []

    def second_worker_arrives(found):
        change_sets.carry_out(found.pk)
        calls.append(found.pk)
        real(found)

    monkeypatch.setitem(change_sets._TASKS, ChangeSet.Task.WRITE, second_worker_arrives)
    change_sets.carry_out(change_set.pk)
    assert calls == [change_set.pk]


def test_one_whose_worker_died_is_found_again_and_finished(shop, woken):
    change_set = change_sets.receive(shop, "feed.csv", [FEED])
    change_sets.ask(change_set, "write")
    ChangeSet.objects.update(status="runs", alive_at=timezone.now())
    change_sets.sweep()
    assert woken == []
    ChangeSet.objects.update(alive_at=timezone.now() - timedelta(minutes=6))
    change_sets.sweep()
    assert woken == [change_set.pk]
    change_sets.carry_out(change_set.pk)
    assert Product.objects.get().title == "Pack"


def test_an_error_nobody_foresaw_is_stored_and_can_be_tried_again(shop, monkeypatch):
    change_set = change_sets.receive(shop, "feed.csv", [FEED])
    change_sets.ask(change_set, "write")

    def breaks(found):
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setitem(change_sets._TASKS, ChangeSet.Task.WRITE, breaks)
        change_sets.carry_out(change_set.pk)
    change_set.refresh_from_db()
    assert (change_set.status, "RuntimeError" in change_set.error) == ("failed", True)
    assert done(change_set, "write").counts["created"] == 1


def test_files_that_nobody_imported_are_forgotten_after_a_week(shop, folder):
    old, new = (change_sets.receive(shop, name, [FEED]) for name in ("old.csv", "new.csv"))
    ChangeSet.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    change_sets.forget_files()
    assert list(ChangeSet.objects.all()) == [new]
    assert len(list(folder.iterdir())) == 1


def test_a_renamed_value_is_found_by_its_old_word_and_rules_follow_it(shop):
    for sku, color in (("1", "emerald"), ("2", "green"), ("3", "red")):
        ProductFactory(shop=shop, sku=sku, attributes={"color": [color, "white"]})
    AttributeValue.objects.create(shop=shop, attribute="color", value="emerald", names={"zh": ["翠绿"]})
    rule = MerchandisingRule.objects.create(shop=shop, name="Mine", kind="boost", attribute="color", value="emerald")
    change = bulk.Change("rename", attribute="color", value="emerald", to="green")
    made = change_sets.change_many(shop, "Rename", bulk.holding(change), change)
    assert Product.objects.get(sku="1").attributes == {"color": ["green", "white"]}
    green = AttributeValue.objects.get(value="green")
    assert (green.names, green.product_count) == ({"zh": ["翠绿"], "en": ["emerald"]}, 2)
    assert all("emerald" in Product.objects.get(sku=sku).document for sku in "12")
    assert made.counts["updated"] == 1
    rule.refresh_from_db()
    assert rule.value == "green"
    done(made, "undo")
    assert Product.objects.get(sku="1").attributes == {"color": ["emerald", "white"]}
    rule.refresh_from_db()
    assert rule.value == "emerald"


def test_a_change_of_many_waits_for_a_worker_and_of_few_for_nobody(shop, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    products = [ProductFactory(shop=shop) for _ in range(2)]
    few = change_sets.change_many(shop, "Stock", {"ids": [products[0].pk]}, bulk.Change("stock", number=9))
    many = change_sets.change_many(shop, "Stock", {"filter": {}}, bulk.Change("stock", number=8))
    assert (few.status, many.status) == ("done", "waits")
    assert set(Variant.objects.values_list("stock", flat=True)) == {9, 5}
