"""The addresses under ``/api/v1/``. They end without a slash."""

from django.urls import path, re_path

from botcore.api.base import Nowhere
from botcore.api.document import openapi
from botcore.api.views import catalogue, conversations, learning, monitoring, webhooks

routes = [
    path("products", catalogue.Products.as_view()),
    path("products/batch", catalogue.ProductsBatch.as_view()),
    path("products/<int:id>", catalogue.OneProduct.as_view()),
    path("interactions", catalogue.Interactions.as_view()),
    path("interactions/batch", catalogue.InteractionsBatch.as_view()),
    path("conversations", conversations.Conversations.as_view()),
    path("conversations/<uuid:key>", conversations.OneConversation.as_view()),
    path("conversations/<uuid:key>/turns", conversations.Turns.as_view()),
    path("conversations/<uuid:key>/messages", conversations.Messages.as_view()),
    path("feedback", conversations.Feedbacks.as_view()),
    path("annotations", conversations.Annotations.as_view()),
    path("annotations/<int:id>", conversations.OneAnnotation.as_view()),
    path("snapshots", learning.Snapshots.as_view()),
    path("runs", learning.Runs.as_view()),
    path("runs/<int:id>", learning.OneRun.as_view()),
    path("runs/<int:id>/stop", learning.StopRun.as_view()),
    path("versions", learning.Versions.as_view()),
    path("versions/rollback", learning.RollBack.as_view()),
    path("versions/<int:id>", learning.OneVersion.as_view()),
    path("versions/<int:id>/move", learning.MoveVersion.as_view()),
    path("versions/<int:id>/evaluate", learning.EvaluateVersion.as_view()),
    path("metrics", monitoring.Metrics.as_view()),
    path("alerts", monitoring.Alerts.as_view()),
    path("alerts/<int:id>", monitoring.OneAlert.as_view()),
    path("alerts/<int:id>/close", monitoring.CloseAlert.as_view()),
    path("webhooks", webhooks.Webhooks.as_view()),
    path("webhooks/<int:id>", webhooks.OneWebhook.as_view()),
    path("webhooks/<int:id>/rotate", webhooks.RotateSecret.as_view()),
    path("webhooks/<int:id>/test", webhooks.TryWebhook.as_view()),
    path("deliveries", webhooks.Deliveries.as_view()),
    path("deliveries/<int:id>/resend", webhooks.Resend.as_view()),
]
"""What the document describes."""

urlpatterns = [
    path("openapi.json", openapi, name="api-openapi"),
    *routes,
    re_path(r"[\s\S]*", Nowhere.as_view()),
]
