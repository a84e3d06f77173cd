"""The console's addresses, under ``/console/``."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.i18n import set_language

from admin_console.views import catalogue, channels, conversations, inbox, learning, streams

app_name = "console"
urlpatterns = [
    path("", conversations.home, name="home"),
    path("conversations/<uuid:key>/", conversations.conversation, name="conversation"),
    path("conversations/<uuid:key>/take-over/", conversations.take_over, name="take_over"),
    path("conversations/<uuid:key>/hand-back/", conversations.hand_back, name="hand_back"),
    path("conversations/<uuid:key>/replies/<int:number>/approve/", conversations.approve_reply, name="approve_reply"),
    path("conversations/<uuid:key>/replies/<int:number>/reject/", conversations.reject_reply, name="reject_reply"),
    path("conversations/<uuid:key>/replies/<int:number>/correct/", conversations.correct_reply, name="correct_reply"),
    path("conversations/<uuid:key>/answer/", inbox.answer, name="answer"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("channels/", channels.channels, name="channels"),
    path("channels/new/", channels.choose_channel, name="choose_channel"),
    path("channels/new/<slug:channel>/", channels.connect_channel, name="connect_channel"),
    path("channels/<int:pk>/", channels.account, name="account"),
    path("channels/<int:pk>/switch/", channels.switch_account, name="switch_account"),
    path("channels/<int:pk>/test/", channels.test_account, name="test_account"),
    path("channels/failed/", channels.failed, name="failed"),
    path("channels/failed/resend/", channels.resend_all, name="resend_all"),
    path("channels/failed/<int:pk>/resend/", channels.resend, name="resend"),
    path("graph/", catalogue.graph, name="graph"),
    path("graph/<int:pk>/", catalogue.neighbourhood, name="neighbourhood"),
    path("graph/<int:pk>/link/", catalogue.edit_link, name="edit_link"),
    path("streams/", streams.streams, name="streams"),
    path("streams/new/", streams.new_stream, name="new_stream"),
    path("streams/example/", streams.load_example, name="load_example"),
    path("streams/<int:pk>/", streams.stream, name="stream"),
    path("streams/<int:pk>/token/", streams.renew_token, name="renew_token"),
    path("streams/topics/<int:pk>/rename/", streams.rename_topic, name="rename_topic"),
    path("streams/surges/<int:pk>/", streams.surge, name="surge"),
    path("streams/surges/<int:pk>/hand-over/", streams.hand_over_surge, name="hand_over_surge"),
    path("streams/surges/<int:pk>/article/", streams.draft_article, name="draft_article"),
    path("rules/", catalogue.rules, name="rules"),
    path("rules/new/", catalogue.new_rule, name="new_rule"),
    path("rules/<int:pk>/switch/", catalogue.switch_rule, name="switch_rule"),
    path("learning/", learning.learning, name="learning"),
    path("learning/word/", learning.house_word, name="house_word"),
    path("learning/roll-back/", learning.roll_back, name="roll_back"),
    path("learning/train/", learning.train, name="train"),
    path("learning/snapshots/", learning.make_snapshot, name="make_snapshot"),
    path("learning/snapshots/<int:pk>/", learning.snapshot, name="snapshot"),
    path("learning/snapshots/<int:pk>/approve/", learning.approve_snapshot, name="approve_snapshot"),
    path("learning/runs/<int:pk>/", learning.run, name="run"),
    path("learning/runs/<int:pk>/stop/", learning.stop_run, name="stop_run"),
    path("learning/versions/<int:pk>/", learning.version, name="version"),
    path("learning/versions/<int:pk>/move/", learning.move_version, name="move_version"),
    path("learning/versions/<int:pk>/evaluate/", learning.evaluate_version, name="evaluate_version"),
    path(
        "login/",
        LoginView.as_view(template_name="console/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("language/", set_language, name="language"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
