"""What the console calls the words that are stored: translated names of acts, channels, verdicts and stages.

A word without a name here is shown as it is stored, so nothing new in the dialogue can break a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from botcore.channels import condition
from botcore.channels.registry import channel_class
from botcore.dialogue.evidence import Kind
from botcore.dialogue.state import Act
from botcore.learning.review.value import Reason
from botcore.models import (
    AlertNotice,
    AlertRule,
    Annotation,
    DatasetRow,
    Feedback,
    ModelVersion,
    Outbound,
    ReviewDecision,
    TextStream,
    TrainingRun,
    Turn,
)
from botcore.monitoring.metrics import Group, Unit
from catalog import bulk, journal
from catalog.ingest import preview
from catalog.models import ChangeSet, Feed, Interaction, MerchandisingRule, ProductLink

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Label: TypeAlias = "str | StrPromise"

ACTS: dict[str, Label] = {
    Act.ASK: _("Asks"),
    Act.RECOMMEND: _("Recommends"),
    Act.ANSWER: _("Answers"),
    Act.COMPARE: _("Compares"),
    Act.EXPLAIN: _("Explains"),
    Act.CHITCHAT: _("Small talk"),
    Act.HANDOFF: _("Hands over"),
    Act.CLARIFY: _("Clarifies"),
    Act.DECLINE: _("Declines"),
}
WRITTEN_BY: dict[str, Label] = {
    Turn.WrittenBy.MODEL: _("Model"),
    Turn.WrittenBy.TEMPLATE: _("Template"),
    Turn.WrittenBy.ARTICLE: _("Article"),
}
FEEDBACK: dict[str, Label] = {
    Feedback.Kind.UP: _("Thumbs up"),
    Feedback.Kind.DOWN: _("Thumbs down"),
    Feedback.Kind.NOT_MEANT: _("Not what I meant"),
}
FEEDBACK_SOURCES: dict[str, Label] = {
    Feedback.Source.BUTTON: _("by button"),
    Feedback.Source.REACTION: _("by reaction"),
    Feedback.Source.WORDS: _("in words"),
}
CHANNELS: dict[str, Label] = {"webchat": _("Web chat"), "telegram": _("Telegram"), "terminal": _("Terminal")}
INTERACTIONS: dict[str, Label] = {
    Interaction.Kind.VIEW: _("looked at"),
    Interaction.Kind.CART: _("put into the cart"),
    Interaction.Kind.ORDER: _("ordered"),
    Interaction.Kind.REVIEW: _("reviewed"),
}
DELIVERY: dict[str, Label] = {
    Outbound.Status.PENDING: _("under way"),
    Outbound.Status.HELD: _("kept until the customer writes"),
    Outbound.Status.SENT: _("sent"),
    Outbound.Status.FAILED: _("failed"),
}
NOT_SENT: dict[str, Label] = {
    "NotHeldError": _("The bot answers this conversation. Take it over first; nothing was sent."),
    "AnsweredMeanwhileError": _("Something was said since you looked. Read it, then send again; nothing was sent."),
    "FactsChangedError": _(
        "Prices, stock or texts have changed since this was suggested: it may not be true any more. Nothing was sent."
    ),
}
ACCOUNT_STATES: dict[str, Label] = {
    condition.OK: _("works"),
    condition.NEW: _("connected"),
    condition.TROUBLED: _("last messages failed"),
    condition.PAUSED: _("paused by the platform"),
    condition.FAILING: _("out of order"),
    condition.UNREADABLE: _("secrets cannot be opened"),
    condition.OFF: _("off"),
}
LINKS: dict[str, Label] = {
    ProductLink.Kind.GOES_WITH: _("Goes with"),
    ProductLink.Kind.ACCESSORY_OF: _("Accessory of"),
    ProductLink.Kind.SUBSTITUTE_FOR: _("Substitute for"),
    ProductLink.Kind.SAME_SERIES: _("Same series"),
    ProductLink.Origin.VETO: _("Never together"),
    "belongs": _("Its accessory"),
}
LINK_ORIGINS: dict[str, Label] = {
    ProductLink.Origin.CO_PURCHASE: _("bought together"),
    ProductLink.Origin.CO_VIEW: _("looked at together"),
    ProductLink.Origin.CATALOGUE: _("from titles and attributes"),
    ProductLink.Origin.MERCHANT: _("added by the shop"),
    ProductLink.Origin.VETO: _("vetoed by the shop"),
}
RULES: dict[str, Label] = {
    MerchandisingRule.Kind.PIN: _("Pin to a place"),
    MerchandisingRule.Kind.BOOST: _("Boost"),
    MerchandisingRule.Kind.BURY: _("Bury"),
    MerchandisingRule.Kind.NEVER_TOGETHER: _("Never two on one slate"),
    MerchandisingRule.Kind.GOES_WITH: _("Goes with companions"),
}
STATE: dict[str, Label] = {
    "goal": _("Looking for"),
    "topic": _("Topic"),
    "constraints": _("Wishes"),
    "price": _("Price"),
    "shown": _("Shown"),
    "focus": _("In focus"),
    "liked": _("Liked"),
    "rejected": _("Rejected"),
    "open_question": _("Open question"),
    "asked": _("Already asked"),
    "last_article": _("Last article"),
    "language": _("Language"),
    "satisfaction": _("Satisfaction"),
    "failures": _("Failures in a row"),
    "returned": _("Handed back by a person"),
}
SOURCES: dict[str, Label] = {
    Kind.ARTICLE: _("Article"),
    Kind.ATTRIBUTE: _("Product data"),
    Kind.STOCK: _("Stock"),
    Kind.DESCRIPTION: _("Product description"),
    Kind.REVIEW: _("Customer reviews"),
}
VERDICTS: dict[str, Label] = {
    Annotation.Verdict.APPROVED: _("Replies approved"),
    Annotation.Verdict.CORRECTED: _("Replies corrected"),
    Annotation.Verdict.REJECTED: _("Replies rejected"),
}
DECISIONS: dict[str, Label] = {
    ReviewDecision.Kind.APPROVED: _("approved"),
    ReviewDecision.Kind.CORRECTED: _("corrected"),
    ReviewDecision.Kind.REJECTED: _("rejected"),
    ReviewDecision.Kind.TRAINING: _("use for training switched"),
}
REASONS: dict[str, Label] = {
    Reason.NOT_ASKED: _("Not what was asked"),
    Reason.IGNORES_WISH: _("Ignores a wish"),
    Reason.WRONG_PRODUCT: _("Wrong product"),
    Reason.FALSE_CLAIM: _("Says something false"),
    Reason.INCOMPLETE: _("Leaves something out"),
    Reason.UNCLEAR: _("Hard to understand"),
    Reason.TONE: _("Wrong tone"),
    Reason.TOO_LONG: _("Too long"),
    Reason.NEEDS_PERSON: _("Needs a person"),
}
SIGNALS: dict[str, Label] = {
    "down": _("Thumbs down"),
    "not_meant": _("Not what I meant"),
    "unsure": _("Model not sure"),
    "new_topic": _("New topic"),
}
"""Why a reply comes early in the review queue."""
STANDINGS: dict[str, Label] = {"done": _("Decided"), "disagreed": _("Two readers disagree")}
USES: dict[str, Label] = {
    DatasetRow.Use.SFT: _("To be written"),
    DatasetRow.Use.PREFERENCE: _("Better and worse"),
    DatasetRow.Use.VOTE: _("Customers' thumbs"),
}
PARTS: dict[str, Label] = {
    DatasetRow.Part.TRAIN: _("training"),
    DatasetRow.Part.VALIDATION: _("validation"),
    DatasetRow.Part.TEST: _("test"),
}
LEFT_OUT: dict[str, Label] = {
    "rejected": _("rejected, with no other reply given"),
    "not the model's words": _("not the model's words"),
    "says what may not be sent": _("says what may not be sent"),
    "empty": _("empty"),
    "too long": _("too long"),
    "too short": _("too short"),
    "other language": _("other language"),
    "spam": _("spam"),
    "near-duplicate": _("nearly the same as another"),
    "vote repeated": _("thumbs given again"),
    "vote against a merchant's word": _("thumbs against a merchant's word"),
    "vote above one customer's share": _("thumbs above one customer's share"),
}
SENTIMENTS: dict[str, Label] = {
    "positive": _("positive"),
    "neutral": _("neutral"),
    "negative": _("negative"),
}
STREAM_KINDS: dict[str, Label] = {
    TextStream.Kind.MESSAGES: _("what customers write in chats"),
    TextStream.Kind.REVIEWS: _("reviews of products"),
    TextStream.Kind.FEED: _("texts from elsewhere"),
}
LINEAGE: dict[str, Label] = {"annotation": _("a merchant's word"), "feedback": _("a customer's thumb")}
RECIPES: dict[str, Label] = {
    TrainingRun.Recipe.SFT: _("Wording (SFT)"),
    TrainingRun.Recipe.PREFERENCE: _("Wording, then preferences (SFT, DPO, KTO)"),
    TrainingRun.Recipe.ADVERSARIAL: _("Wording, then against a discriminator (SFT, GRPO)"),
    TrainingRun.Recipe.COMPRESS: _("Smaller and faster (pruning, distillation)"),
}
OPTIONS: dict[str, Label] = {
    "department": _("Department"),
    "replay": _("Share of the base set"),
    "search_minutes": _("Look for good settings, minutes"),
    "epochs": _("Epochs, at most"),
    "lr": _("Learning rate"),
    "preference_epochs": _("Epochs of the preferences"),
    "preference_lr": _("Learning rate of the preferences"),
    "adversarial_steps": _("Steps against the discriminator"),
    "layers": _("Layers to leave out"),
    "healing": _("Replies of the base set that heal"),
    "briefs": _("Briefs in the evaluation"),
    "seed": _("Seed"),
}
RUN_STATES: dict[str, Label] = {
    TrainingRun.Status.QUEUED: _("waits"),
    TrainingRun.Status.RUNNING: _("runs"),
    TrainingRun.Status.DONE: _("done"),
    TrainingRun.Status.FAILED: _("broke off"),
    TrainingRun.Status.STOPPED: _("stopped"),
}
STAGES: dict[str, Label] = {
    "data": _("Gathering the data"),
    "search": _("Looking for the best settings"),
    "sft": _("Learning the wording"),
    "preference": _("Learning preferences"),
    "adversarial": _("Learning to write as people do"),
    "compress": _("Making the model smaller"),
    "building": _("Building the model"),
    "writing": _("Writing test replies"),
    "judging": _("Judging them"),
    "reading": _("Reading held-out replies"),
}
CURVES: dict[str, Label] = {
    "loss": _("Loss"),
    "validation": _("Loss on validation data"),
    "rewards/accuracies": _("Pairs told apart rightly"),
    "rewards/margins": _("Lead of the better reply"),
    "reward": _("Reward"),
    "discriminator": _("Told apart from people's replies"),
    "rewards/naturalness/mean": _("Taken for a person's, log odds"),
    "rewards/refused/mean": _("Fine for refused replies"),
    "imitation": _("Loss on people's replies"),
    "kl": _("Distance from the start"),
    "entropy": _("Entropy"),
    "grad_norm": _("Norm of the gradient"),
    "learning_rate": _("Learning rate"),
}
VERSION_STATES: dict[str, Label] = {
    ModelVersion.State.CANDIDATE: _("candidate"),
    ModelVersion.State.SHADOW: _("shadow"),
    ModelVersion.State.CANARY: _("canary"),
    ModelVersion.State.LIVE: _("live"),
    ModelVersion.State.RETIRED: _("retired"),
}
STEPS: dict[str, Label] = {
    ModelVersion.State.CANDIDATE: _("Make a candidate again"),
    ModelVersion.State.SHADOW: _("Let write in the shadow"),
    ModelVersion.State.CANARY: _("Let answer a share"),
    ModelVersion.State.LIVE: _("Make live"),
    ModelVersion.State.RETIRED: _("Retire"),
}
"""What a button says that brings a version into the state."""
MEASURES: dict[str, Label] = {
    "accepted": _("Replies the model wrote itself"),
    "accepted_samples": _("Texts that may be sent"),
    "unsupported_before": _("Unfounded claims in what it wrote"),
    "unsupported_after": _("Unfounded claims in what was sent"),
    "audited_before": _("False by the second audit, written"),
    "audited_after": _("False by the second audit, sent"),
    "wishes": _("Says nothing against a wish"),
    "wishes_named": _("Names a wish of the customer"),
    "distinct_2": _("Different word pairs"),
    "mean_length": _("Words of a reply"),
    "seconds_per_reply": _("Seconds for a reply"),
    "briefs": _("Test cases"),
    "samples": _("Texts written"),
    "replies": _("Merchants' replies"),
    "pairs": _("Pairs of replies"),
    "grounded": _("Says nothing unfounded"),
    "naturalness": _("Taken for a person's words"),
    "likelihood": _("Likelihood of what merchants wrote"),
    "preference": _("Prefers what merchants prefer"),
    "speed": _("Speed, the live version’s being 1"),
    "refused_for": _("Refused because"),
    "accepted_by_act": _("Written by the model, by act"),
    "nothing false is sent": _("Nothing false is sent"),
    "answer time": _("Answer time"),
    "better at something": _("Better at something"),
}
"""What is measured of a version, and the gate's lines."""
ALERT_RULE_STATES: dict[str, Label] = {
    AlertRule.State.OK: _("all is well"),
    AlertRule.State.PENDING: _("met, waits"),
    AlertRule.State.FIRING: _("fires"),
}
ALERT_ROUTES: dict[str, Label] = {
    AlertNotice.Route.MAIL: _("Mail"),
    AlertNotice.Route.WEBHOOK: _("Webhook"),
    AlertNotice.Route.CHAT: _("Chat"),
}
ALERT_KINDS: dict[str, Label] = {
    AlertRule.Kind.THRESHOLD: _("A limit"),
    AlertRule.Kind.ANOMALY: _("Unusual for this hour"),
}
ALERT_DIRECTIONS: dict[str, Label] = {
    AlertRule.Direction.ABOVE: _("too high"),
    AlertRule.Direction.BELOW: _("too low"),
}
ALERT_RULE_FIELDS: dict[str, tuple[Label, Label]] = {
    "name": (_("Name"), ""),
    "metric": (_("Metric"), ""),
    "channel": (_("Channel"), ""),
    "version": (_("Version"), _("all where empty; “shipped” is the model that ships")),
    "kind": (_("Told when it is"), _("unusual needs a week of the shop's own past")),
    "direction": (_("Way"), ""),
    "threshold": (_("Limit"), _("in the metric's unit; for unusual how many usual spreads away, 4 is a good start")),
    "window_minutes": (_("Window, minutes"), _("shares and times need ten replies in it")),
    "hold_minutes": (_("For at least, minutes"), _("0 tells at once")),
    "mail_to": (_("Mail to"), _("addresses with commas between")),
    "webhook_url": (_("Webhook"), _("https address; signed by Standard Webhooks")),
}
"""Titles and hints of a rule's form."""
SILENCES: dict[int, Label] = {1: _("1 hour"), 8: _("8 hours"), 24: _("1 day"), 168: _("1 week")}
"""By hours."""
PERIODS: dict[str, Label] = {
    "1h": _("Last hour"),
    "24h": _("Last 24 hours"),
    "7d": _("Last 7 days"),
    "30d": _("Last 30 days"),
    "90d": _("Last 90 days"),
}
UNITS: dict[str, Label] = {Unit.SHARE: "%", Unit.MILLISECONDS: "ms", Unit.SECONDS: "s"}
METRIC_GROUPS: dict[str, Label] = {
    Group.TRAFFIC: _("Traffic"),
    Group.SPEED: _("Speed"),
    Group.QUALITY: _("Quality"),
    Group.SALES: _("Sales"),
}

ORDERS: dict[str, Label] = {
    "changed": _("Changed last"),
    "title": _("Title"),
    "popular": _("Most popular"),
    "cheapest": _("Lowest price"),
    "dearest": _("Highest price"),
    "stock": _("Least stock"),
}
BULK: dict[str, Label] = {
    bulk.HIDE: _("Hide"),
    bulk.SHOW: _("Make visible"),
    bulk.STOCK: _("Set the stock"),
    bulk.PRICE: _("Raise or lower prices"),
    bulk.CATEGORY: _("Move to a category"),
    bulk.ADD: _("Add a value"),
    bulk.REMOVE: _("Take a value away"),
    bulk.RENAME: _("Rename a value"),
    bulk.NAME: _("Name a value"),
}
ROUNDINGS: dict[str, Label] = {
    bulk.CENT: _("to the cent"),
    bulk.NINETY_NINE: _("to .99"),
    bulk.WHOLE: _("to the whole unit"),
}
FIELDS: dict[str, Label] = {
    "sku": _("SKU"),
    "variant_sku": _("SKU of the variant"),
    "group": _("product of a variant"),
    "title": _("title"),
    "description": _("description"),
    "price": _("price"),
    "stock": _("stock"),
    "category": _("category"),
    "brand": _("brand"),
    "image": _("picture"),
    "url": _("link"),
    "rating": _("stars"),
    "rating_count": _("number of ratings"),
    "attributes": _("attributes"),
    "translations": _("translations"),
    "variants": _("prices, stock or variants"),
    "active": _("visible"),
    "category_id": _("category"),
}
DEFAULTS: dict[str, Label] = {
    "price": _("Price of rows without one"),
    "stock": _("Stock of rows without one"),
    "category": _("Category of rows without one"),
}
MEANINGS: dict[str, Label] = {
    preview.FIELD: _("field"),
    preview.ATTRIBUTE: _("attribute"),
    preview.TRANSLATION: _("translation"),
    preview.NAMES: _("names of values"),
    preview.IGNORED: _("left out"),
}
FATES: dict[str, Label] = {preview.NEW: _("new"), preview.CHANGED: _("changes"), preview.SAME: _("stays")}
CHANGE_KINDS: dict[str, Label] = {
    ChangeSet.Kind.FILE: _("Import"),
    ChangeSet.Kind.FEED: _("Feed"),
    ChangeSet.Kind.BULK: _("Bulk edit"),
}
CHANGE_STATES: dict[str, Label] = {
    "check waits": _("waits to be checked"),
    "check runs": _("is checked"),
    "check done": _("not imported yet"),
    "check failed": _("cannot be read"),
    "write waits": _("waits"),
    "write runs": _("runs"),
    "write done": _("done"),
    "write failed": _("broke off"),
    "undo waits": _("waits to be undone"),
    "undo runs": _("is undone"),
    "undo done": _("undone"),
    "undo failed": _("the undo broke off"),
}
KEPT: dict[str, Label] = {
    journal.CHANGED: _("was changed again since"),
    journal.GONE: _("is no longer there"),
    journal.USED: _("was made by it, but customers or your rules hold on to it"),
    journal.CATEGORY: _("its old category is no longer there"),
}
FEED_PERIODS: dict[str, Label] = {Feed.Every.HOUR: _("every hour"), Feed.Every.DAY: _("every day")}
LANGUAGES: dict[str, Label] = {
    "en": "English", "zh": "中文", "de": "Deutsch", "fr": "Français", "es": "Español", "it": "Italiano", "ja": "日本語",
    "ko": "한국어", "pt": "Português", "ru": "Русский", "nl": "Nederlands", "pl": "Polski",
}  # fmt: skip
DEALINGS: dict[str, Label] = {
    Interaction.Kind.VIEW: _("views"),
    Interaction.Kind.CART: _("put into the cart"),
    Interaction.Kind.ORDER: _("orders"),
    Interaction.Kind.REVIEW: _("reviews"),
}
SHOP: dict[str, Label] = {
    "name": _("Name"),
    "language": _("Language of titles and descriptions"),
    "currency": _("Currency"),
    "diversity": _("Variety of a reply's products, 0 to 1"),
    "explores": _("Try products that few customers were shown"),
    "popularity_half_life_days": _("Days after which a view or an order counts half"),
}
SHOP_HINTS: dict[str, Label] = {
    "language": _("Other languages are translations of a product."),
    "currency": _("Code of three letters. Prices are not converted: their numbers stay."),
    "diversity": _("0 shows the most relevant, 1 the most varied."),
    "explores": _("In the last place of a reply."),
}


def label(names: Mapping[str, Label], word: str) -> str:
    """The name of ``word`` in the reader's language."""
    return str(names.get(word) or humanised(word))


def channel_name(name: str) -> str:
    """What a platform calls itself; the stored name of a channel that is no more."""
    try:
        return str(CHANNELS.get(name) or gettext(channel_class(name).title))
    except LookupError:
        return name


def humanised(word: str) -> str:
    """A stored name as words: ``price_fit`` is ``price fit``."""
    return word.replace("_", " ")
