"""The pages of learning: snapshots, runs and versions of one's own shop, and the buttons that move them."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from admin_console import learning
from botcore.learning import corrections, runs, versions
from botcore.models import Alert, Dataset, ModelVersion, TrainingRun, Turn, VersionChange
from tests.admin_console import learned
from tests.factories import (
    CategoryFactory,
    ConversationFactory,
    DatasetFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ShopFactory,
    TurnFactory,
    UserFactory,
    measured,
)

pytestmark = pytest.mark.django_db

CHINESE = {"Accept-Language": "zh-CN"}


@pytest.fixture
def snapshot(shop) -> Dataset:
    return learned.snapshot(shop)


@pytest.fixture
def approved(shop) -> Dataset:
    return learned.snapshot(shop, approved_at=timezone.now(), approved_by=UserFactory(username="ann"))


def _url(name: str, *args: object) -> str:
    return reverse(f"console:{name}", args=args)


def _page(browser, name: str, *args: object, **query: object) -> str:
    response = browser.get(_url(name, *args), query)
    assert response.status_code == 200
    return _text(response)


def _text(response) -> str:
    return " ".join(response.content.decode().split())


def _post(browser, name: str, *args: object, **sent: object) -> str:
    response = browser.post(_url(name, *args), sent, follow=True)
    assert response.status_code == 200
    return _text(response)


# --- the shop's page ------------------------------------------------------------------------------------------------


def test_a_shop_that_has_learned_nothing_is_told_how_it_begins(merchant, shop):
    page = _page(merchant, "learning")
    assert "the model that ships" in page
    assert "No snapshot yet." in page and "Nothing has been trained yet." in page
    assert "Roll back" not in page and ">Train<" not in page


def test_the_page_tells_what_came_in_what_was_made_and_what_serves(merchant, shop, approved):
    turn = TurnFactory(conversation=ConversationFactory(shop=shop))
    learned.annotated(turn, verdict="corrected", author=UserFactory())
    learned.annotated(turn, verdict="rejected", author=UserFactory())
    FeedbackFactory(turn=turn, kind="down")
    FeedbackFactory(turn__conversation__shop=ShopFactory(), kind="up")
    run = learned.run(approved, status="failed", error="OSError: disk full\nTraceback ...")
    live = learned.version(approved, name="pine-1", state="live")
    learned.version(approved, name="pine-2", gate=learned.REFUSED, parent=live, run=run)
    ModelVersionFactory(shop=shop, name="pine-3", state="canary", share=10)
    page = _page(merchant, "learning", shop=shop.slug)
    for shown in (
        "<dt>Replies corrected</dt><dd>1</dd>",
        "<dt>Replies rejected</dt><dd>1</dd>",
        "<dt>Thumbs up</dt><dd>0</dd>",
        "<dt>Thumbs down</dt><dd>1</dd>",
        "3 opinions since the newest one",
        "To be written <b>58</b> <small>40 training · 9 validation · 9 test</small>",
        "12 thumbs above one customer&#x27;s share",
        '<span class="tag good">ann</span>',
        "OSError: disk full</small>",
        "Names a wish of the customer, Better at something</small>",
        "after pine-1",
        "answers 10 % of the conversations",
        "ends the canary",
    ):
        assert shown in page, shown
    assert "Traceback" not in page


def test_old_feedback_is_not_of_the_last_weeks(shop, snapshot):
    old = FeedbackFactory(turn__conversation__shop=shop)
    type(old).objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=29))
    assert learning.inflow(shop, None).thumbs == {"up": 0, "down": 0}


def test_old_rows_are_shown_when_asked_for(merchant, shop):
    DatasetFactory.create_batch(learning.NEWEST + 1, shop=shop)
    page = merchant.get(_url("learning"))
    assert len(page.context["snapshots"]) == learning.NEWEST and "Show older ones as well" in _text(page)
    whole = merchant.get(_url("learning"), {"all": 1})
    assert len(whole.context["snapshots"]) == learning.NEWEST + 1 and "Show older" not in _text(whole)


def test_the_page_costs_the_same_queries_however_much_there_is(merchant, shop):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            _page(merchant, "learning")
        return len(captured)

    def more() -> None:
        dataset = learned.snapshot(shop, approved_at=timezone.now(), approved_by=UserFactory())
        learned.version(dataset, run=learned.run(dataset), parent=ModelVersionFactory(shop=shop))

    more()
    few = queries()
    for _ in range(4):
        more()
    assert queries() == few
    assert few <= 24


# --- snapshots ------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_made_approved_and_trained_on(merchant, shop):
    turns = [TurnFactory(conversation=ConversationFactory(shop=shop), text=f"jacket {n}") for n in range(4)]
    for turn in turns:
        merchant.post(_url("approve_reply", turn.conversation.key, turn.number), {"for_training": "on"})
    page = _post(merchant, "make_snapshot", shop=shop.slug)
    made = Dataset.objects.get()
    assert made.created_by and made.shop == shop
    assert f"Snapshot {made.pk} is made." in page and "No model learns from this snapshot yet." in page
    assert f"Snapshot {made.pk} holds the same already." in _post(merchant, "make_snapshot", shop=shop.slug)

    refused = _post(merchant, "train", shop=shop.slug, dataset=made.pk, recipe="sft")
    assert "Snapshot: Select a valid choice." in refused and not TrainingRun.objects.exists()

    assert "models may learn from it" in _post(merchant, "approve_snapshot", made.pk)
    made.refresh_from_db()
    assert made.approved_by == made.created_by
    page = _post(merchant, "train", shop=shop.slug, dataset=made.pk, recipe="sft")
    run = TrainingRun.objects.get()
    assert (run.dataset, run.recipe, run.status, run.created_by) == (made, "sft", "queued", made.created_by)
    assert f"Run {run.pk} waits for the trainer." in page


def test_where_there_is_nothing_to_learn_it_is_said(merchant, shop):
    assert "There is nothing to learn from yet" in _post(merchant, "make_snapshot", shop=shop.slug)
    chinese = merchant.post(_url("make_snapshot"), {"shop": shop.slug}, follow=True, headers=CHINESE)
    assert "还没有可学习的内容" in _text(chinese)


def test_a_snapshot_shows_its_rows_with_where_they_come_from(merchant, snapshot):
    turn = Turn.objects.get()
    page = _page(merchant, "snapshot", snapshot.pk)
    for shown in (
        snapshot.content_hash,
        "Recommends 41 · Compares 17",
        "4 rejected, with no other reply given",
        learned.CUSTOMER,
        '<span class="tag good">better</span> Take a peek',
        '<span class="tag bad">worse</span> Look at',
        f"{_url('conversation', turn.conversation.key)}?turn=1#turn-1",
        "something, green, rain",
        "clothing/jackets",
        "negative",
        "<code>annotation:2</code>",
    ):
        assert shown in page, shown
    turn.conversation.contact.delete()
    page = _page(merchant, "snapshot", snapshot.pk)
    assert "no longer there" in page and "?turn=1" not in page


def test_rows_come_by_the_page_and_by_use_and_part(merchant, shop):
    snapshot = learned.snapshot(shop, rows=60)
    rows = merchant.get(_url("snapshot", snapshot.pk), {"page": 2}).context["rows"]
    assert [example.row.place for example in rows] == [*range(25, 50)]
    narrowed = merchant.get(_url("snapshot", snapshot.pk), {"use": "vote", "part": "test"}).context["page"]
    assert narrowed.paginator.count == 20
    assert "No example matches." in _page(merchant, "snapshot", snapshot.pk, use="vote", part="train")
    assert merchant.get(_url("snapshot", snapshot.pk), {"use": "nonsense"}).context["page"].paginator.count == 60


def test_a_snapshot_costs_the_same_queries_however_many_rows_it_has(merchant, shop):
    few, many = learned.snapshot(shop, rows=1), learned.snapshot(shop, rows=25)
    counts = []
    for snapshot in (few, many):
        with CaptureQueriesContext(connection) as captured:
            _page(merchant, "snapshot", snapshot.pk)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 14


def test_an_empty_snapshot_is_still_shown(merchant, shop):
    assert "No example matches." in _page(merchant, "snapshot", DatasetFactory(shop=shop).pk)


# --- runs -----------------------------------------------------------------------------------------------------------


def test_an_open_run_shows_its_curves_follows_itself_and_is_stopped(merchant, approved):
    run = learned.run(approved, status="running", stage="preference", alive_at=timezone.now())
    page = _page(merchant, "run", run.pk)
    assert "console/desk.js" in page and page.count("data-live") == 5
    assert "Learning preferences" in page and "Stop the run" in page and "lr <b>0.0002</b>" in page
    assert page.count("<polyline") == 6
    assert 'aria-label="Pairs told apart rightly: 1 at last, between 0.556 and 1"' in page

    page = _post(merchant, "stop_run", run.pk)
    run.refresh_from_db()
    assert run.status == "stopped"
    assert "The run is stopped." in page and "console/desk.js" not in page and "Stop the run" not in page
    assert "The run had ended already." in _post(merchant, "stop_run", run.pk)


def test_a_run_that_broke_off_says_why(merchant, approved):
    run = learned.run(approved, status="failed", error="OSError: disk full\nTraceback: <b>")
    page = _page(merchant, "run", run.pk)
    assert "OSError: disk full Traceback: &lt;b&gt;" in page and "http-equiv" not in page
    assert "Go on with the run" in page and "Stop the run" not in page

    page = _post(merchant, "go_on_with_run", run.pk)
    run.refresh_from_db()
    assert (run.status, run.error) == ("queued", "") and "The run goes on where it was" in page
    assert "Go on with the run" not in page
    assert "The run cannot go on" in _post(merchant, "go_on_with_run", run.pk)


def test_a_run_that_has_just_been_asked_for_has_nothing_measured(merchant, approved):
    run = TrainingRun.objects.create(shop=approved.shop, dataset=approved, recipe="sft")
    assert "Nothing has been measured yet." in _page(merchant, "run", run.pk)


# --- versions -------------------------------------------------------------------------------------------------------


def test_a_version_shows_its_report_beside_what_was_live(merchant, approved):
    made = learned.version(approved, name="pine-7", gate=learned.REFUSED)
    page = _page(merchant, "version", made.pk)
    for shown in (
        '<th scope="row">Replies the model wrote itself</th><td class="number">99.3 %</td><td class="number">99.0 %</td>',
        '<td class="number"><b>+9.0</b></td><td class="number start">+2.0 … +16.0</td>',
        '<svg class="interval better"',
        "-0.110 (-0.160 to -0.060); at worst -0.100 is allowed",
        "Take a peek at the [A.name], green and [A.price].",
        "5cc9afaaedd0",
        "9f9f9f9f9f9f9f9f…",
        "It repeats itself.",
        "Nobody has moved it yet.",
    ):
        assert shown in page, shown


def test_a_version_without_a_report_says_so(merchant, shop):
    page = _page(merchant, "version", ModelVersionFactory(shop=shop, gate={}).pk)
    assert "It has not been evaluated" in page


def test_buttons_bring_a_version_to_customers_and_back(merchant, shop, approved):
    first = learned.version(approved, name="pine-1")
    _post(merchant, "move_version", first.pk, to="live")
    made = measured(learned.version(approved, name="pine-2"))

    def state() -> tuple[str, int]:
        made.refresh_from_db()
        return made.state, made.share

    assert "pine-2: shadow." in _post(merchant, "move_version", made.pk, to="shadow", reason="a look")
    assert state() == ("shadow", 0)
    page = _post(merchant, "move_version", made.pk, to="canary", share=25)
    assert state() == ("canary", 25) and "pine-2: canary (25 %)." in page
    assert "How it does" in page and "Change the share" in page
    _post(merchant, "move_version", made.pk, to="canary", share=50)
    assert state() == ("canary", 50)
    page = _post(merchant, "move_version", made.pk, to="live")
    assert versions.live(shop) == made and '<small class="inline">before</small>' in page
    assert "a look" in page and "candidate → shadow" in page and "canary → live" in page
    assert set(VersionChange.objects.values_list("by__memberships__shop", flat=True)) == {shop.pk}

    page = _post(merchant, "roll_back", shop=shop.slug, reason="complaints")
    assert "Rolled back. Customers are answered by pine-1 now." in page
    assert versions.live(shop) == first and state() == ("retired", 0)
    assert VersionChange.objects.filter(reason="complaints", by__isnull=False).exists()
    assert "candidate" in _post(merchant, "move_version", made.pk, to="candidate")


def test_only_the_steps_that_are_allowed_have_a_button(merchant, shop):
    live = _page(merchant, "version", ModelVersionFactory(shop=shop, state="live").pk)
    assert re.findall(r'name="to" value="(\w+)"', live) == ["retired"]
    canary = _page(merchant, "version", ModelVersionFactory(shop=shop, state="canary", share=30).pk)
    assert re.findall(r'name="to" value="(\w+)"', canary) == ["canary", "candidate", "shadow", "live", "retired"]
    assert 'name="share" value="30"' in canary


def test_what_the_gate_refused_stays_where_it_is_and_the_lines_are_named(merchant, approved):
    made = learned.version(approved, name="pine-7", gate=learned.REFUSED)
    page = _post(merchant, "move_version", made.pk, to="live")
    assert "pine-7 may not serve customers: it did not pass the gate for “Names a wish of the customer" in page
    chinese = merchant.post(_url("move_version", made.pk), {"to": "live"}, follow=True, headers=CHINESE)
    assert "pine-7 不能服务顾客：未通过准入检查“提到顾客的要求, 至少一项有提升”。" in _text(chinese)
    made.refresh_from_db()
    assert made.state == "candidate"


@pytest.mark.parametrize("sent", [{"to": "canary", "share": "0"}, {"to": "canary", "share": "100"}, {"to": "moon"}, {}])
def test_a_step_that_makes_no_sense_changes_nothing(merchant, shop, sent):
    made = ModelVersionFactory(shop=shop)
    assert 'class="notice error"' in _post(merchant, "move_version", made.pk, **sent)
    made.refresh_from_db()
    assert made.state == "candidate"


def test_without_anything_to_roll_back_to_it_is_said(merchant, shop):
    assert "there is nothing to roll back to" in _post(merchant, "roll_back", shop=shop.slug)


def test_a_departments_version_stands_beside_the_shops_and_is_rolled_back_by_itself(merchant, shop, approved):
    CategoryFactory(shop=shop, name="Books", path="books")
    shops = versions.move(measured(learned.version(approved, name="pine-1")), "live")
    own = learned.version(approved, name="pine-2", department="books")
    versions.move(measured(own), "live")
    page = _page(merchant, "learning")
    assert "About Books" in page and page.count("Roll back") == 2
    assert "answers what is about Books" in _page(merchant, "version", own.pk)
    page = _post(merchant, "roll_back", shop=shop.slug, version=own.pk)
    assert "Rolled back. Customers are answered by pine-1 now." in page and "About Books" not in page
    assert (versions.live(shop), versions.live(shop, "books")) == (shops, shops)


def test_nobody_rolls_back_another_shops_version(merchant, shop):
    other = ModelVersionFactory(state="live")
    asked = {"shop": shop.slug, "version": other.pk}
    assert merchant.post(_url("roll_back"), asked).status_code == 404
    other.refresh_from_db()
    assert other.state == "live"


def test_a_canary_s_health_stands_beside_that_of_what_is_live(shop, approved):
    live = learned.version(approved, state="live")
    canary = learned.version(approved, state="canary", share=10)
    for version, error in ((canary, "the generator failed: OSError"), (live, "")):
        for _ in range(30):
            TurnFactory(conversation=ConversationFactory(shop=shop), asked_version=version, error=error)
    found = learning.health(canary)
    assert (found.own.replies, found.own.errors, found.other.replies, found.other.errors) == (30, 1.0, 30, 0.0)
    assert found.rival == live and found.complaint
    assert not learning.health(live).complaint
    assert learning.health(learned.version(approved)) is None


def test_a_version_costs_the_same_queries_however_long_its_history_is(merchant, approved):
    made = learned.version(approved)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            _page(merchant, "version", made.pk)
        return len(captured)

    few = queries()
    for to in ("shadow", "candidate") * 4:
        versions.move(made, to, UserFactory())
    assert queries() == few <= 14


def test_an_interval_lies_where_its_numbers_do():
    assert learning.interval(0.0, -0.1, 0.1) == learning.Interval(2.4, 115.2, 60.0)
    better = learning.interval(0.05, 0.01, 0.1)
    assert better.low > learning.INTERVAL / 2
    assert learning.interval(0.0, 0.0, 0.0) == learning.Interval(60.0, 1.0, 60.0)


# --- who may --------------------------------------------------------------------------------------------------------


def test_another_shop_s_learning_does_not_exist_for_a_merchant(merchant, shop):
    theirs = learned.snapshot(ShopFactory(slug="elsewhere"), approved_at=timezone.now())
    run, version = learned.run(theirs, status="running"), learned.version(theirs)
    for name, pk in (("snapshot", theirs.pk), ("run", run.pk), ("version", version.pk)):
        assert merchant.get(_url(name, pk)).status_code == 404
    assert merchant.get(_url("learning"), {"shop": "elsewhere"}).status_code == 404
    for name, args, sent in (
        ("make_snapshot", (), {"shop": "elsewhere"}),
        ("train", (), {"shop": "elsewhere", "dataset": theirs.pk, "recipe": "sft"}),
        ("roll_back", (), {"shop": "elsewhere"}),
        ("approve_snapshot", (theirs.pk,), {}),
        ("stop_run", (run.pk,), {}),
        ("go_on_with_run", (run.pk,), {}),
        ("move_version", (version.pk,), {"to": "live"}),
    ):
        assert merchant.post(_url(name, *args), sent).status_code == 404
    borrowed = _post(merchant, "train", shop=shop.slug, dataset=theirs.pk, recipe="sft")
    assert "Select a valid choice." in borrowed
    assert TrainingRun.objects.get().status == "running"
    assert ModelVersion.objects.get().state == "candidate"


def test_staff_see_every_shop_s_learning(staff, snapshot):
    assert _page(staff, "snapshot", snapshot.pk) and _page(staff, "learning", shop="pine")


def test_what_changes_something_names_its_shop_and_is_never_a_link(merchant, shop):
    for name in ("make_snapshot", "train", "roll_back"):
        assert merchant.post(_url(name)).status_code == 404
        assert merchant.get(_url(name)).status_code == 405
    for name in ("approve_snapshot", "stop_run", "go_on_with_run", "move_version"):
        assert merchant.get(_url(name, 1)).status_code == 405


def test_the_pages_pass_the_content_security_policy_and_escape_what_they_show(merchant, approved):
    evil = "<img src=x onerror=alert(1)>"
    row = learned.row(approved, 9, TurnFactory(conversation__shop=approved.shop))
    row.content = {"brief": {"customer": evil}, "reply": evil, "chosen": evil, "rejected": evil}
    row.save()
    run = learned.run(approved, status="running", stage=evil)
    report = {
        **learned.REPORT,
        "candidate": learned.side(evil, 0.9, [evil]),
        "changed": [{"customer": evil, "act": evil, "candidate": evil, "live": evil}],
    }
    made = ModelVersionFactory(shop=approved.shop, report=report, gate=learned.PASSED)
    turn = TurnFactory(conversation=ConversationFactory(shop=approved.shop), text=evil, reply=evil)
    learned.shadow_reply(made, turn, text=evil, error=evil)
    for page in (
        _page(merchant, "learning"),
        _page(merchant, "snapshot", approved.pk),
        _page(merchant, "run", run.pk),
        _page(merchant, "version", made.pk),
        _page(merchant, "shadow", made.pk),
    ):
        assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=\"|javascript:", page)
        assert evil not in page


def test_a_version_s_page_tells_which_replies_were_found_false_and_of_whom(merchant, approved):
    made = learned.version(approved, name="pine-7")
    page = _page(merchant, "version", made.pk)
    (section,) = re.findall(r'aria-labelledby="found-false">.*?</section>', page, re.S)
    assert re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", section)[2:] == ["pine-7", learned.FOUND_FALSE]
    assert page.count(learned.FOUND_FALSE) == 1, "a list of replies is no measure"
    made.report = {**learned.REPORT, "candidate": learned.side("pine-7", 0.9)}
    made.save()
    assert "found-false" not in _page(merchant, "version", made.pk)


def test_pages_of_learning_are_in_the_reader_s_language_with_numbers_svg_understands(merchant, approved):
    made = learned.version(approved, gate=learned.REFUSED)
    page = _text(merchant.get(_url("version", made.pk), headers=CHINESE))
    assert "准入检查" in page and "最低允许 -0.100" in page and "内容有重复。" in page
    assert re.search(r'<circle cx="\d+\.\d" cy="8"', page)


def test_a_version_can_be_measured_again(merchant, approved):
    version = learned.version(approved, name="pine-1", run=learned.run(approved, status="done"))
    for _ in range(2):  # who clicks twice asks once
        page = _post(merchant, "evaluate_version", version.pk)
        assert "It is measured against what is live now" in page and "It waits for the trainer." in page
    (run,) = version.measurements.all()
    assert (run.recipe, run.dataset, run.status) == (version.recipe, approved, "queued")
    runless = ModelVersionFactory(shop=approved.shop)
    assert "nothing to test it on" in _post(merchant, "evaluate_version", runless.pk)
    assert TrainingRun.objects.exclude(measures=None).count() == 1


def test_how_far_a_measurement_is_stands_with_the_version_until_it_is_done(merchant, approved):
    version = learned.version(approved, name="pine-1", run=learned.run(approved, status="done"))
    run = runs.claim(runs.ask_to_measure(version, {}).pk)
    runs.tell(run, "writing", {"step": 3, "of": 600})
    page = _page(merchant, "version", version.pk)
    assert "Writing test replies" in page and 'max="600" value="3"' in page and "desk.js" in page
    assert "measures pine-1" in _page(merchant, "learning") and "measures pine-1" in _page(merchant, "run", run.pk)
    runs.finish(run, "OSError: disk full")
    assert "was to measure it and broke off:" in _page(merchant, "version", version.pk)
    assert runs.go_on(run)
    runs.finish(runs.claim(run.pk))
    page = _page(merchant, "version", version.pk)
    assert "to measure it" not in page and "<progress" not in page and "desk.js" not in page


def test_what_changed_in_the_shop_is_told_and_what_to_do_about_it(merchant, shop):
    Alert.objects.create(shop=shop, subject="drift: intents", sentence="What customers ask for has changed.")
    Alert.objects.create(shop=ShopFactory(), subject="drift: prices", sentence="Elsewhere.")
    page = _page(merchant, "learning")
    assert "What customers ask for has changed." in page and "train a new version" in page
    assert "Elsewhere." not in page


def test_a_run_may_learn_from_one_department_and_look_for_settings_first(merchant, shop, approved):
    CategoryFactory(shop=shop, path="clothing", name="Clothing")
    assert "Clothing</option>" in _page(merchant, "learning")
    asked = {"shop": shop.slug, "dataset": approved.pk, "recipe": "sft"}
    _post(merchant, "train", **asked, department="clothing", search_minutes="5")
    assert TrainingRun.objects.get().options == {"department": "clothing", "search_minutes": 5.0}
    _post(merchant, "train", **asked, department="elsewhere")
    assert TrainingRun.objects.count() == 1


def test_every_recipe_offers_what_it_can_be_told_and_refuses_the_rest(merchant, shop, approved):
    page = _page(merchant, "learning")
    assert set(re.findall(r'name="(\w+)"[^>]* id="train-compress-\w+"', page)) >= {"layers", "healing", "department"}
    assert 'id="train-sft-epochs"' in page
    assert "train-sft-layers" not in page and "train-compress-epochs" not in page
    asked = {"shop": shop.slug, "dataset": approved.pk}
    told = _post(merchant, "train", **asked, recipe="compress", layers="2", epochs="5")
    assert "“Smaller and faster (pruning, distillation)” has no such setting: Epochs, at most." in told
    assert "less than or equal to 100" in _post(merchant, "train", **asked, recipe="sft", epochs="101")
    assert "Recipe: Select a valid choice." in _post(merchant, "train", **asked, recipe="magic", layers="2")
    assert not TrainingRun.objects.exists()
    _post(merchant, "train", **asked, recipe="compress", layers="2")
    assert TrainingRun.objects.get().options == {"layers": 2}


def test_a_merchant_decides_which_new_words_claim_nothing(merchant, shop):
    turn = TurnFactory(conversation=ConversationFactory(shop=shop))
    corrections.correct(turn, "I'd merrily take the Canvas jacket, at $49.00.", None)
    assert "“merrily”</span> <small" in _page(merchant, "learning")
    assert "may be said: it claims nothing" in _post(
        merchant, "house_word", shop=shop.slug, word="merrily", action="admit"
    )
    assert "“merrily”</span> claims nothing" in _page(merchant, "learning")
    assert "promises, denies or compares" in _post(merchant, "house_word", shop=shop.slug, word="never", action="admit")
    _post(merchant, "house_word", shop=shop.slug, word="merrily", action="forget")
    assert dict(shop.house_words.values_list("word", "stands_for")) == {}


# --- versions side by side, blind choices, what a run printed -------------------------------------------------------


def test_measured_versions_stand_side_by_side_with_their_intervals(merchant, approved):
    learned.version(approved, name="pine-1")
    learned.version(approved, learned.REFUSED, name="pine-2")
    ModelVersionFactory(shop=approved.shop, name="never-measured", report={}, gate={})
    page = _page(merchant, "side_by_side")
    assert "pine-1" in page and "pine-2" in page and "never-measured" not in page
    assert page.count("<b>+0.3</b>") == 2  # grounded, to what was live
    assert page.count(">not passed<") == 1


def test_a_reviewer_chooses_blindly_and_the_version_s_page_tells_the_outcome(client, approved):
    version = learned.version(approved, name="pine-1")
    client.force_login(
        UserFactory(shops=[approved.shop], shops__role="reviewer"), backend="django.contrib.auth.backends.ModelBackend"
    )
    page = _page(client, "blind_choice", version.pk)
    assert "0 of 1 pairs chosen" in page
    (pair,) = re.findall(r'name="pair" value="(\w+)"', page)
    first = page.index(learned.REPORT["changed"][0]["candidate"]) < page.index(learned.REPORT["changed"][0]["live"])
    page = _post(client, "blind_choice", version.pk, pair=pair, preferred=1 if first else 2)
    assert "You have seen all of them." in page
    assert "preferred this version 1 times, the other 0 times" in _page(client, "version", version.pk)
    assert "0 of 1 pairs chosen" in _post(client, "blind_choice", version.pk, back=1)


@pytest.mark.parametrize(("pair", "preferred"), [("x", 1), ("0" * 32, 7), ("0" * 32, 1)])
def test_a_choice_that_is_none_is_said_and_not_kept(merchant, approved, pair, preferred):
    version = learned.version(approved, name="pine-1")
    assert 'class="notice' in _post(merchant, "blind_choice", version.pk, pair=pair, preferred=preferred)
    assert not version.blind_choices.exists()


def test_the_end_of_what_a_run_printed_is_on_its_page_without_what_drew_over_itself(
    merchant, approved, settings, tmp_path
):
    settings.VAR_DIR = tmp_path
    run = learned.run(approved, status="failed")
    runs.log_of(str(run.pk)).parent.mkdir()
    runs.log_of(str(run.pk)).write_text("early\n" * 3000 + "step 1\rstep 2\rstep 3\n\x1b[31mout of <memory>\x1b[0m\n")
    page = _page(merchant, "run", run.pk)
    assert "step 3 out of &lt;memory&gt;</pre>" in page
    assert "step 2" not in page and page.count("early") < 1500


# --- what may be collected, read and downloaded -----------------------------------------------------------------------


def test_a_snapshot_may_be_of_some_of_the_feedback(merchant, shop):
    old, new = (TurnFactory(conversation=ConversationFactory(shop=shop)) for _ in range(2))
    for turn in (old, new):
        corrections.approve(turn, None)
    Turn.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=900))
    asked = {"since": "2026-01-01", "until": "2040-01-01", "acts": ["recommend", "compare"], "no_votes": "on"}
    _post(merchant, "make_snapshot", shop=shop.slug, **asked)
    made = Dataset.objects.get()
    assert made.filters == {
        "since": "2026-01-01T00:00:00+00:00",
        "until": "2040-01-01T00:00:00+00:00",
        "acts": ["recommend", "compare"],
        "votes": False,
        "languages": ["en"],
    }
    assert set(made.rows.values_list("turn_id", flat=True)) == {new.pk}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"since": "2026-11-02", "until": "2026-11-02"}, "Replies before: Choose a day after the first one."),
        ({"since": "May"}, "Replies since: Enter a valid date."),
        ({"acts": ["sing"]}, "Of these acts alone: Select a valid choice."),
    ],
)
def test_feedback_that_cannot_be_meant_makes_no_snapshot(merchant, shop, sent, said):
    corrections.approve(TurnFactory(conversation=ConversationFactory(shop=shop)), None)
    assert said in _post(merchant, "make_snapshot", shop=shop.slug, **sent)
    assert not Dataset.objects.exists()


def test_a_running_run_shows_how_far_its_stage_is(merchant, approved):
    run = learned.run(approved, status="running", stage="preference")
    page = _page(merchant, "run", run.pk)
    assert '<progress aria-label="Progress" max="80" value="60"></progress>' in page
    assert "60 of 80 steps" in page
    TrainingRun.objects.update(stage="building")
    page = _page(merchant, "run", run.pk)
    assert '<progress aria-label="Progress"></progress>' in page and "of 80 steps" not in page
    TrainingRun.objects.update(status="stopped", stage="preference")
    assert "<progress" not in _page(merchant, "run", run.pk)


def test_a_report_is_downloaded_as_the_command_prints_it(merchant, approved):
    made = learned.version(approved, name="pine-7", gate=learned.REFUSED)
    assert f'href="{_url("version_report", made.pk)}" download' in _page(merchant, "version", made.pk)
    answer = merchant.get(_url("version_report", made.pk))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="version-{made.pk}.json"'
    made.refresh_from_db()
    assert answer.json() == {"version": "pine-7", "gate": learned.REFUSED, **made.report}


def test_a_version_without_a_report_has_none_to_download(merchant, shop):
    made = ModelVersionFactory(shop=shop, report={})
    assert "Report as JSON" not in _page(merchant, "version", made.pk)
    assert merchant.get(_url("version_report", made.pk)).status_code == 404


def test_what_a_shadow_wrote_stands_beside_what_was_sent(merchant, shop, approved):
    made = learned.version(approved, name="pine-7", state="shadow")
    turn = TurnFactory(
        conversation=ConversationFactory(shop=shop), text="something for the rain?", reply="Take a coat."
    )
    learned.shadow_reply(made, turn, text="Here is an umbrella.", error="the generator failed: OSError")
    learned.shadow_reply(learned.version(approved, name="pine-8"), turn, text="Written by another.")
    assert f'href="{_url("shadow", made.pk)}">1 reply written in the shadow</a>' in _page(merchant, "version", made.pk)
    assert f'href="{_url("shadow", made.pk)}">What it would have said</a>' in _page(merchant, "learning")
    page = _page(merchant, "shadow", made.pk)
    for shown in (
        f'{_url("conversation", turn.conversation.key)}?turn=1#turn-1">something for the rain?</a>',
        '<p lang="en">Take a coat.</p><small>Model</small>',
        '<p lang="en">Here is an umbrella.</p><small>Model · 312 ms</small>',
        "the generator failed: OSError",
    ):
        assert shown in page, shown
    assert "Written by another." not in page


def test_fifty_of_a_shadow_s_replies_are_on_a_page_the_newest_first(merchant, shop, approved):
    made, talk = learned.version(approved), ConversationFactory(shop=shop)
    written = [learned.shadow_reply(made, TurnFactory(conversation=talk, number=n)).pk for n in range(1, 53)]
    first = merchant.get(_url("shadow", made.pk))
    assert [row.pk for row in first.context["page"]] == written[:1:-1]
    assert [row.pk for row in merchant.get(_url("shadow", made.pk), {"page": 2}).context["page"]] == [*written[1::-1]]
    assert "Page 1 of 2" in _text(first)


def test_a_page_of_shadow_replies_costs_the_same_queries_however_many_there_are(merchant, shop, approved):
    made, talk = learned.version(approved), ConversationFactory(shop=shop)
    counts = []
    for numbers in (range(1, 2), range(2, 20)):
        for number in numbers:
            learned.shadow_reply(made, TurnFactory(conversation=talk, number=number))
        with CaptureQueriesContext(connection) as captured:
            _page(merchant, "shadow", made.pk)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 12


def test_a_version_that_wrote_nothing_beside_says_how_it_would(merchant, approved):
    made = learned.version(approved)
    assert "Let it write in the shadow" in _page(merchant, "shadow", made.pk)
    assert "written in the shadow" not in _page(merchant, "version", made.pk)


def test_a_report_and_shadow_of_another_shop_do_not_exist(merchant, shop, approved):
    elsewhere = ShopFactory(slug="elsewhere")
    theirs = learned.version(learned.snapshot(elsewhere))
    for name in ("version_report", "shadow"):
        assert merchant.get(_url(name, theirs.pk)).status_code == 404
    own = learned.version(approved)
    turn = TurnFactory(conversation=ConversationFactory(shop=elsewhere), text="of another shop")
    learned.shadow_reply(own, turn)
    assert "of another shop" not in _page(merchant, "shadow", own.pk)
