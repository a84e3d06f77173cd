"""How pictures look: vectors by picture and encoder, what counts as alike, and products found by the picture they show.

Vectors have no fixed width: which encoder makes them is an operator's choice.
"""

import django.db.models.deletion
import pgvector.django.halfvec
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_indexes_that_answer_alone")]
    operations = [
        migrations.CreateModel(
            name="PictureVector",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "model",
                    models.CharField(
                        help_text="the encoder; only vectors of the same one are compared", max_length=120
                    ),
                ),
                ("source", models.CharField(help_text="path under the media root, or a URL", max_length=300)),
                ("vector", pgvector.django.halfvec.HalfVectorField(editable=False, null=True)),
                ("due_at", models.DateTimeField()),
                ("error", models.CharField(blank=True, max_length=200)),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="picture_vectors", to="catalog.shop"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["shop", "model", "source"], name="picture_once_per_model")
                ]
            },
        ),
        migrations.CreateModel(
            name="PictureScale",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(max_length=120)),
                ("near", models.FloatField(null=True)),
                ("told_apart", models.FloatField(default=0)),
                ("pictures", models.PositiveIntegerField(default=0)),
                ("measured_at", models.DateTimeField(auto_now=True)),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="picture_scales", to="catalog.shop"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["shop", "model"], name="picture_scale_once_per_model")
                ]
            },
        ),
        migrations.AddIndex(
            "product", models.Index(fields=["image"], name="product_by_picture", condition=~Q(image=""))
        ),
        migrations.AddIndex(
            "variant", models.Index(fields=["image"], name="variant_by_picture", condition=~Q(image=""))
        ),
    ]
