"""Members have roles. Whoever was a member before could do everything in the shop, and is its owner now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("botcore", "0007_facts")]

    operations = [
        migrations.AddField(
            model_name="shopmember",
            name="role",
            field=models.CharField(
                choices=[("owner", "owner"), ("merchant", "merchant"), ("reviewer", "reviewer")], default="owner", max_length=20
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="shopmember",
            constraint=models.CheckConstraint(
                condition=models.Q(role__in=["owner", "merchant", "reviewer"]), name="member_has_a_role"
            ),
        ),
    ]
