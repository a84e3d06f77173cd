"""The rows of botcore: conversations with what explains them, and what is learned from them."""

from botcore.models.conversations import (
    Button,
    ChannelAccount,
    ChannelHealth,
    Contact,
    Conversation,
    EarlyReceipt,
    Feedback,
    InboundEvent,
    Outbound,
    ShopMember,
    Turn,
    make_public_key,
)
from botcore.models.learning import (
    Annotation,
    BlindChoice,
    Dataset,
    DatasetRow,
    HouseWord,
    ModelVersion,
    ShadowReply,
    TrainingRun,
    VersionChange,
)
from botcore.models.monitoring import Alert
from botcore.models.review import ReviewDecision, ReviewItem, SavedView

__all__ = [
    "Alert",
    "Annotation",
    "BlindChoice",
    "Button",
    "ChannelAccount",
    "ChannelHealth",
    "Contact",
    "Conversation",
    "Dataset",
    "DatasetRow",
    "EarlyReceipt",
    "Feedback",
    "HouseWord",
    "InboundEvent",
    "ModelVersion",
    "Outbound",
    "ReviewDecision",
    "ReviewItem",
    "SavedView",
    "ShadowReply",
    "ShopMember",
    "TrainingRun",
    "Turn",
    "VersionChange",
    "make_public_key",
]
