"""The address of feeds, under ``/streams/``."""

from django.urls import path

from botcore.streams import views

urlpatterns = [path("<slug:key>/", views.feed, name="feed_texts")]
