"""The audit log watches the tables of the API, of alerts, streams and saved views, and those of feeds and imports."""

from django.db import migrations

from botcore.audit import watch

WATCHED = [
    watch(
        "botcore_apitoken",
        shown=["name", "prefix", "rights", "expires_at", "revoked_at"],
        silent=["last_used_at", "free_at"],
        label="$1->>'name'",
    ),
    watch(
        "botcore_webhookendpoint",
        shown=["url", "events", "active"],
        silent=["failures", "failing_since"],
        label="$1->>'url'",
    ),
    watch(
        "botcore_alertrule",
        shown=[
            "name", "metric", "channel", "version", "window_minutes", "kind", "direction", "threshold", "hold_minutes",
            "mail_to", "webhook_url", "active",
        ],
        silent=["state", "state_since", "value", "checked_at"],
        label="$1->>'name'",
    ),
    watch("botcore_alertsilence", shown=["subject", "until"], label="$1->>'subject'"),
    watch("botcore_holdout", shown=["share", "ended_at"], silent=["effect", "measured_at"]),
    watch("botcore_savedview", shown=["name", "query"], label="$1->>'name'"),
    watch("botcore_textstream", shown=["kind", "name"], silent=["collected"], label="$1->>'name'"),
    watch(
        "catalog_feed",
        shown=["name", "url", "every", "mapping", "encoding", "active"],
        silent=["next_at", "fetched_at", "error", "content_hash"],
        label="$1->>'name'",
    ),
    watch(
        "catalog_changeset",
        shown=["kind", "name", "task", "options"],
        silent=["status", "done", "total", "counts", "notes", "error", "categories", "names", "alive_at", "finished_at"],
        label="$1->>'name'",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("botcore", "0015_blind_choices"), ("catalog", "0009_catalogue_edited")]

    operations = WATCHED
