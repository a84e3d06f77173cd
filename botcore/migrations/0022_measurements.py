"""A version is measured again by a run of its own, whose progress can be seen. Back, such runs are forgotten; reports stay."""

import django.db.models.deletion
from django.db import migrations, models


def forget_measurements(apps, schema_editor):
    apps.get_model("botcore", "TrainingRun").objects.exclude(measures=None).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("botcore", "0021_department_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="trainingrun",
            name="measures",
            field=models.ForeignKey(
                blank=True,
                help_text="a version that this run only measures against what is live then; nothing is trained",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="measurements",
                to="botcore.modelversion",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget_measurements),
    ]
