"""Invitations, the second factor, sign-ins, and the audit log with the triggers that write it (botcore/audit.py)."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from botcore.audit import shop_by, watch

PERSON = "(SELECT username FROM auth_user WHERE id = ($1->>'user_id')::bigint)"
TALK = "(SELECT key::text FROM botcore_conversation WHERE id = ($1->>'conversation_id')::bigint)"
TURN = "botcore_turn t JOIN botcore_conversation c ON c.id = t.conversation_id WHERE t.id = ($1->>'turn_id')::bigint"

FUNCTIONS = migrations.RunSQL(
    r"""
    CREATE FUNCTION audit_value(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN length(value::text) > 600 THEN to_jsonb(left(value #>> '{}', 500) || '…') ELSE value END
    $$;

    CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        actor jsonb := current_setting('daogou.actor')::jsonb;
        before jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
        after jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
        whole jsonb := CASE WHEN TG_OP = 'DELETE' THEN before ELSE after END;
        shown text[] := string_to_array(TG_ARGV[1], ',');
        silent text[] := string_to_array(TG_ARGV[2], ',');
        changes jsonb;
        shop bigint;
        label text;
    BEGIN
        SELECT jsonb_object_agg(
            key, CASE WHEN key = ANY (shown) THEN jsonb_build_array(audit_value(before->key), audit_value(after->key)) END
        ) INTO changes
        FROM jsonb_object_keys(whole) AS key
        WHERE before->key IS DISTINCT FROM after->key AND NOT key = ANY (silent)
            AND (TG_OP = 'UPDATE' OR key = ANY (shown));
        IF changes IS NULL AND TG_OP = 'UPDATE' THEN
            RETURN NULL;
        END IF;
        EXECUTE 'SELECT ' || TG_ARGV[3] INTO shop USING whole;
        EXECUTE 'SELECT ' || TG_ARGV[4] INTO label USING whole;
        INSERT INTO botcore_auditentry (at, shop_id, by_id, by, ip, agent, action, kind, row_id, label, changes)
        VALUES (
            clock_timestamp(), shop, (actor->>'by_id')::bigint, actor->>'by', (actor->>'ip')::inet, actor->>'agent',
            CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,
            TG_ARGV[0], (whole->>'id')::bigint, coalesce(left(label, 200), ''), coalesce(changes, '{}')
        );
        RETURN NULL;
    END
    $$;

    CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit log is never changed: entry % stays as it is', OLD.id;
    END
    $$;

    CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON botcore_auditentry FOR EACH ROW EXECUTE FUNCTION audit_stays();
    """,
    """
    DROP TRIGGER stays ON botcore_auditentry;
    DROP FUNCTION audit_stays();
    DROP FUNCTION audit_change();
    DROP FUNCTION audit_value(jsonb);
    """,
)

WATCHED = [
    watch(
        "auth_user",
        shown=["username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser"],
        silent=["last_login", "date_joined"],
        shop="NULL",
        label="$1->>'username'",
    ),
    watch("botcore_shopmember", shown=["role"], label=PERSON),
    watch("botcore_invitation", shown=["role", "email", "expires_at", "accepted_at", "revoked_at"], label="$1->>'email'"),
    watch("botcore_secondfactor", silent=["last_step"], shop="NULL", label=PERSON),
    watch("botcore_signinrule", shown=["second_factor"]),
    watch("botcore_channelaccount", shown=["channel", "active"], label="$1->>'channel'"),
    watch(
        "botcore_conversation",
        shown=["waiting_for_person", "closed"],
        silent=["state", "last_message_at"],
        label="$1->>'key'",
        on="UPDATE OR DELETE",
    ),
    watch("botcore_contact", shop=shop_by("botcore_channelaccount", "account_id"), on="DELETE"),
    watch(
        "botcore_outbound",
        shown=["status"],
        silent=[
            "leased_until", "next_attempt_at", "attempts", "parts_sent", "platform_ids", "receipt", "error", "sent_at",
        ],
        shop=shop_by("botcore_conversation", "conversation_id"),
        label=TALK,
        on="INSERT OR UPDATE",
    ),
    watch(
        "botcore_annotation",
        shown=["verdict", "for_training"],
        silent=["updated_at"],
        shop=f"(SELECT c.shop_id FROM {TURN})",
        label=f"(SELECT c.key || '#' || t.number FROM {TURN})",
    ),
    watch("botcore_houseword", shown=["word", "stands_for"], label="$1->>'word'"),
    watch("botcore_dataset", shown=["approved_at"], silent=["counts"], label="left($1->>'content_hash', 8)"),
    watch(
        "botcore_trainingrun",
        shown=["recipe", "options", "status"],
        silent=["stage", "curves", "error", "alive_at", "started_at", "finished_at"],
    ),
    watch(
        "botcore_modelversion",
        shown=["state", "share"],
        silent=["report", "gate", "digests", "code", "state_since"],
        label="$1->>'name'",
    ),
    watch(
        "catalog_shop",
        shown=["slug", "name", "currency", "language", "diversity", "explores", "popularity_half_life_days"],
        shop="($1->>'id')::bigint",
        label="$1->>'name'",
    ),
    watch("catalog_category", shown=["path", "name", "translations", "aliases"], label="$1->>'path'"),
    watch("catalog_attributevalue", shown=["attribute", "value", "names"], silent=["product_count"], label="$1->>'value'"),
    watch(
        "catalog_product",
        shown=["sku", "title", "description", "brand", "attributes", "translations", "image", "url", "active"],
        silent=[
            "document", "search_vector", "embedding", "text_digest", "embedded_digest", "updated_at", "popularity",
            "rating", "rating_count",
        ],
        label="concat_ws(' ', $1->>'sku', $1->>'title')",
    ),
    watch(
        "catalog_variant",
        shown=["sku", "attributes", "price", "stock", "image"],
        shop=shop_by("catalog_product", "product_id"),
        label="$1->>'sku'",
    ),
    watch(
        "catalog_knowledgearticle",
        shown=["slug", "language", "title", "body", "active"],
        silent=["document", "search_vector", "embedding", "text_digest", "embedded_digest", "updated_at"],
        label="$1->>'title'",
    ),
    watch(
        "catalog_merchandisingrule",
        shown=[
            "name", "kind", "goal", "attribute", "value", "place", "strength", "active", "valid_from", "valid_until",
        ],
        label="$1->>'name'",
    ),
    watch("catalog_productlink", shown=["kind", "origin"]),
    watch("catalog_customer", on="DELETE"),
]


class Migration(migrations.Migration):

    dependencies = [
        ("botcore", "0009_review"),
        ('catalog', '0008_pictures'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('shop_id', models.BigIntegerField(help_text="none: what belongs to no shop, as a person's password", null=True)),
                ('by_id', models.BigIntegerField(help_text='none: a command, or somebody who was not signed in', null=True)),
                ('by', models.CharField(max_length=150)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('agent', models.CharField(blank=True, max_length=120)),
                ('action', models.CharField(choices=[('created', 'Created'), ('changed', 'Changed'), ('deleted', 'Deleted'), ('signed_in', 'Signed In'), ('refused', 'Refused'), ('exported', 'Exported'), ('asked_for_password', 'Asked For Password'), ('ran', 'Ran')], max_length=20)),
                ('kind', models.CharField(help_text='the model, in lower case', max_length=60)),
                ('row_id', models.BigIntegerField(null=True)),
                ('label', models.CharField(blank=True, help_text='what the row was called', max_length=200)),
                ('changes', models.JSONField(default=dict)),
            ],
            options={
                'verbose_name_plural': 'audit entries',
                'ordering': ['-pk'],
                'indexes': [models.Index(fields=['shop_id', '-id'], name='audit_by_shop'), models.Index(fields=['kind', 'row_id'], name='audit_by_row'), models.Index(fields=['by_id'], name='audit_by_person')],
            },
        ),
        migrations.CreateModel(
            name='SecondFactor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed_secret', models.TextField(editable=False)),
                ('last_step', models.BigIntegerField(default=0)),
                ('recovery_digests', models.JSONField(default=list, help_text='of the recovery codes that are left')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='second_factor', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='SignIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now, help_text='to within a few minutes')),
                ('ip', models.GenericIPAddressField(blank=True, null=True)),
                ('agent', models.CharField(blank=True, max_length=120)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sign_ins', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-seen_at'],
            },
        ),
        migrations.CreateModel(
            name='SignInRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('second_factor', models.BooleanField(default=False)),
                ('shop', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_rule', to='catalog.shop')),
            ],
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'owner'), ('merchant', 'merchant'), ('reviewer', 'reviewer')], max_length=20)),
                ('email', models.EmailField(blank=True, help_text='whom it was sent to; empty: a link to be handed over', max_length=254)),
                ('token_digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('accepted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='invitations_accepted', to=settings.AUTH_USER_MODEL)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='invitations_made', to=settings.AUTH_USER_MODEL)),
                ('shop', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='catalog.shop')),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'merchant', 'reviewer'])), name='invitation_has_a_role')],
            },
        ),
        FUNCTIONS,
        *WATCHED,
    ]
