"""Receipts that come too early are kept; what lets anybody write to a contact is sealed in their address."""

import django.db.models.deletion
from django.db import migrations, models

from botcore.security import seal, unseal

SECRET = {"discord": "token", "dingtalk": "session"}


def seal_addresses(apps, schema_editor):
    for contact in _contacts(apps):
        name = SECRET[contact.account.channel]
        if name in contact.address:
            contact.address["sealed"] = seal({name: contact.address.pop(name)})
            contact.save(update_fields=["address"])


def open_addresses(apps, schema_editor):
    for contact in _contacts(apps):
        if "sealed" in contact.address:
            contact.address.update(unseal(contact.address.pop("sealed")))
            contact.save(update_fields=["address"])


def _contacts(apps):
    contacts = apps.get_model("botcore", "Contact").objects.filter(account__channel__in=SECRET)
    return contacts.select_related("account").iterator()


class Migration(migrations.Migration):
    dependencies = [("botcore", "0013_api")]

    operations = [
        migrations.CreateModel(
            name="EarlyReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("platform_id", models.CharField(max_length=500)),
                ("status", models.CharField(max_length=9)),
                ("error", models.TextField(blank=True)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="early_receipts",
                        to="botcore.contact",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("contact", "platform_id", "status"), name="early_receipt_once")
                ],
            },
        ),
        migrations.RunPython(seal_addresses, open_addresses),
    ]
