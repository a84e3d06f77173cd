"""A department may have versions of its own, beside those of the whole shop. Back, these serve nobody any more."""

from django.db import migrations, models

STATES = ("shadow", "canary", "live")


def retire_departments_versions(apps, schema_editor):
    versions = apps.get_model("botcore", "ModelVersion").objects.exclude(department="")
    versions.filter(state__in=STATES).update(state="retired", share=0)


def one_each(fields):
    return [
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", state)), fields=fields, name=f"one_{state}_version"
            ),
        )
        for state in STATES
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("botcore", "0020_turn_error"),
    ]

    operations = [
        *(migrations.RemoveConstraint(model_name="modelversion", name=f"one_{state}_version") for state in STATES),
        migrations.AddField(
            model_name="modelversion",
            name="department",
            field=models.CharField(
                blank=True,
                default="",
                help_text="the path of the category it answers for; empty: the whole shop",
                max_length=120,
            ),
        ),
        *one_each(("shop", "department")),
        migrations.RunPython(migrations.RunPython.noop, retire_departments_versions),
    ]
