"""What a version replaced and what a run started from as relations; rows of a snapshot stay as they are, under its filters."""

from collections.abc import Iterator
from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

STAYS = migrations.RunSQL(
    r"""
    CREATE FUNCTION snapshot_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a snapshot is never changed: row % of snapshot % stays as it is', OLD.place, OLD.dataset_id;
    END
    $$;

    CREATE TRIGGER stays BEFORE UPDATE ON botcore_datasetrow FOR EACH ROW EXECUTE FUNCTION snapshot_stays();
    """,
    """
    DROP TRIGGER stays ON botcore_datasetrow;
    DROP FUNCTION snapshot_stays();
    """,
)


def relate(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """From the reasons, in which it stood so far; they are still written, so that nothing has to be undone."""
    for change, instead_of in replaced(apps.get_model("botcore", "VersionChange")):
        change.instead_of_id = instead_of
        change.save(update_fields=["instead_of"])
    versions = apps.get_model("botcore", "ModelVersion").objects
    for version in versions.exclude(run=None).exclude(parent=None).select_related("run"):
        version.run.source_id = version.parent_id
        version.run.save(update_fields=["source"])
    half_done = apps.get_model("botcore", "TrainingRun").objects.filter(status__in=("queued", "running"), version=None)
    for run in half_done.exclude(started_at=None):
        run.source = versions.filter(shop_id=run.shop_id, state="live").first()
        run.save(update_fields=["source"])


def replaced(changes: Any) -> Iterator[tuple[Any, int | None]]:
    """Of every change to live what was live before. What made room stands right before what it made room for; what came
    back by a rollback keeps what it had replaced."""
    last: dict[int, Any] = {}
    known: dict[int, int | None] = {}
    for change in changes.objects.select_related("version").order_by("pk"):
        version, before = change.version, last.get(change.version.shop_id)
        if change.after == "live":
            if change.before != "retired":
                made_room = before and before.before == "live" and before.reason == f"replaced by {version.name}"
                known[version.pk] = before.version_id if made_room else None
            yield change, known.get(version.pk)
        last[version.shop_id] = change


class Migration(migrations.Migration):

    dependencies = [
        ("botcore", "0018_asked_back"),
    ]

    operations = [
        migrations.AddField(
            model_name="versionchange",
            name="instead_of",
            field=models.ForeignKey(
                blank=True,
                help_text="of one that goes live: what was live before it; none is what ships",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="botcore.modelversion",
            ),
        ),
        migrations.AddField(
            model_name="trainingrun",
            name="source",
            field=models.ForeignKey(
                blank=True,
                help_text="what was live when the run first started: what a compressed model is made of; none is what ships",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="botcore.modelversion",
            ),
        ),
        migrations.AlterField(
            model_name="modelversion",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                help_text="what was live when its run started: what a compressed version is made of",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="children",
                to="botcore.modelversion",
            ),
        ),
        migrations.RunPython(relate, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="dataset", name="dataset_once_per_content"),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.UniqueConstraint(
                fields=("shop", "content_hash", "filters"), name="dataset_once_per_content"
            ),
        ),
        STAYS,
    ]
