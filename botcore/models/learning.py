"""What a shop's feedback becomes: annotations, snapshots of data, training runs, versions of the model and their rollout.

Everything belongs to one shop: what one shop's merchants and customers said never teaches the model of another.
"""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q

from botcore.models.conversations import Turn
from catalog.models import Shop


def _person(related_name: str) -> models.ForeignKey:
    """Who did it; None when a machine did, or when the account is gone."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name=related_name
    )


class Annotation(models.Model):
    """What a merchant made of one reply. Of several merchants' on one reply the newest counts."""

    class Verdict(models.TextChoices):
        APPROVED = "approved"
        CORRECTED = "corrected"
        REJECTED = "rejected"

    turn = models.ForeignKey(Turn, models.CASCADE, related_name="annotations")
    author = _person("annotations")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    wording = models.TextField(
        blank=True, help_text="the reply as it should have been, with tags for names and figures"
    )
    reason = models.CharField(max_length=200, blank=True)
    for_training = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["turn", "author"], name="annotation_once_per_author")]

    def __str__(self) -> str:
        return f"{self.verdict} {self.turn_id}"


class HouseWord(models.Model):
    """A word that a shop says in place of another ("complimentary" for "free"): it claims what the other one claims.

    One that stands for nothing ("merrily") claims nothing; only a person can say so.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="house_words")
    word = models.CharField(max_length=40)
    stands_for = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "word"], name="house_word_once_per_shop")]

    def __str__(self) -> str:
        return f"{self.word} for {self.stands_for}"


class Dataset(models.Model):
    """A snapshot of a shop's feedback, never changed once made. ``content_hash`` is of its rows, in their order.

    The same rows let in by other ``filters`` are another snapshot.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="datasets")
    content_hash = models.CharField(max_length=64)
    filters = models.JSONField(default=dict, help_text="what was let in: interval, languages, thresholds")
    counts = models.JSONField(default=dict, help_text="rows by use and part, and what was left out and why")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = _person("datasets_made")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = _person("datasets_approved")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "content_hash", "filters"], name="dataset_once_per_content")
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.shop.slug}/{self.pk} {self.content_hash[:8]}"


class DatasetRow(models.Model):
    """One example with its lineage. The ids of where it came from are kept as numbers: they outlive those rows.

    The database lets none be changed (the trigger ``stays``); they go with their shop alone.
    ``content`` by use: sft {brief, reply}; preference {brief, chosen, rejected}; vote {brief, reply, liked}.
    """

    class Use(models.TextChoices):
        SFT = "sft"
        PREFERENCE = "preference"
        VOTE = "vote"

    class Part(models.TextChoices):
        TRAIN = "train"
        VALIDATION = "validation"
        TEST = "test"

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="rows")
    place = models.PositiveIntegerField()
    use = models.CharField(max_length=10, choices=Use.choices)
    part = models.CharField(max_length=10, choices=Part.choices)
    content = models.JSONField()
    features = models.JSONField(default=dict, help_text="keywords, topic and sentiment")
    turn_id = models.BigIntegerField()
    contact_id = models.BigIntegerField(db_index=True)
    source = models.CharField(max_length=40, help_text="annotation:5 or feedback:7")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "place"], name="dataset_row_once_per_place")]
        ordering = ["dataset", "place"]

    def __str__(self) -> str:
        return f"{self.use} {self.source}"


class TrainingRun(models.Model):
    """One run of one recipe over one snapshot, or one that only measures again what a recipe made (``measures``). The row is the
    queue, as with turns: the broker only wakes the trainer."""

    class Recipe(models.TextChoices):
        SFT = "sft"
        PREFERENCE = "preference"
        ADVERSARIAL = "adversarial"
        COMPRESS = "compress"

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        STOPPED = "stopped"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="training_runs")
    recipe = models.CharField(max_length=12, choices=Recipe.choices)
    dataset = models.ForeignKey(Dataset, models.RESTRICT, related_name="runs")
    options = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.QUEUED)
    stage = models.CharField(max_length=60, blank=True, help_text="what the run is doing")
    curves = models.JSONField(
        default=list, blank=True, help_text="points as they come: step with loss, reward, accuracy"
    )
    source = models.ForeignKey(
        "ModelVersion",
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        help_text="what was live when the run first started: what a compressed model is made of; none is what ships",
    )
    measures = models.ForeignKey(
        "ModelVersion",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="measurements",
        help_text="a version that this run only measures against what is live then; nothing is trained",
    )
    error = models.TextField(blank=True)
    alive_at = models.DateTimeField(null=True, blank=True, help_text="when the run last gave a sign of life")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = _person("training_runs")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.shop.slug} {self.recipe} {self.pk}"


class ModelVersion(models.Model):
    """One version of a shop's model, with everything that made it and everything that was measured of it.

    It is an adapter or, where it was compressed, a whole model. One that a ``department`` taught answers what is about that
    department, another one the rest. A shop without a live version is served by the adapter that ships.
    """

    class State(models.TextChoices):
        CANDIDATE = "candidate"
        SHADOW = "shadow", "answers beside, nothing is sent"
        CANARY = "canary", "answers a share of the conversations"
        LIVE = "live"
        RETIRED = "retired"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="model_versions")
    name = models.CharField(max_length=60)
    recipe = models.CharField(max_length=12, choices=TrainingRun.Recipe.choices)
    run = models.OneToOneField(TrainingRun, models.RESTRICT, null=True, blank=True, related_name="version")
    dataset = models.ForeignKey(Dataset, models.RESTRICT, null=True, blank=True, related_name="versions")
    parent = models.ForeignKey(
        "self",
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="children",
        help_text="what was live when its run started: what a compressed version is made of",
    )
    department = models.CharField(
        max_length=120,
        blank=True,
        default="",
        help_text="the path of the category it answers for; empty: the whole shop",
    )
    folder = models.CharField(max_length=200, help_text="an adapter or a whole model, below VAR_DIR")
    artefact = models.CharField(max_length=80, help_text="the built model's name, as turns remember it")
    digests = models.JSONField(default=dict, help_text="SHA-256 of the weights and of what was built from them")
    code = models.JSONField(null=True, blank=True, help_text="commit, and whether it was modified")
    report = models.JSONField(
        default=dict, blank=True, help_text="its evaluation, side by side with what was live then"
    )
    gate = models.JSONField(default=dict, blank=True, help_text="the gate's verdict, line by line")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CANDIDATE)
    share = models.PositiveSmallIntegerField(default=0, help_text="percent of the conversations, as a canary")
    created_at = models.DateTimeField(auto_now_add=True)
    state_since = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "name"], name="version_name_once_per_shop"),
            *(
                models.UniqueConstraint(
                    fields=["shop", "department"], condition=Q(state=state), name=f"one_{state}_version"
                )
                for state in ("shadow", "canary", "live")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> Path:
        """Where its folder lies on this machine."""
        return Path(settings.VAR_DIR) / self.folder


class VersionChange(models.Model):
    """A version went from one state to another, and why. From these rows a rollback knows what was live before."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="changes")
    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    share = models.PositiveSmallIntegerField(default=0)
    instead_of = models.ForeignKey(
        ModelVersion,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="of one that goes live: what was live before it; none is what ships",
    )
    reason = models.TextField(blank=True)
    by = _person("version_changes")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.before} -> {self.after}"


class BlindChoice(models.Model):
    """Which of two replies a reader liked better, not knowing which the version wrote. ``pair`` is a digest of both."""

    class Choice(models.TextChoices):
        VERSION = "version"
        LIVE = "live", "what was live"
        NEITHER = "neither"

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="blind_choices")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="blind_choices")
    pair = models.CharField(max_length=32)
    choice = models.CharField(max_length=7, choices=Choice.choices)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "reader", "pair"], name="one_choice_a_pair")]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.choice}"


class ShadowReply(models.Model):
    """What a shadow version would have answered; nobody was sent it."""

    turn = models.ForeignKey(Turn, models.CASCADE, related_name="shadow_replies")
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="shadow_replies")
    text = models.TextField(blank=True)
    written_by = models.CharField(max_length=10, choices=Turn.WrittenBy.choices)
    samples = models.JSONField(default=list)
    milliseconds = models.FloatField()
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "shadow replies"
        constraints = [models.UniqueConstraint(fields=["turn", "version"], name="shadow_once_per_turn")]

    def __str__(self) -> str:
        return f"{self.version_id} on {self.turn_id}"
