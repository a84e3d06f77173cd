"""The rows of botcore: conversations with what explains them, what is learned from them, people, and what they changed."""

from botcore.models.audit import AuditEntry
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
from botcore.models.people import Invitation, SecondFactor, SignIn, SignInRule

__all__ = [
    "Alert",
    "Annotation",
    "AuditEntry",
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
    "Invitation",
    "ModelVersion",
    "Outbound",
    "SecondFactor",
    "ShadowReply",
    "ShopMember",
    "SignIn",
    "SignInRule",
    "TrainingRun",
    "Turn",
    "VersionChange",
    "make_public_key",
]
