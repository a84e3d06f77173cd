"""The catalogue edited in the console: sets of changes with what was there before, feeds, the orders of the table of products."""

import catalog.models
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0008_pictures"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangedProduct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sku", models.CharField(max_length=80)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField()),
                ("undone", models.BooleanField(default=False)),
                ("kept", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="ChangeSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("file", "File"), ("feed", "Feed"), ("bulk", "Bulk")], max_length=4),
                ),
                ("name", models.CharField(max_length=200)),
                ("file", models.FileField(blank=True, storage=catalog.models.ImportsFolder(), upload_to="")),
                ("encoding", models.CharField(default="utf-8-sig", max_length=20)),
                (
                    "options",
                    models.JSONField(
                        blank=True, default=dict, help_text="a file's mapping; a selection and what is done to it"
                    ),
                ),
                (
                    "task",
                    models.CharField(
                        choices=[("check", "Check"), ("write", "Write"), ("undo", "Undo")],
                        default="check",
                        max_length=5,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("waits", "Waits"), ("runs", "Runs"), ("done", "Done"), ("failed", "Failed")],
                        default="waits",
                        max_length=6,
                    ),
                ),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                (
                    "counts",
                    models.JSONField(
                        blank=True, default=dict, help_text="products by what became, or would become, of them"
                    ),
                ),
                ("notes", models.JSONField(blank=True, default=list)),
                ("error", models.TextField(blank=True)),
                (
                    "categories",
                    models.JSONField(blank=True, default=list, help_text="ids of the categories that it made"),
                ),
                (
                    "names",
                    models.JSONField(
                        blank=True, default=list, help_text="[attribute, value, names before or null, names after]"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("alive_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Feed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("url", models.URLField(max_length=500)),
                ("every", models.CharField(choices=[("hour", "Hour"), ("day", "Day")], default="day", max_length=4)),
                (
                    "mapping",
                    models.JSONField(
                        blank=True, default=dict, help_text="as ``catalog.ingest.mapping.Mapping`` reads it"
                    ),
                ),
                ("encoding", models.CharField(default="utf-8-sig", max_length=20)),
                ("active", models.BooleanField(default=True)),
                ("next_at", models.DateTimeField()),
                ("fetched_at", models.DateTimeField(blank=True, null=True)),
                (
                    "error",
                    models.CharField(blank=True, help_text="why it could not be fetched the last time", max_length=300),
                ),
                ("content_hash", models.CharField(blank=True, max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="RowProblem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.PositiveIntegerField()),
                ("reason", models.TextField()),
            ],
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(fields=["shop", "title"], include=("id",), name="product_by_title"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(condition=models.Q(("active", False)), fields=["shop"], name="product_hidden"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(condition=models.Q(("image", "")), fields=["shop"], name="product_without_picture"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=models.Q(("description", "")), fields=["shop"], name="product_without_description"
            ),
        ),
        migrations.AddField(
            model_name="changeset",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="changeset",
            name="shop",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="change_sets", to="catalog.shop"
            ),
        ),
        migrations.AddField(
            model_name="changedproduct",
            name="change_set",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="changed", to="catalog.changeset"
            ),
        ),
        migrations.AddField(
            model_name="feed",
            name="shop",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="feeds", to="catalog.shop"
            ),
        ),
        migrations.AddField(
            model_name="changeset",
            name="feed",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="change_sets",
                to="catalog.feed",
            ),
        ),
        migrations.AddField(
            model_name="rowproblem",
            name="change_set",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="problems", to="catalog.changeset"
            ),
        ),
        migrations.AddConstraint(
            model_name="changedproduct",
            constraint=models.UniqueConstraint(fields=("change_set", "sku"), name="product_changed_once_per_set"),
        ),
        migrations.AddIndex(
            model_name="feed",
            index=models.Index(condition=models.Q(("active", True)), fields=["next_at"], name="feed_due"),
        ),
        migrations.AddIndex(
            model_name="changeset",
            index=models.Index(fields=["shop", "-created_at"], name="change_set_newest"),
        ),
        migrations.AddIndex(
            model_name="changeset",
            index=models.Index(
                condition=models.Q(("status__in", ["waits", "runs"])), fields=["alive_at"], name="change_set_open"
            ),
        ),
        migrations.AddIndex(
            model_name="rowproblem",
            index=models.Index(fields=["change_set", "line"], name="row_problem_by_line"),
        ),
        migrations.AddIndex(
            "variant", models.Index(fields=["product"], name="variant_sold_out", condition=models.Q(stock=0))
        ),
        migrations.AddIndex("variant", models.Index(fields=["sku"], name="variant_by_sku")),
    ]
