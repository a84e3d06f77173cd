"""Indexes that answer without the rows: a category's products, what is in stock at which price; words and values together.

Values occur in lists, which PostgreSQL counts in a sample: a hundred of it see nothing rarer than one product in a hundred.
"""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_articles_read_again")]
    operations = [
        migrations.RemoveIndex("product", "product_by_category"),
        migrations.AddIndex(
            "product",
            models.Index(
                fields=["shop", "category"], include=["id"], name="product_by_category", condition=Q(active=True)
            ),
        ),
        migrations.RemoveIndex("product", "product_fulltext"),
        migrations.RemoveIndex("product", "product_attributes"),
        migrations.AddIndex(
            "product",
            GinIndex(
                fields=["search_vector", "attributes"],
                name="product_words_and_values",
                opclasses=["tsvector_ops", "jsonb_path_ops"],
            ),
        ),
        migrations.RemoveIndex("variant", "variant_by_price"),
        migrations.AddIndex(
            "variant",
            models.Index(fields=["product", "price"], name="variant_by_price", condition=Q(stock__gt=0)),
        ),
        migrations.RemoveIndex("variant", "variant_cheapest"),
        migrations.AddIndex(
            "variant",
            models.Index(fields=["price"], include=["product"], name="variant_cheapest", condition=Q(stock__gt=0)),
        ),
        migrations.RunSQL(
            "ALTER TABLE catalog_product ALTER attributes SET STATISTICS 300; ANALYZE catalog_product",
            "ALTER TABLE catalog_product ALTER attributes SET STATISTICS -1",
        ),
    ]
