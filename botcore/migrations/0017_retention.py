"""How long a shop keeps conversations; how far its metrics are counted for good; messages outside of turns by their time."""

import django.db.models.deletion
from django.db import migrations, models

from botcore.audit import watch


class Migration(migrations.Migration):

    dependencies = [
        ("botcore", "0016_audit"),
        ('catalog', '0009_catalogue_edited'),
    ]

    operations = [
        migrations.CreateModel(
            name='Retention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('days', models.PositiveSmallIntegerField()),
                ('shop', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='retention', to='catalog.shop')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('days__gte', 14), ('days__lte', 3650)), name='retention_is_no_haste')],
            },
        ),
        migrations.AddField(
            model_name='metricmark',
            name='settled',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='inboundevent',
            index=models.Index(condition=models.Q(('turn', None)), fields=['received_at'], name='event_outside_turns'),
        ),
        watch("botcore_retention", shown=["days"]),
    ]
