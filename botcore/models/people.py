"""How people come in and stay in: invitations, the second factor, where they are signed in. Who is what: ShopMember."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from botcore.roles import Role
from catalog.models import Shop


class Invitation(models.Model):
    """A link that makes whoever opens it a member of a shop, once. Of its token only the digest is kept.

    It is open until it is accepted or revoked or its time is over.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=20, choices=Role.choices)
    email = models.EmailField(blank=True, help_text="whom it was sent to; empty: a link to be handed over")
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="invitations_made"
    )
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="invitations_accepted"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_has_a_role")]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.role} of {self.shop}"


class SecondFactor(models.Model):
    """A person's authenticator app, confirmed by a code of it; without this row there is none.

    ``last_step`` is the time step of the last code that was taken: none is taken twice.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="second_factor")
    sealed_secret = models.TextField(editable=False)
    last_step = models.BigIntegerField(default=0)
    recovery_digests = models.JSONField(default=list, help_text="of the recovery codes that are left")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.user)


class SignIn(models.Model):
    """A browser in which a person is signed in; its session knows the id. Without its row a session is worth nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sign_ins")
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(default=timezone.now, help_text="to within a few minutes")
    ip = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.user} from {self.ip}"


class SignInRule(models.Model):
    """What a shop demands of its members at the door."""

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="sign_in_rule")
    second_factor = models.BooleanField(default=False)

    def __str__(self) -> str:
        return str(self.shop)
