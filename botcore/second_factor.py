"""The second factor: six figures of an authenticator app (TOTP, RFC 6238), or one of ten recovery codes.

The secret is sealed, recovery codes are digests, and a code is taken once. Counting of failures: :mod:`botcore.sign_in`.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass

import pyotp
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import salted_hmac

from botcore.models import SecondFactor, SignInRule
from botcore.security import seal, unseal

ISSUER = "Daogou"
DRIFT = 1
"""Steps of 30 seconds by which the app's clock may be early or late."""
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Nothing that is misread for another."""


@dataclass(frozen=True)
class Proof:
    """A code that was right. ``recovery_codes_left`` is None where it was the app's."""

    recovery_codes_left: int | None = None


def new_secret() -> str:
    """What the app and we are to share, base32 (160 bits)."""
    return pyotp.random_base32()


def address(user: User, secret: str) -> str:
    """What the app reads from the picture: an ``otpauth:`` address."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.get_username(), issuer_name=ISSUER)


@transaction.atomic
def enable(user: User, secret: str, code: str) -> list[str] | None:
    """Keep the secret if ``code`` is the app's; the recovery codes, which are shown this once. None: it is not."""
    step = _step_of(secret, code)
    if step is None:
        return None
    SecondFactor.objects.filter(user=user).delete()
    factor = SecondFactor(user=user, sealed_secret=seal({"secret": secret}), last_step=step)
    codes = _renew(factor)
    factor.save()
    return codes


def disable(user: User) -> None:
    """The password alone lets this person in again."""
    SecondFactor.objects.filter(user=user).delete()


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten new ones; the old ones are worth nothing any more. Raises ``SecondFactor.DoesNotExist``."""
    factor = SecondFactor.objects.select_for_update().get(user=user)
    codes = _renew(factor)
    factor.save(update_fields=["recovery_digests"])
    return codes


@transaction.atomic
def check(user: User, code: str) -> Proof | None:
    """Whether ``code`` is the app's now, or a recovery code that is left; it is used up. None: neither."""
    factor = SecondFactor.objects.select_for_update().filter(user=user).first()
    if factor is None:
        return None
    step = _step_of(unseal(factor.sealed_secret)["secret"], code)
    if step is not None:
        if step <= factor.last_step:
            return None
        factor.last_step = step
        factor.save(update_fields=["last_step"])
        return Proof()
    return _recovered(factor, code)


def has(user: User) -> bool:
    """Whether this person has one."""
    return SecondFactor.objects.filter(user=user).exists()


def demanded(user: User) -> bool:
    """Whether the installation or a shop of theirs wants one of this person."""
    if settings.REQUIRE_SECOND_FACTOR:
        return True
    return SignInRule.objects.filter(shop__members__user=user, second_factor=True).exists()


def owed(user: User) -> bool:
    """Whether one is wanted that is not there: until it is, the console is closed to this person. One query."""
    if settings.REQUIRE_SECOND_FACTOR:
        return not has(user)
    without = user.memberships.filter(user__second_factor=None)
    return SignInRule.objects.filter(shop__members__in=without, second_factor=True).exists()


def _step_of(secret: str, code: str) -> int | None:
    """The time step that this code is of, within the drift allowed."""
    figures = "".join(code.split())
    if not (len(figures) == 6 and figures.isascii() and figures.isdigit()):
        return None
    totp = pyotp.TOTP(secret)
    now = int(time.time()) // totp.interval
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), figures):
            return step
    return None


def _renew(factor: SecondFactor) -> list[str]:
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    factor.recovery_digests = [_digest(code) for code in codes]
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _recovered(factor: SecondFactor, code: str) -> Proof | None:
    digest = _digest("".join(letter for letter in code.lower() if letter in ALPHABET))
    if digest not in factor.recovery_digests:
        return None
    factor.recovery_digests.remove(digest)
    factor.save(update_fields=["recovery_digests"])
    return Proof(recovery_codes_left=len(factor.recovery_digests))


def _digest(code: str) -> str:
    """Keyed with SECRET_KEY: a copy of the table alone cannot be searched for codes."""
    return salted_hmac("daogou recovery code", code, algorithm="sha256").hexdigest()
