"""A reply may have to be written by another model, too: the field's description says so."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("botcore", "0019_lineage"),
    ]

    operations = [
        migrations.AlterField(
            model_name="turn",
            name="error",
            field=models.TextField(blank=True, help_text="why the model that was to write the reply did not, if it did not"),
        ),
    ]
