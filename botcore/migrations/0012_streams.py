"""Streams of texts with their sentences and topics; turns are found by their time."""

import botcore.models.conversations
import django.db.models.deletion
import pgvector.django.vector
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("botcore", "0011_monitoring"),
        ('catalog', '0008_pictures'),
    ]

    operations = [
        migrations.CreateModel(
            name='Sentence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveSmallIntegerField()),
                ('text', models.TextField()),
                ('sentiment', models.CharField(choices=[('positive', 'positive'), ('neutral', 'neutral'), ('negative', 'negative')], max_length=8)),
                ('confidence', models.FloatField()),
                ('vector', pgvector.django.vector.VectorField(dimensions=384, help_text='None: it names nothing', null=True)),
            ],
            options={
                'ordering': ['item', 'place'],
            },
        ),
        migrations.CreateModel(
            name='TextItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=190)),
                ('at', models.DateTimeField(help_text='when it was said')),
                ('author', models.CharField(blank=True, max_length=16)),
                ('text', models.TextField()),
                ('language', models.CharField(max_length=8)),
                ('sentiment', models.CharField(blank=True, choices=[('positive', 'positive'), ('neutral', 'neutral'), ('negative', 'negative')], max_length=8)),
                ('confidence', models.FloatField(blank=True, help_text='calibrated chance of that sentiment', null=True)),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='TextStream',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('messages', "customers' messages"), ('reviews', 'reviews in the catalogue'), ('feed', 'texts from elsewhere')], default='feed', max_length=8)),
                ('name', models.CharField(max_length=80)),
                ('key', models.CharField(default=botcore.models.conversations.make_public_key, help_text='part of its address', max_length=40, unique=True)),
                ('token_digest', models.CharField(blank=True, editable=False, max_length=64)),
                ('collected', models.BigIntegerField(default=0, help_text='the id up to which reviews were looked through')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Topic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('names', models.JSONField(default=dict, help_text="by language: {'en': ..., 'zh': ...}")),
                ('former_names', models.JSONField(blank=True, default=list, help_text='what people renamed, oldest first')),
                ('centroid', pgvector.django.vector.VectorField(dimensions=384)),
                ('count', models.PositiveIntegerField(default=0, help_text='sentences that made the centroid')),
                ('first_seen', models.DateTimeField()),
                ('last_seen', models.DateTimeField()),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddIndex(
            model_name='turn',
            index=models.Index(fields=['created_at'], name='turn_by_time'),
        ),
        migrations.AddField(
            model_name='textitem',
            name='review',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='text_item', to='catalog.interaction'),
        ),
        migrations.AddField(
            model_name='textitem',
            name='turn',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='text_item', to='botcore.turn'),
        ),
        migrations.AddField(
            model_name='sentence',
            name='item',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sentences', to='botcore.textitem'),
        ),
        migrations.AddField(
            model_name='textstream',
            name='shop',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='text_streams', to='catalog.shop'),
        ),
        migrations.AddField(
            model_name='textitem',
            name='stream',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='botcore.textstream'),
        ),
        migrations.AddField(
            model_name='topic',
            name='merged_into',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='merged', to='botcore.topic'),
        ),
        migrations.AddField(
            model_name='topic',
            name='split_from',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='splits', to='botcore.topic'),
        ),
        migrations.AddField(
            model_name='topic',
            name='stream',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='topics', to='botcore.textstream'),
        ),
        migrations.AddField(
            model_name='sentence',
            name='topic',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sentences', to='botcore.topic'),
        ),
        migrations.AddConstraint(
            model_name='textstream',
            constraint=models.UniqueConstraint(fields=('shop', 'name'), name='stream_name_once_per_shop'),
        ),
        migrations.AddConstraint(
            model_name='textstream',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'feed'), _negated=True), fields=('shop', 'kind'), name='one_own_stream_a_kind'),
        ),
        migrations.AddIndex(
            model_name='textitem',
            index=models.Index(fields=['stream', 'at'], name='text_in_time'),
        ),
        migrations.AddIndex(
            model_name='textitem',
            index=models.Index(condition=models.Q(('read_at', None)), fields=['stream', 'at'], name='text_unread'),
        ),
        migrations.AddConstraint(
            model_name='textitem',
            constraint=models.UniqueConstraint(fields=('stream', 'external_id'), name='text_once_per_stream'),
        ),
        migrations.AddConstraint(
            model_name='sentence',
            constraint=models.UniqueConstraint(fields=('item', 'place'), name='sentence_once_per_place'),
        ),
    ]
