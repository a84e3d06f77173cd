"""Feeds are fetched when they are due, imported when they have changed, and reach nothing that is not public."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from botcore import change_sets, feeds
from botcore.channels.values import Media, MediaError
from catalog.models import ChangeSet, Feed, Product, Variant
from tests.factories import ShopFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.IMPORTS_DIR = tmp_path / "imports"


class Internet:
    """What is to be had at every address."""

    def __init__(self) -> None:
        self.content = b"sku,title,price,stock\n1,Pack,50,3\n"
        self.asked: list[str] = []

    def download(self, url, limit, seconds, network=None, what="") -> Media:
        self.asked.append(url)
        if not self.content:
            raise MediaError("answered 404")
        return Media(self.content, "text/csv")


@pytest.fixture
def internet(monkeypatch) -> Internet:
    made = Internet()
    monkeypatch.setattr(feeds, "download_public", made.download)
    return made


def feed(**values) -> Feed:
    said = {"url": "https://shop.example/all.csv", "next_at": NOW - timedelta(seconds=1), "name": "Supplier", **values}
    return Feed.objects.create(shop=said.pop("shop", None) or ShopFactory(), **said)


def look(at=NOW) -> int:
    found = feeds.fetch_due(at)
    for pk in ChangeSet.objects.filter(status="waits").values_list("pk", flat=True):
        change_sets.carry_out(pk)
    return found


@pytest.mark.parametrize(("every", "period"), [("hour", timedelta(hours=1)), ("day", timedelta(days=1))])
def test_a_feed_that_is_due_is_imported_and_waits_for_its_next_time(internet, every, period):
    row = feed(every=every)
    assert look() == 1
    assert Product.objects.get(shop=row.shop).title == "Pack"
    row.refresh_from_db()
    assert (row.next_at, row.error) == (NOW + period, "")
    assert (look(NOW + period - timedelta(seconds=1)), look(NOW + period)) == (0, 1)


def test_a_feed_that_has_not_changed_is_not_imported_again_unless_asked_for(internet):
    row = feed()
    look()
    look(NOW + timedelta(days=1))
    assert ChangeSet.objects.count() == 1
    internet.content = b"sku,title,price,stock\n1,Pack,60,3\n"
    look(NOW + timedelta(days=2))
    assert (ChangeSet.objects.count(), Variant.objects.get().price) == (2, 60)
    feeds.ask_for(row)
    look(timezone.now())
    assert ChangeSet.objects.count() == 3


def test_a_paused_feed_and_one_that_is_not_due_are_left_alone(internet):
    feed(active=False)
    feed(next_at=NOW + timedelta(minutes=1))
    assert (look(), internet.asked) == (0, [])


@pytest.mark.parametrize("content", [b"", b"<html>Log in</html>"], ids=["gone", "a page"])
def test_what_cannot_be_had_is_told_and_the_others_go_on(internet, content):
    internet.content = content
    row, other = feed(), feed()
    assert look() == 2
    row.refresh_from_db()
    assert row.error and not Product.objects.exists()
    assert row.next_at > NOW and other.change_sets.count() == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/all.csv",
        "https://127.0.0.1/all.csv",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/all.csv",
        "https://localhost/all.csv",
        "https://user:secret@shop.example/all.csv",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_fetched_from_this_machine_or_its_network(url):
    row = feed(url=url)
    feeds.fetch(row)
    row.refresh_from_db()
    assert row.error in ("not a plain https address", "cannot be reached (ConnectError)")
    assert not ChangeSet.objects.exists()


def test_columns_are_read_as_the_feed_s_mapping_says(internet):
    internet.content = b"Nr;Was;EUR\n7;Rucksack;50\n"
    row = feed(mapping={"fields": {"nr": "sku", "was": "title", "eur": "price"}})
    look()
    assert Product.objects.get(shop=row.shop).sku == "7"
