"""What the rooms of the model call the words that are stored: snapshots, runs, curves, versions and their measures."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from admin_console.labels.naming import Label
from botcore.learning.versions import SHIPPED
from botcore.models import DatasetRow, ModelVersion, TrainingRun

USES: dict[str, Label] = {
    DatasetRow.Use.SFT: _("To be written"),
    DatasetRow.Use.PREFERENCE: _("Better and worse"),
    DatasetRow.Use.VOTE: _("Customers' thumbs"),
}
PARTS: dict[str, Label] = {
    DatasetRow.Part.TRAIN: _("training"),
    DatasetRow.Part.VALIDATION: _("validation"),
    DatasetRow.Part.TEST: _("test"),
}
LEFT_OUT: dict[str, Label] = {
    "rejected": _("rejected, with no other reply given"),
    "not the model's words": _("not the model's words"),
    "says what may not be sent": _("says what may not be sent"),
    "empty": _("empty"),
    "too long": _("too long"),
    "too short": _("too short"),
    "other language": _("other language"),
    "spam": _("spam"),
    "near-duplicate": _("nearly the same as another"),
    "tested on": _("nearly the same as what is tested on"),
    "vote repeated": _("thumbs given again"),
    "vote against a merchant's word": _("thumbs against a merchant's word"),
    "vote above one customer's share": _("thumbs above one customer's share"),
}
LINEAGE: dict[str, Label] = {"annotation": _("a merchant's word"), "feedback": _("a customer's thumb")}
RECIPES: dict[str, Label] = {
    TrainingRun.Recipe.SFT: _("Wording (SFT)"),
    TrainingRun.Recipe.PREFERENCE: _("Wording, then preferences (SFT, DPO, KTO)"),
    TrainingRun.Recipe.ADVERSARIAL: _("Wording, then against a discriminator (SFT, GRPO)"),
    TrainingRun.Recipe.COMPRESS: _("Smaller and faster (pruning, distillation)"),
}
RIVALS: dict[str, Label] = {SHIPPED: _("the model that ships")}
OPTIONS: dict[str, Label] = {
    "department": _("Department"),
    "replay": _("Share of the base set"),
    "search_minutes": _("Look for good settings, minutes"),
    "epochs": _("Epochs, at most"),
    "lr": _("Learning rate"),
    "preference_epochs": _("Epochs of the preferences"),
    "preference_lr": _("Learning rate of the preferences"),
    "adversarial_steps": _("Steps against the discriminator"),
    "layers": _("Layers to leave out"),
    "healing": _("Replies of the base set that heal"),
    "briefs": _("Briefs in the evaluation"),
    "seed": _("Seed"),
}
RUN_STATES: dict[str, Label] = {
    TrainingRun.Status.QUEUED: _("waits"),
    TrainingRun.Status.RUNNING: _("runs"),
    TrainingRun.Status.DONE: _("done"),
    TrainingRun.Status.FAILED: _("broke off"),
    TrainingRun.Status.STOPPED: _("stopped"),
}
STAGES: dict[str, Label] = {
    "data": _("Gathering the data"),
    "search": _("Looking for the best settings"),
    "sft": _("Learning the wording"),
    "preference": _("Learning preferences"),
    "adversarial": _("Learning to write as people do"),
    "compress": _("Making the model smaller"),
    "building": _("Building the model"),
    "writing": _("Writing test replies"),
    "judging": _("Judging them"),
    "reading": _("Reading held-out replies"),
}
CURVES: dict[str, Label] = {
    "loss": _("Loss"),
    "validation": _("Loss on validation data"),
    "rewards/accuracies": _("Pairs told apart rightly"),
    "rewards/margins": _("Lead of the better reply"),
    "reward": _("Reward"),
    "discriminator": _("Told apart from people's replies"),
    "rewards/naturalness/mean": _("Taken for a person's, log odds"),
    "rewards/refused/mean": _("Fine for refused replies"),
    "imitation": _("Loss on people's replies"),
    "kl": _("Distance from the start"),
    "entropy": _("Entropy"),
    "grad_norm": _("Norm of the gradient"),
    "learning_rate": _("Learning rate"),
}
VERSION_STATES: dict[str, Label] = {
    ModelVersion.State.CANDIDATE: _("candidate"),
    ModelVersion.State.SHADOW: _("shadow"),
    ModelVersion.State.CANARY: _("canary"),
    ModelVersion.State.LIVE: _("live"),
    ModelVersion.State.RETIRED: _("retired"),
}
STEPS: dict[str, Label] = {
    ModelVersion.State.CANDIDATE: _("Make a candidate again"),
    ModelVersion.State.SHADOW: _("Let write in the shadow"),
    ModelVersion.State.CANARY: _("Let answer a share"),
    ModelVersion.State.LIVE: _("Make live"),
    ModelVersion.State.RETIRED: _("Retire"),
}
"""What a button says that brings a version into the state."""
MEASURES: dict[str, Label] = {
    "accepted": _("Replies the model wrote itself"),
    "accepted_samples": _("Texts that may be sent"),
    "unsupported_before": _("Unfounded claims in what it wrote"),
    "unsupported_after": _("Unfounded claims in what was sent"),
    "audited_before": _("False by the second audit, written"),
    "audited_after": _("False by the second audit, sent"),
    "wishes": _("Says nothing against a wish"),
    "wishes_named": _("Names a wish of the customer"),
    "distinct_2": _("Different word pairs"),
    "mean_length": _("Words of a reply"),
    "seconds_per_reply": _("Seconds for a reply"),
    "briefs": _("Test cases"),
    "samples": _("Texts written"),
    "replies": _("Merchants' replies"),
    "pairs": _("Pairs of replies"),
    "grounded": _("Says nothing unfounded"),
    "naturalness": _("Taken for a person's words"),
    "likelihood": _("Likelihood of what merchants wrote"),
    "preference": _("Prefers what merchants prefer"),
    "speed": _("Speed, the live version’s being 1"),
    "refused_for": _("Refused because"),
    "accepted_by_act": _("Written by the model, by act"),
    "nothing false is sent": _("Nothing false is sent"),
    "answer time": _("Answer time"),
    "better at something": _("Better at something"),
}
"""What is measured of a version, and the gate's lines."""
