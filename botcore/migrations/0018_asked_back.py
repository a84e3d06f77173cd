"""When a customer was last asked to write again, which is done once until they do."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("botcore", "0017_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="asked_back_at",
            field=models.DateTimeField(blank=True, help_text="when they were last asked to write again", null=True),
        ),
    ]
