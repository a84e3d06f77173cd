"""What drifts is told once, kept while it lasts, and closed when it is over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import timezone

from botcore.models import Alert
from botcore.monitoring import alerts
from botcore.monitoring.alerts import open_alerts, watch_drift
from botcore.monitoring.drift import Drift
from catalog.models import Shop
from tests.factories import ShopFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()
INTENTS = Drift("intents", "PSI", 0.4, 0.25, NOW, "What customers ask for has changed.")
PRICES = replace(INTENTS, what="prices", sentence="Prices have changed.")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[Drift]]:
    by_shop: dict[int, list[Drift]] = {}
    monkeypatch.setattr(alerts, "drifts", lambda shop, now: by_shop.get(shop.pk, []))
    return by_shop


def subjects(shop: Shop) -> list[str]:
    return sorted(alert.subject for alert in open_alerts([shop]))


def test_a_drift_opens_one_alert_and_proposes_a_run(found):
    shop = ShopFactory()
    found[shop.pk] = [INTENTS]
    watch_drift(shop, NOW)
    found[shop.pk] = [replace(INTENTS, value=0.6, sentence="More of it.")]
    watch_drift(shop, NOW)
    (alert,) = Alert.objects.all()
    assert (alert.sentence, alert.measured["value"]) == ("More of it.", 0.6)
    assert "manage.py train" in alert.proposal


def test_what_is_over_is_closed_and_may_open_again(found):
    shop = ShopFactory()
    found[shop.pk] = [INTENTS, PRICES]
    watch_drift(shop, NOW)
    found[shop.pk] = [PRICES]
    watch_drift(shop, NOW)
    assert subjects(shop) == ["drift: prices"]
    found[shop.pk] = [INTENTS, PRICES]
    watch_drift(shop, NOW)
    assert subjects(shop) == ["drift: intents", "drift: prices"]
    assert Alert.objects.count() == 3


def test_another_shop_hears_nothing(found):
    shop, other = ShopFactory(), ShopFactory()
    found[shop.pk] = [INTENTS]
    for each in (shop, other):
        watch_drift(each, NOW)
    assert subjects(other) == []
