"""The rows of botcore: conversations with what explains them, and what is learned from them."""

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
from botcore.models.streams import Sentence, Sentiment, TextItem, TextStream, Topic

__all__ = [
    "Alert",
    "Annotation",
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
    "Sentence",
    "Sentiment",
    "ShadowReply",
    "ShopMember",
    "TextItem",
    "TextStream",
    "Topic",
    "TrainingRun",
    "Turn",
    "VersionChange",
    "make_public_key",
]
