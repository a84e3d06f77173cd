"""The rows of botcore: conversations with what explains them, what is learned from them, and what programs use."""

from botcore.models.api import ApiToken, StoredAnswer, WebhookDelivery, WebhookEndpoint
from botcore.models.conversations import (
    Button,
    ChannelAccount,
    ChannelHealth,
    Contact,
    Conversation,
    Feedback,
    InboundEvent,
    Outbound,
    ShopMember,
    Turn,
    make_public_key,
)
from botcore.models.learning import (
    Annotation,
    Dataset,
    DatasetRow,
    HouseWord,
    ModelVersion,
    ShadowReply,
    TrainingRun,
    VersionChange,
)
from botcore.models.monitoring import Alert

__all__ = [
    "Alert",
    "Annotation",
    "ApiToken",
    "Button",
    "ChannelAccount",
    "ChannelHealth",
    "Contact",
    "Conversation",
    "Dataset",
    "DatasetRow",
    "Feedback",
    "HouseWord",
    "InboundEvent",
    "ModelVersion",
    "Outbound",
    "ShadowReply",
    "ShopMember",
    "StoredAnswer",
    "TrainingRun",
    "Turn",
    "VersionChange",
    "WebhookDelivery",
    "WebhookEndpoint",
    "make_public_key",
]
