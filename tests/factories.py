"""Rows for tests: each factory makes one believable row with everything it needs, all of one shop.

``ProductFactory(shop=...)``, ``ContactFactory(account__shop=...)`` and so on keep a whole tree inside one shop.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory
from django.contrib.auth import get_user_model
from django.utils import timezone
from factory.django import DjangoModelFactory

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.state import Constraint, DialogueState
from botcore.learning.versions import SHIPPED, rival_of
from botcore.models import (
    AuditEntry,
    ChannelAccount,
    Contact,
    Conversation,
    Dataset,
    Feedback,
    Invitation,
    ModelVersion,
    Sentence,
    Sentiment,
    ShopMember,
    TextItem,
    TextStream,
    Topic,
    TrainingRun,
    Turn,
    WebhookEndpoint,
)
from botcore.roles import Role
from botcore.security import seal
from botcore.webhooks.events import OFFERED
from catalog.models import EMBEDDING_DIMENSIONS, AttributeValue, Category, KnowledgeArticle, Product, Shop, Variant

PASSWORD = "correct horse battery staple"
"""What every user made here logs in with."""

WEBHOOK_SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"


class UserFactory(DjangoModelFactory):
    """A person who may log in. ``UserFactory(shops=[shop])`` makes an owner of those shops, ``shops__role=`` somebody else."""

    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence("user{}".format)
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def shops(user: Any, create: bool, shops: list[Shop] | None, role: Role = Role.OWNER) -> None:  # noqa: N805
        if create:
            ShopMember.objects.bulk_create(ShopMember(user=user, shop=shop, role=role) for shop in shops or ())


class ShopFactory(DjangoModelFactory):
    class Meta:
        model = Shop

    slug = factory.Sequence("shop-{}".format)
    name = factory.Sequence("Shop {}".format)


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = ShopMember

    user = factory.SubFactory(UserFactory)
    shop = factory.SubFactory(ShopFactory)
    role = Role.MERCHANT


class InvitationFactory(DjangoModelFactory):
    """An open one that nobody has the token of; ``botcore.people.invite`` tells the token."""

    class Meta:
        model = Invitation

    shop = factory.SubFactory(ShopFactory)
    role = Role.MERCHANT
    token_digest = factory.Sequence("{:064x}".format)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=7))


class AuditEntryFactory(DjangoModelFactory):
    class Meta:
        model = AuditEntry

    by = "mei"
    action = AuditEntry.Action.CHANGED
    kind = "merchandisingrule"


class CategoryFactory(DjangoModelFactory):
    class Meta:
        model = Category

    shop = factory.SubFactory(ShopFactory)
    path = factory.Sequence("clothing/jackets-{}".format)
    name = factory.Sequence("Jackets {}".format)


class VariantFactory(DjangoModelFactory):
    class Meta:
        model = Variant

    product = factory.SubFactory("tests.factories.ProductFactory", variant=None)
    sku = factory.Sequence("V{:04}".format)
    price = Decimal("49.00")
    stock = 5


class ProductFactory(DjangoModelFactory):
    """A product with one variant; ``variant__price=...`` sets the variant's fields, ``variant=None`` leaves it out."""

    class Meta:
        model = Product
        skip_postgeneration_save = True

    shop = factory.SubFactory(ShopFactory)
    category = factory.SubFactory(CategoryFactory, shop=factory.SelfAttribute("..shop"))
    sku = factory.Sequence("P{:04}".format)
    title = factory.Sequence("Canvas jacket {}".format)
    attributes = factory.LazyFunction(lambda: {"material": ["canvas"], "color": ["green"]})

    variant = factory.RelatedFactory(
        VariantFactory, factory_related_name="product", sku=factory.SelfAttribute("product.sku")
    )


class ArticleFactory(DjangoModelFactory):
    class Meta:
        model = KnowledgeArticle

    shop = factory.SubFactory(ShopFactory)
    slug = factory.Sequence("returns-{}".format)
    title = "Returns"
    body = "You can send anything back within 30 days."


class AccountFactory(DjangoModelFactory):
    """A channel account; ``channel`` is any name in the registry."""

    class Meta:
        model = ChannelAccount

    shop = factory.SubFactory(ShopFactory)
    channel = "webchat"


class ContactFactory(DjangoModelFactory):
    class Meta:
        model = Contact

    account = factory.SubFactory(AccountFactory)
    external_id = factory.Sequence("visitor-{}".format)


class ConversationFactory(DjangoModelFactory):
    """A conversation; ``shop=...`` puts contact and account into that shop as well."""

    class Meta:
        model = Conversation

    shop = factory.SubFactory(ShopFactory)
    contact = factory.SubFactory(ContactFactory, account__shop=factory.SelfAttribute("...shop"))


class TurnFactory(DjangoModelFactory):
    """An answered turn that recommends one jacket, with everything that explains it. ``waiting=True``: not answered."""

    class Meta:
        model = Turn

    class Params:
        waiting = factory.Trait(
            status=Turn.Status.WAITING,
            answered_at=None,
            **dict.fromkeys(("reply", "act", "written_by", "model_version"), ""),
            **dict.fromkeys(("state_after", "brief", "timings_ms", "understanding"), factory.LazyFunction(dict)),
            **dict.fromkeys(("candidates", "slate", "samples"), factory.LazyFunction(list)),
        )

    conversation = factory.SubFactory(ConversationFactory)
    number = factory.LazyAttribute(lambda turn: turn.conversation.turns.count() + 1)
    status = Turn.Status.ANSWERED
    answered_at = factory.LazyFunction(timezone.now)
    text = "I need a green jacket, no leather"
    reply = "The Canvas jacket is green and costs $49.00."
    act = "recommend"
    language = "en"
    written_by = Turn.WrittenBy.MODEL
    model_version = "shipped"
    state_before = factory.LazyFunction(lambda: DialogueState().to_json())
    state_after = factory.LazyFunction(
        lambda: DialogueState(
            turn=1,
            goal="clothing/jackets",
            constraints=(
                Constraint("color", "green", turn=1),
                Constraint("material", "leather", wanted=False, turn=1),
            ),
            shown=(("P1",),),
        ).to_json()
    )
    understanding = factory.LazyFunction(lambda: {"intent": "search", "language": "en"})
    candidates = factory.LazyFunction(
        lambda: [
            {"sku": "P1", "title": "Canvas jacket", "score": 0.91, "dense": 0.7, "lexical": 0.4},
            {"sku": "P2", "title": "Cotton jacket", "score": 0.55, "dense": 0.6, "popularity": 0.2},
        ]
    )
    slate = factory.LazyFunction(
        lambda: [{"letter": "A", "sku": "P1", "title": "Canvas jacket", "price": "$49.00", "image": ""}]
    )
    brief = factory.LazyFunction(
        lambda: Brief(
            act="recommend",
            customer="I need a green jacket, no leather",
            wishes=("green", "not leather"),
            items=(ItemFacts("A", "jacket", {"material": "canvas"}, {"name": "Canvas jacket", "price": "$49.00"}),),
        ).to_json()
    )
    samples = factory.LazyFunction(
        lambda: [
            {
                "text": "The [A.name] is green and costs [A.price].",
                "filled": "The Canvas jacket is green and costs $49.00.",
                "accepted": True,
                "problems": [],
                "scores": {"interest": 0.8, "discriminator": 0.6},
                "chosen": True,
            },
            {
                "text": "The [A.name] is waterproof.",
                "filled": "The Canvas jacket is waterproof.",
                "accepted": False,
                "problems": ["says waterproof, which no fact supports"],
                "scores": {"interest": 0.9},
                "chosen": False,
            },
        ]
    )
    timings_ms = factory.LazyFunction(lambda: {"understand": 12.0, "find": 31.5, "write": 420.0})


class FeedbackFactory(DjangoModelFactory):
    """An opinion of the person who got the reply."""

    class Meta:
        model = Feedback

    turn = factory.SubFactory(TurnFactory)
    contact = factory.SelfAttribute("turn.conversation.contact")
    kind = Feedback.Kind.UP
    source = Feedback.Source.BUTTON


class ModelVersionFactory(DjangoModelFactory):
    """A candidate that has passed the gate beside the adapter that ships."""

    class Meta:
        model = ModelVersion

    shop = factory.SubFactory(ShopFactory)
    name = factory.Sequence("shop-{}".format)
    recipe = TrainingRun.Recipe.SFT
    folder = factory.LazyAttribute(lambda version: f"training/{version.name}")
    artefact = factory.LazyAttribute(lambda version: f"{version.name}-12345678")
    report = factory.LazyFunction(lambda: {"against": {"version": "shipped"}})
    gate = factory.LazyFunction(lambda: {"passed": True, "lines": []})


def measured(version: ModelVersion) -> ModelVersion:
    """The version, whose verdict is now on what is live now."""
    version.report |= {"against": {"version": str(rival_of(version) or SHIPPED)}}
    version.save(update_fields=["report"])
    return version


class DatasetFactory(DjangoModelFactory):
    """An empty snapshot that nobody has approved."""

    class Meta:
        model = Dataset

    shop = factory.SubFactory(ShopFactory)
    content_hash = factory.Sequence("{:064x}".format)


class AttributeValueFactory(DjangoModelFactory):
    class Meta:
        model = AttributeValue

    shop = factory.SubFactory(ShopFactory)
    attribute = "color"
    value = factory.Sequence("green {}".format)


class WebhookFactory(DjangoModelFactory):
    """A webhook that is told of everything, with a secret that tests know."""

    class Meta:
        model = WebhookEndpoint

    shop = factory.SubFactory(ShopFactory)
    url = factory.Sequence("https://shop.example/hooks/{}".format)
    events = factory.LazyFunction(lambda: [event.value for event in OFFERED])
    sealed_secrets = factory.LazyFunction(lambda: seal({"secret": WEBHOOK_SECRET}))


class StreamFactory(DjangoModelFactory):
    """A feed that nobody has a token of."""

    class Meta:
        model = TextStream

    shop = factory.SubFactory(ShopFactory)
    name = factory.Sequence("Feed {}".format)


class TopicFactory(DjangoModelFactory):
    class Meta:
        model = Topic

    stream = factory.SubFactory(StreamFactory)
    names = factory.LazyFunction(lambda: {"en": "battery recall", "zh": "电池召回"})
    centroid = factory.LazyFunction(lambda: [0.05] * EMBEDDING_DIMENSIONS)
    first_seen = factory.LazyFunction(timezone.now)
    last_seen = factory.LazyFunction(timezone.now)


class TextItemFactory(DjangoModelFactory):
    """A text that was read, by somebody of its own."""

    class Meta:
        model = TextItem

    stream = factory.SubFactory(StreamFactory)
    external_id = factory.Sequence("text-{}".format)
    at = factory.LazyFunction(timezone.now)
    author = factory.Sequence("{:016x}".format)
    text = "The battery recall is a disgrace."
    language = "en"
    sentiment = Sentiment.NEGATIVE
    confidence = 0.9
    read_at = factory.LazyFunction(timezone.now)


class SentenceFactory(DjangoModelFactory):
    """The one sentence of a text, on a topic of its stream."""

    class Meta:
        model = Sentence

    item = factory.SubFactory(TextItemFactory)
    place = 0
    text = factory.SelfAttribute("item.text")
    sentiment = factory.SelfAttribute("item.sentiment")
    confidence = 0.9
    topic = factory.SubFactory(TopicFactory, stream=factory.SelfAttribute("..item.stream"))
    vector = factory.LazyFunction(lambda: [0.05] * EMBEDDING_DIMENSIONS)
