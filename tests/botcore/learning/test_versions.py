"""The registry: one live version, nothing to customers that the gate refused, and always a way back."""

from __future__ import annotations

import pytest

from botcore.learning import versions
from botcore.learning.versions import RefusedError, move, rollback
from botcore.models import ModelVersion, VersionChange
from catalog.models import Shop
from tests.factories import ModelVersionFactory, ShopFactory, measured

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return ShopFactory()


def state(version: ModelVersion) -> str:
    version.refresh_from_db()
    return version.state


def test_a_version_goes_from_candidate_to_live_and_every_step_is_kept(shop):
    version = ModelVersionFactory(shop=shop)
    for step in ("shadow", "canary", "live"):
        move(version, step, reason="fine")
    assert versions.live(shop) == version
    steps = VersionChange.objects.order_by("pk").values_list("before", "after", "share")
    assert list(steps) == [("candidate", "shadow", 0), ("shadow", "canary", 10), ("canary", "live", 0)]


def test_a_verdict_on_what_is_live_no_more_lets_nothing_to_the_customers(shop):
    stale = ModelVersionFactory(shop=shop, name="pine-1")
    move(ModelVersionFactory(shop=shop, name="pine-2"), "live")
    for to in ("canary", "live"):
        with pytest.raises(RefusedError, match=r"measured against shipped, but pine-2 is live now\. Run .* pine-1`"):
            move(stale, to)
    assert state(stale) == "candidate"
    assert state(move(measured(stale), "live")) == "live"


def test_a_canary_whose_rival_was_rolled_back_is_measured_anew_before_it_goes_live(shop):
    first, second, canary = ModelVersionFactory.create_batch(3, shop=shop)
    move(first, "live")
    move(measured(second), "live")
    move(measured(canary), "canary")
    rollback(shop, version=second)
    with pytest.raises(RefusedError, match=f"measured against {second}, but {first} is live now"):
        move(canary, "live")
    assert (state(canary), state(first)) == ("canary", "live")


def test_a_report_that_does_not_say_against_what_it_was_measured_lets_nothing_through(shop):
    with pytest.raises(RefusedError, match="measured against nothing known"):
        move(ModelVersionFactory(shop=shop, report={}), "live")


@pytest.mark.parametrize("gate", [{}, {"passed": False, "lines": [{"name": "wishes", "passed": False, "found": ""}]}])
@pytest.mark.parametrize("to", ["canary", "live"])
def test_what_the_gate_did_not_let_through_serves_nobody(shop, gate, to):
    version = ModelVersionFactory(shop=shop, gate=gate)
    with pytest.raises(RefusedError, match="wishes" if gate else "not been evaluated"):
        move(version, to)
    assert state(version) == "candidate"


def test_a_refused_version_may_still_be_watched_in_the_shadow(shop):
    version = ModelVersionFactory(shop=shop, gate={"passed": False, "lines": []})
    move(version, "shadow")
    assert state(version) == "shadow"


def test_a_new_live_version_retires_the_old_one_and_a_new_canary_sends_the_old_one_back(shop):
    first, second, third = ModelVersionFactory.create_batch(3, shop=shop)
    move(first, "live")
    move(measured(second), "canary")
    move(measured(third), "canary")
    assert (state(first), state(second), state(third)) == ("live", "candidate", "canary")
    move(third, "live")
    assert (state(first), state(third)) == ("retired", "live")


def test_the_share_of_a_canary_can_be_moved(shop):
    version = ModelVersionFactory(shop=shop)
    move(version, "canary", share=5)
    move(version, "canary", share=50)
    version.refresh_from_db()
    assert version.share == 50
    with pytest.raises(RefusedError, match="between 1 and 99"):
        move(version, "canary", share=100)


@pytest.mark.parametrize(("from_", "to"), [("live", "canary"), ("retired", "live"), ("live", "candidate")])
def test_steps_that_make_no_sense_are_refused(shop, from_, to):
    version = ModelVersionFactory(shop=shop, state=from_)
    with pytest.raises(RefusedError, match="cannot become"):
        move(version, to)


def test_rollback_ends_the_canary_first(shop):
    live, canary = ModelVersionFactory.create_batch(2, shop=shop)
    move(live, "live")
    move(measured(canary), "canary")
    assert rollback(shop, reason="slow") == live
    assert (state(live), state(canary)) == ("live", "retired")


def test_rollback_goes_back_step_by_step_to_what_ships(shop):
    first, second = ModelVersionFactory.create_batch(2, shop=shop)
    move(first, "live")
    move(measured(second), "live")
    assert rollback(shop) == first
    assert (state(first), state(second)) == ("live", "retired")
    assert rollback(shop) is None
    assert state(first) == "retired"
    with pytest.raises(RefusedError, match="nothing before it"):
        rollback(shop)


def test_the_live_version_can_be_taken_back_by_name_while_a_canary_goes_on(shop):
    first, second, canary, idle = ModelVersionFactory.create_batch(4, shop=shop)
    move(first, "live")
    move(measured(second), "live")
    move(measured(canary), "canary")
    assert rollback(shop, version=second) == first
    assert (state(first), state(second), state(canary)) == ("live", "retired", "canary")
    with pytest.raises(RefusedError, match="serves nobody"):
        rollback(shop, version=idle)


def test_the_rival_is_what_is_live_and_of_what_is_live_what_it_replaced(shop):
    first, second = ModelVersionFactory.create_batch(2, shop=shop)
    assert versions.rival_of(first) is None
    move(first, "live")
    assert versions.rival_of(second) == first
    second = move(measured(second), "live")
    assert versions.rival_of(second) == first


def test_what_a_version_replaced_does_not_hang_on_what_people_write(shop):
    first, second, third = ModelVersionFactory.create_batch(3, shop=shop)
    move(first, "live")
    move(measured(second), "live")
    VersionChange.objects.update(reason="")
    assert versions.replaced_by(second) == first
    move(measured(third), "live")
    assert (rollback(shop), versions.replaced_by(second)) == (second, first)
    assert rollback(shop) == first


def test_what_went_live_again_in_place_of_what_ships_goes_back_to_what_ships(shop):
    first, second = ModelVersionFactory.create_batch(2, shop=shop)
    move(first, "live")
    move(measured(second), "live")
    assert (rollback(shop), rollback(shop)) == (first, None)
    move(second, "candidate")
    move(measured(second), "live")
    assert versions.replaced_by(second) is None
    assert rollback(shop) is None


def test_a_version_that_was_rolled_back_can_be_tried_again(shop):
    version = ModelVersionFactory(shop=shop)
    move(version, "live")
    rollback(shop)
    move(version, "candidate")
    move(version, "live")
    assert rollback(shop) is None


def test_shops_do_not_touch_each_other(shop):
    here, there = ModelVersionFactory(shop=shop), ModelVersionFactory()
    move(here, "live")
    move(there, "live")
    rollback(shop)
    assert state(there) == "live"


def of_department(shop: Shop, department: str = "clothing") -> ModelVersion:
    return measured(ModelVersionFactory(shop=shop, department=department))


def test_a_department_has_a_live_version_of_its_own_beside_the_shops(shop):
    shops = move(ModelVersionFactory(shop=shop), "live")
    own = move(of_department(shop), "live")
    assert (versions.live(shop), versions.live(shop, "clothing"), versions.live(shop, "books")) == (shops, own, shops)
    newer = move(of_department(shop), "live")
    assert (state(own), state(shops), state(newer)) == ("retired", "live", "live")
    assert rollback(shop, version=newer) == own and state(own) == "live"


def test_a_departments_version_is_measured_against_what_answers_there(shop):
    first = of_department(shop)
    shops = move(ModelVersionFactory(shop=shop), "live")
    with pytest.raises(RefusedError, match=f"measured against shipped, but {shops} is live now"):
        move(first, "canary")
    move(measured(first), "live")
    with pytest.raises(RefusedError, match=f"measured against {shops}, but {first} is live now"):
        move(ModelVersionFactory(shop=shop, department="clothing", report={"against": {"version": shops.name}}), "live")


def test_back_from_a_departments_version_the_shops_answers_again_and_is_moved_by_nothing(shop):
    shops, own = move(ModelVersionFactory(shop=shop), "live"), move(of_department(shop), "live")
    changes = VersionChange.objects.filter(version=shops).count()
    assert rollback(shop, version=own) == shops
    assert (state(own), state(shops)) == ("retired", "live")
    assert VersionChange.objects.filter(version=shops).count() == changes


def test_what_came_last_is_taken_back_first_whatever_it_answers_for(shop):
    shops, own = move(ModelVersionFactory(shop=shop), "live"), move(of_department(shop), "live")
    canary = move(of_department(shop, "books"), "canary")
    for taken in (canary, own, shops):
        rollback(shop)
        assert state(taken) == "retired"
    with pytest.raises(RefusedError, match="nothing before it"):
        rollback(shop)
