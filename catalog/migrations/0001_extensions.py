from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations
from pgvector.django import VectorExtension


class Migration(migrations.Migration):
    """Everything else stands on these two, so they come before any table."""

    operations = [VectorExtension(), TrigramExtension()]
