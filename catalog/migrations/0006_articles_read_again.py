"""Articles are embedded by another model from here on, and by the former one from here back."""

from django.db import migrations


def forget_vectors(apps, schema_editor):
    apps.get_model("catalog", "KnowledgeArticle").objects.update(embedding=None, embedded_digest="")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_search_at_scale")]
    operations = [migrations.RunPython(forget_vectors, forget_vectors)]
