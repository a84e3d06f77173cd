"""Under ``/chat/``; ``name`` is the shop's slug or the account's key."""

from django.urls import path

from botcore.channels.webchat import views

app_name = "webchat"
urlpatterns = [
    path("<slug:name>/", views.page, name="page"),
    path("<slug:name>/widget.js", views.widget, name="widget"),
    path("<slug:name>/messages", views.messages, name="messages"),
    path("<slug:name>/events", views.events, name="events"),
    path("<slug:name>/feedback", views.feedback, name="feedback"),
    path("<slug:name>/new", views.new_conversation, name="new"),
]
