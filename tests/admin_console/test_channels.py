"""The pages of channels: their health, connecting one, trying it, and messages that failed. Nobody sees another shop's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from structlog.testing import capture_logs

from admin_console import channels as wizard
from admin_console.templatetags.console import linked
from botcore import intake
from botcore.channels import connecting
from botcore.channels.connecting import OFFERED
from botcore.channels.generic.channel import Generic
from botcore.channels.registry import channel_class, webhook_url
from botcore.channels.values import Card, OutboundMessage, ReceivedEvent
from botcore.models import ChannelAccount, ChannelHealth, Contact, Outbound
from botcore.security import seal, unseal
from catalog.models import Variant
from tests.botcore.channels.conftest import SECRET, TOKEN
from tests.botcore.channels.platform import PlatformServer, Told, platform_server
from tests.factories import (
    AccountFactory,
    ContactFactory,
    ConversationFactory,
    ProductFactory,
    ShopFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wakes")]

TAKEN = Told(200, {"ok": True, "result": {"message_id": 81, "username": "pine_bot"}})
REFUSED = Told(401, {"ok": False, "description": "Unauthorized"})


@pytest.fixture
def bot_api() -> Iterator[PlatformServer]:
    with platform_server(TAKEN) as server:
        yield server


@pytest.fixture
def telegram(shop) -> ChannelAccount:
    return AccountFactory(shop=shop, channel="telegram", sealed_config=seal({"token": TOKEN, "secret": SECRET}))


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def connect(client: Client, server: PlatformServer, **settings: str):
    data = {"token": TOKEN, "api_base_url": server.address, **settings}
    posted = {name if name == "unchecked" else f"setting-{name}": value for name, value in data.items()}
    return client.post(reverse("console:connect_channel", args=["telegram"]) + "?shop=pine", posted)


# --- the wizard


def test_a_bot_is_connected_step_by_step(staff, shop, bot_api):
    chosen = text_of(staff.get(reverse("console:choose_channel"), {"shop": "pine"}))
    assert "/console/channels/new/telegram/?shop=pine" in chosen
    assert "terminal" not in chosen.lower()
    asked = text_of(staff.get(reverse("console:connect_channel", args=["telegram"]), {"shop": "pine"}))
    assert "Write to @BotFather in Telegram" in asked
    assert 'type="password"' in asked

    with capture_logs() as logs:
        shown = text_of(connect(staff, bot_api))
    account = ChannelAccount.objects.get()
    assert (account.shop, account.channel, unseal(account.sealed_config)["token"]) == (shop, "telegram", TOKEN)
    assert [call.path.rpartition("/")[2] for call in bot_api.calls] == ["getMe", "setWebhook"]
    assert bot_api.calls[-1].json["url"] == webhook_url(account)
    assert webhook_url(account) in shown
    assert "Telegram knows this address and its secret" in shown
    assert TOKEN not in shown
    assert "channel connected" in [entry["event"] for entry in logs]
    assert TOKEN not in str(logs)
    assert unseal(account.sealed_config)["secret"] not in str(logs)


def test_credentials_that_the_platform_refuses_are_stored_only_if_that_is_asked_for(staff, shop, bot_api):
    bot_api.success = REFUSED
    shown = text_of(connect(staff, bot_api))
    assert "Telegram does not accept this: getMe: 401 Unauthorized" in shown
    assert "Store it all the same" in shown
    assert TOKEN not in shown
    assert not ChannelAccount.objects.exists()
    connect(staff, bot_api, unchecked="1")
    assert ChannelAccount.objects.exists()


def test_a_platform_that_does_not_answer_is_left_after_a_while(staff, shop, bot_api, monkeypatch):
    monkeypatch.setattr(connecting, "SECONDS", 0.3)
    bot_api.success = Told(trouble="silence")
    before = timezone.now()
    assert "did not answer within" in text_of(connect(staff, bot_api))
    assert timezone.now() - before < timedelta(seconds=1.4)
    assert not ChannelAccount.objects.exists()


@pytest.mark.parametrize(
    ("settings", "field", "complaint"),
    [
        ({"token": "rubbish"}, "token", "This does not look right"),
        ({"token": ""}, "token", "This field is required"),
        ({"secret": "no spaces please"}, "secret", "This does not look right"),
        ({"api_base_url": "http://"}, "api_base_url", "This does not look right"),
        ({"api_base_url": "http://:80"}, "api_base_url", "is not an address"),
        ({"streaming": "perhaps"}, "streaming", "Select a valid choice"),
    ],
)
def test_a_mistake_is_said_at_its_field_and_nothing_is_asked_or_stored(
    staff, shop, bot_api, settings, field, complaint
):
    response = connect(staff, bot_api, **settings)
    assert complaint in " ".join(response.context["form"].errors[field])
    assert bot_api.calls == []
    assert not ChannelAccount.objects.exists()


def test_a_merchant_does_not_say_where_this_server_is_to_call(merchant, shop, bot_api, monkeypatch):
    monkeypatch.setattr("botcore.channels.telegram.API", bot_api.address)
    shown = text_of(merchant.get(reverse("console:connect_channel", args=["telegram"])))
    assert "api_base_url" not in shown
    with platform_server(TAKEN) as inside:
        connect(merchant, inside)
        assert inside.calls == []
    assert unseal(ChannelAccount.objects.get().sealed_config)["api_base_url"] == bot_api.address


@pytest.mark.django_db(transaction=True)
def test_the_web_chat_says_its_page_and_its_script_whenever_it_is_looked_at(merchant, shop, settings):
    shown = text_of(merchant.post(reverse("console:connect_channel", args=["webchat"]), {"setting-origin": ""}))
    account = ChannelAccount.objects.get()
    for page in (shown, text_of(merchant.get(reverse("console:account", args=[account.pk])))):
        assert f"{settings.PUBLIC_URL}/chat/pine/</code>" in page
        assert "&lt;script src=" in page
        assert "Webhook address" not in page


@pytest.mark.parametrize("channel", connecting.OFFERED)
def test_every_channel_has_a_form_with_its_steps_and_hides_what_is_secret(staff, shop, channel):
    page = staff.get(reverse("console:connect_channel", args=[channel]), {"shop": "pine"})
    platform, form = channel_class(channel), page.context["form"]
    assert list(form.fields) == [field.name for field in platform.fields]
    for field in platform.fields:
        assert (form[field.name].field.widget.input_type == "password") == field.secret
        assert form[field.name].label
    assert len(page.context["steps"]) == len(platform.steps) > 0
    assert "{webhook}" not in text_of(page)


@pytest.mark.parametrize("channel", connecting.OFFERED)
def test_what_decides_whom_this_server_calls_or_trusts_is_not_asked_of_merchants(merchant, channel):
    asked = merchant.get(reverse("console:connect_channel", args=[channel])).context["form"].fields
    assert not set(asked) & {"api_base_url", "openid_url", "allow_private"}


@pytest.mark.parametrize("channel", ["terminal", "pigeon"])
def test_what_is_no_platform_is_not_offered(merchant, shop, channel):
    assert merchant.get(reverse("console:connect_channel", args=[channel])).status_code == 404


# --- connecting again


def test_what_is_left_empty_stays_and_nothing_secret_is_shown(merchant, telegram, bot_api):
    telegram.sealed_config = seal(
        {"token": TOKEN, "secret": SECRET, "streaming": "yes", "api_base_url": bot_api.address}
    )
    telegram.save()
    address = reverse("console:account", args=[telegram.pk])
    shown = text_of(merchant.get(address))
    assert TOKEN not in shown and SECRET not in shown
    assert "Leave it empty to keep what is stored." in shown
    merchant.post(address, {"setting-token": "", "setting-secret": "", "setting-streaming": "no"})
    telegram.refresh_from_db()
    assert unseal(telegram.sealed_config) == {
        "token": TOKEN, "secret": SECRET, "streaming": "no", "api_base_url": bot_api.address,
    }  # fmt: skip


def test_another_bot_s_token_is_no_renewal(staff, telegram, bot_api):
    given = {"setting-token": "999:another-bot", "setting-api_base_url": bot_api.address}
    assert "connect it as a new channel" in text_of(staff.post(reverse("console:account", args=[telegram.pk]), given))
    telegram.refresh_from_db()
    assert unseal(telegram.sealed_config)["token"] == TOKEN


def test_secrets_that_cannot_be_opened_are_said_and_given_anew(staff, telegram, bot_api):
    ChannelAccount.objects.update(sealed_config="sealed with another key")
    address = reverse("console:account", args=[telegram.pk])
    assert "secrets cannot be opened" in text_of(staff.get(address))
    staff.post(address, {"setting-token": TOKEN, "setting-api_base_url": bot_api.address})
    telegram.refresh_from_db()
    assert unseal(telegram.sealed_config)["token"] == TOKEN


# --- trying it


def test_the_page_shows_the_first_message_and_writes_back_to_whoever_sent_it(merchant, telegram):
    address = reverse("console:account", args=[telegram.pk])
    assert "Nothing has arrived yet." in text_of(merchant.get(address))
    intake.accept(telegram, [ReceivedEvent("1", "text", "4711", "testing", "Ada Byron", "en")])
    shown = text_of(merchant.get(address))
    assert "testing" in shown
    assert "Ada Byron" in shown and "Send them a test message" in shown

    merchant.post(reverse("console:test_account", args=[telegram.pk]), {"contact": Contact.objects.get().pk})
    message = Outbound.objects.get()
    assert message.content["text"] == "A test message from Pine: this channel works."
    assert (message.turn, message.conversation.contact.name) == (None, "Ada Byron")


def test_who_wrote_long_ago_is_not_disturbed(merchant, telegram):
    contact = ContactFactory(account=telegram, heard_at=timezone.now() - timedelta(hours=1))
    assert "Send them a test message" not in text_of(merchant.get(reverse("console:account", args=[telegram.pk])))
    merchant.post(reverse("console:test_account", args=[telegram.pk]), {"contact": contact.pk})
    assert not Outbound.objects.exists()


# --- health


def test_an_account_that_is_out_of_order_says_why_and_until_when(merchant, telegram):
    until = timezone.now() + timedelta(minutes=2)
    ChannelHealth.objects.create(account=telegram, failures=7, open_until=until, last_error="sendMessage: 401")
    ContactFactory(account=telegram, heard_at=timezone.now() - timedelta(minutes=3))
    shown = text_of(merchant.get(reverse("console:channels")))
    for said in (
        "out of order",
        "7 failures in a row",
        f"{until:%H:%M:%S} UTC",
        "sendMessage: 401",
        "3\xa0minutes ago",
    ):
        assert said.replace("\xa0", " ") in shown.replace("\xa0", " ")


def test_a_channel_is_switched_off_and_on(merchant, telegram):
    switch = reverse("console:switch_account", args=[telegram.pk])
    with capture_logs() as logs:
        assert merchant.post(switch, {"active": "off"}).status_code == 302
    telegram.refresh_from_db()
    assert not telegram.active
    assert logs[0]["event"] == "channel switched off"
    merchant.post(switch, {"active": "on"})
    telegram.refresh_from_db()
    assert telegram.active
    assert merchant.get(switch).status_code == 405


# --- dead letters


def dead(conversation, text: str = "Here it is.", **fields) -> Outbound:
    content = OutboundMessage(text, cards=fields.pop("cards", ())).to_json()
    return Outbound.objects.create(
        conversation=conversation, content=content, status="failed", error="sendMessage: 403 blocked", **fields
    )


def telling(product, in_stock: bool = True) -> dict:
    """The facts of a message that names a product."""
    variant = product.variants.get()
    return {"told": [[variant.pk, str(variant.price), in_stock]]}


@pytest.fixture
def talk(telegram):
    return ConversationFactory(shop=telegram.shop, contact=ContactFactory(account=telegram, name="Ada"))


def test_failed_messages_are_listed_counted_and_sent_again(merchant, talk, wakes):
    one, other = dead(talk), dead(talk, "And another.")
    shown = text_of(merchant.get(reverse("console:failed")))
    for said in ("Ada", "Telegram", "Here it is.", "sendMessage: 403 blocked", '<span class="count bad"'):
        assert said in shown
    merchant.post(reverse("console:resend", args=[one.pk]))
    one.refresh_from_db()
    assert (one.status, wakes) == ("pending", [("deliver", one.pk)])
    merchant.post(reverse("console:resend_all"))
    other.refresh_from_db()
    assert other.status == "pending"
    assert "Nothing has failed" in text_of(merchant.get(reverse("console:failed")))


def test_a_failed_message_with_yesterday_s_price_is_not_sent_again(merchant, talk):
    product = ProductFactory(shop=talk.shop, sku="P1")
    message = dead(talk, cards=(Card("P1", "Canvas jacket", "$49"),), facts=telling(product))
    Variant.objects.filter(product=product).update(price=Decimal("59.00"))
    page = merchant.post(reverse("console:resend", args=[message.pk]), follow=True)
    assert "no longer so" in text_of(page)
    message.refresh_from_db()
    assert message.status == "failed"
    Variant.objects.filter(product=product).update(price=Decimal("49.00"))
    merchant.post(reverse("console:resend", args=[message.pk]))
    message.refresh_from_db()
    assert message.status == "pending"


def test_a_failed_message_that_shows_what_is_sold_out_since_is_not_sent_again(merchant, talk):
    product = ProductFactory(shop=talk.shop, sku="P1", variant__stock=0)
    message = dead(talk, cards=(Card("P1", "Canvas jacket", "$49"),), facts=telling(product))
    merchant.post(reverse("console:resend", args=[message.pk]))
    message.refresh_from_db()
    assert message.status == "failed"
    turn = TurnFactory(conversation=talk)
    sold_out = Card("P1", "Canvas jacket", "$49", "sold out")
    told = dead(talk, turn=turn, cards=(sold_out,), facts=telling(product, in_stock=False))
    merchant.post(reverse("console:resend", args=[told.pk]))
    told.refresh_from_db()
    assert told.status == "pending"
    assert product.variants.get().stock == 0


def test_a_failed_reply_whose_words_name_another_price_is_not_sent_again(merchant, talk):
    product = ProductFactory(shop=talk.shop, sku="P1")
    turn = TurnFactory(conversation=talk)
    message = dead(talk, turn.reply, turn=turn, facts=telling(product))
    Variant.objects.filter(product=product).update(price=Decimal("59.00"))
    merchant.post(reverse("console:resend_all"))
    message.refresh_from_db()
    assert message.status == "failed"


def test_a_failed_reply_of_which_nobody_knows_what_it_states_is_not_sent_again(merchant, talk):
    message = dead(talk, turn=TurnFactory(conversation=talk))
    merchant.post(reverse("console:resend_all"))
    message.refresh_from_db()
    assert message.status == "failed"


# --- whose it is


def test_another_shop_s_channels_and_messages_do_not_exist_for_a_merchant(merchant, shop, bot_api):
    theirs = AccountFactory(
        shop=ShopFactory(slug="oak", name="Oak"), channel="telegram", sealed_config=seal({"token": TOKEN})
    )
    contact = ContactFactory(account=theirs, heard_at=timezone.now())
    lost = dead(ConversationFactory(shop=theirs.shop, contact=contact))
    assert merchant.get(reverse("console:account", args=[theirs.pk])).status_code == 404
    for name in ("account", "switch_account", "test_account"):
        posted = {"contact": contact.pk, "active": "off", "setting-token": TOKEN}
        assert merchant.post(reverse(f"console:{name}", args=[theirs.pk]), posted).status_code == 404
    assert merchant.post(reverse("console:resend", args=[lost.pk])).status_code == 404
    merchant.post(reverse("console:resend_all"))
    assert merchant.get(reverse("console:choose_channel"), {"shop": "oak"}).status_code == 404
    foreign = reverse("console:connect_channel", args=["telegram"]) + "?shop=oak"
    assert merchant.get(foreign).status_code == merchant.post(foreign, {"setting-token": TOKEN}).status_code == 404
    shown = text_of(merchant.get(reverse("console:channels"))) + text_of(merchant.get(reverse("console:failed")))
    assert "Oak" not in shown and 'class="count' not in shown
    lost.refresh_from_db()
    theirs.refresh_from_db()
    assert (lost.status, theirs.active, Outbound.objects.count(), bot_api.calls) == ("failed", True, 1, [])


def test_staff_see_the_channels_of_every_shop(staff, telegram):
    AccountFactory(shop=ShopFactory(name="Oak"), channel="webchat")
    shown = text_of(staff.get(reverse("console:channels")))
    assert "Pine" in shown and "Oak" in shown


def test_a_form_of_another_site_connects_nothing(shop):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(UserFactory(is_staff=True), backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("console:connect_channel", args=["telegram"]) + "?shop=pine"
    assert browser.post(address, {"setting-token": TOKEN}).status_code == 403
    assert not ChannelAccount.objects.exists()


def test_a_channel_that_is_no_more_breaks_no_page(merchant, shop):
    AccountFactory(shop=shop, channel="pigeon")
    TurnFactory(conversation__shop=shop, conversation__contact__account__channel="pigeon")
    assert merchant.get(reverse("console:channels")).status_code == 200
    assert "pigeon" in text_of(merchant.get(reverse("console:home")))


SAME_IN_BOTH = {
    "Microsoft App ID", "Bot User OAuth Token", "Channel ID", "Channel secret", "Channel access token", "AppID", "AppSecret",
    "EncodingAESKey", "App ID", "App Secret", "Encrypt Key", "Verification Token", "AppKey (Client ID)",
    "AppSecret (Client Secret)",
}  # fmt: skip
"""What the platforms' own pages call it in Chinese as well."""


@pytest.mark.parametrize("name", OFFERED)
def test_what_a_channel_says_in_the_wizard_is_said_in_chinese(name):
    with translation.override("zh-hans"):
        english = {text for text in wizard.texts_of(channel_class(name)) if wizard.said(text) == text}
    assert english <= SAME_IN_BOTH


def test_the_steps_lead_to_the_platforms_pages_and_our_address_is_there_to_be_copied(merchant, shop, settings):
    page = merchant.get(reverse("console:connect_channel", args=["feishu"])).content.decode()
    assert '<a href="https://open.feishu.cn/app" target="_blank" rel="noopener">https://open.feishu.cn/app</a>' in page
    told = linked(f"Paste {settings.PUBLIC_URL}/webhooks/x at https://a.example/b?c=1&d=2 <now>")
    assert told == (
        f"Paste {settings.PUBLIC_URL}/webhooks/x at "
        '<a href="https://a.example/b?c=1&amp;d=2" target="_blank" rel="noopener">https://a.example/b?c=1&amp;d=2</a> &lt;now&gt;'
    )


def test_what_may_be_left_out_says_so(merchant, shop):
    page = merchant.get(reverse("console:connect_channel", args=["whatsapp"])).content.decode()
    assert "Template that asks a customer back (optional)" in page
    assert "Access token (optional)" not in page


def test_what_is_left_to_do_is_said_in_chinese():
    told = Generic(Generic.prepare_config({"reply_url": "https://app.example/"}), "key").connect(
        "https://shop.example/x"
    )
    with translation.override("zh-hans"):
        named = [line.name for line in wizard.lines(told)]
    assert named == ["Webhook 地址", "用它给您发来的请求签名", "用它核对我们的回复", "接口说明"]


def test_a_mistake_does_not_repeat_the_name_of_its_field():
    form = wizard.ConnectForm(Generic, staff=False, data={"setting-reply_url": "http://10.0.0.1/x"})
    assert form.errors["reply_url"] == ['"http://10.0.0.1/x" must begin with https:// (http:// for localhost alone)']


def test_what_nobody_has_translated_stays_english():
    with translation.override("zh-hans"):
        assert wizard.said("A hint of a channel made yesterday") == "A hint of a channel made yesterday"
        assert [line.text for line in wizard.lines(["webhook: https://a.example/", "ready at once"])] == [
            "https://a.example/",
            "ready at once",
        ]
