"""Metrics in buckets, orders after conversations, the holdout, alert rules with silences and notices; indexes by time."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("botcore", "0010_people"),
        ('catalog', '0008_pictures'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AlertNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(choices=[('opened', 'Opened'), ('resolved', 'Resolved')], max_length=8)),
                ('route', models.CharField(choices=[('mail', 'Mail'), ('webhook', 'Webhook'), ('chat', 'Chat')], max_length=7)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, help_text='none: sent, or given up', null=True)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name='AlertRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('metric', models.CharField(help_text='a key of botcore.monitoring.metrics', max_length=60)),
                ('channel', models.CharField(blank=True, help_text='of this channel alone', max_length=30)),
                ('version', models.CharField(blank=True, help_text='of this version alone', max_length=80)),
                ('window_minutes', models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MinValueValidator(1)])),
                ('kind', models.CharField(choices=[('threshold', 'Threshold'), ('anomaly', 'Anomaly')], default='threshold', max_length=10)),
                ('direction', models.CharField(choices=[('above', 'Above'), ('below', 'Below')], default='above', max_length=5)),
                ('threshold', models.FloatField()),
                ('hold_minutes', models.PositiveSmallIntegerField(default=0, help_text='so long must it be met')),
                ('mail_to', models.TextField(blank=True, help_text='addresses with commas between')),
                ('webhook_url', models.CharField(blank=True, max_length=500)),
                ('sealed_secret', models.TextField(blank=True, editable=False)),
                ('active', models.BooleanField(default=True)),
                ('state', models.CharField(choices=[('ok', 'Ok'), ('pending', 'met, but not for long enough'), ('firing', 'Firing')], default='ok', max_length=8)),
                ('state_since', models.DateTimeField(default=django.utils.timezone.now)),
                ('value', models.FloatField(blank=True, help_text='as it was measured last', null=True)),
                ('checked_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['name', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='AlertSilence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=80)),
                ('until', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='AttributedOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('revenue', models.DecimalField(decimal_places=2, max_digits=12)),
                ('first', models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name='Holdout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('share', models.PositiveSmallIntegerField(help_text='percent of the people who write', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(50)])),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('effect', models.JSONField(blank=True, default=dict)),
                ('measured_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='MetricBucket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('width', models.PositiveIntegerField(choices=[(60, 'Minute'), (3600, 'Hour'), (86400, 'Day')])),
                ('start', models.DateTimeField()),
                ('channel', models.CharField(max_length=30)),
                ('version', models.CharField(max_length=80)),
                ('counts', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='MetricMark',
            fields=[
                ('shop', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='metric_mark', serialize=False, to='catalog.shop')),
                ('upto', models.DateTimeField()),
                ('interaction', models.BigIntegerField(default=0)),
                ('queued', models.JSONField(blank=True, default=dict)),
            ],
        ),
        migrations.AddField(
            model_name='conversation',
            name='held_out',
            field=models.BooleanField(default=False, help_text='of the trial: the bot shows this person no products'),
        ),
        migrations.AddIndex(
            model_name='feedback',
            index=models.Index(fields=['created_at'], name='feedback_by_time'),
        ),
        migrations.AddIndex(
            model_name='feedback',
            index=models.Index(fields=['updated_at'], name='feedback_by_change'),
        ),
        migrations.AddIndex(
            model_name='outbound',
            index=models.Index(fields=['created_at'], name='outbound_by_time'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(fields=['-last_message_at', '-id'], name='conversation_newest'),
        ),
        migrations.AddIndex(
            model_name='turn',
            index=models.Index(fields=['created_at'], name='turn_by_arrival'),
        ),
        migrations.AddIndex(
            model_name='turn',
            index=models.Index(fields=['answered_at'], name='turn_by_answer'),
        ),
        migrations.AddIndex(
            model_name='turn',
            index=models.Index(condition=models.Q(('error', ''), _negated=True), fields=['answered_at'], name='turn_troubled'),
        ),
        migrations.AddField(
            model_name='alertnotice',
            name='alert',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='botcore.alert'),
        ),
        migrations.AddField(
            model_name='alertrule',
            name='contact',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alert_rules', to='botcore.contact'),
        ),
        migrations.AddField(
            model_name='alertrule',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alert_rules', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='alertrule',
            name='shop',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alert_rules', to='catalog.shop'),
        ),
        migrations.AddField(
            model_name='alert',
            name='rule',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='botcore.alertrule'),
        ),
        migrations.AddField(
            model_name='alertsilence',
            name='by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='silences', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='alertsilence',
            name='shop',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alert_silences', to='catalog.shop'),
        ),
        migrations.AddField(
            model_name='attributedorder',
            name='interaction',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='attribution', to='catalog.interaction'),
        ),
        migrations.AddField(
            model_name='attributedorder',
            name='shop',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attributed_orders', to='catalog.shop'),
        ),
        migrations.AddField(
            model_name='attributedorder',
            name='turn',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attributed_orders', to='botcore.turn'),
        ),
        migrations.AddField(
            model_name='holdout',
            name='shop',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holdouts', to='catalog.shop'),
        ),
        migrations.AddField(
            model_name='conversation',
            name='trial',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='conversations', to='botcore.holdout'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(condition=models.Q(('trial__isnull', False)), fields=['trial'], name='conversation_of_trial'),
        ),
        migrations.AddField(
            model_name='metricbucket',
            name='shop',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='metric_buckets', to='catalog.shop'),
        ),
        migrations.AddIndex(
            model_name='alertnotice',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='notice_due'),
        ),
        migrations.AddConstraint(
            model_name='alertnotice',
            constraint=models.UniqueConstraint(fields=('alert', 'event', 'route'), name='notice_sent_once'),
        ),
        migrations.AddConstraint(
            model_name='alertsilence',
            constraint=models.UniqueConstraint(fields=('shop', 'subject'), name='one_silence_a_subject'),
        ),
        migrations.AddIndex(
            model_name='attributedorder',
            index=models.Index(fields=['shop', 'at'], name='attributed_by_time'),
        ),
        migrations.AddConstraint(
            model_name='holdout',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('shop',), name='one_open_holdout_a_shop'),
        ),
        migrations.AddConstraint(
            model_name='holdout',
            constraint=models.CheckConstraint(condition=models.Q(('share__gte', 1), ('share__lte', 50)), name='holdout_share_is_a_minority'),
        ),
        migrations.AddConstraint(
            model_name='metricbucket',
            constraint=models.UniqueConstraint(fields=('shop', 'width', 'start', 'channel', 'version'), name='metric_bucket_counted_once'),
        ),
    ]
