"""Who publishes: owners (the name space), users, and the tokens of their tools."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class Owner(models.Model):
    """A name that can own embeddings: `/{owner}`. Never given to anybody else once used."""

    name = models.CharField(max_length=96, unique=True)
    look_alike = models.CharField(max_length=96, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who signs in. The username is the name of the owner the person publishes under.

    `is_staff` marks administrators, `is_moderator` moderators.
    """

    owner = models.OneToOneField(Owner, on_delete=models.PROTECT, related_name="user")
    is_moderator = models.BooleanField(default=False)
    made_by_operator = models.BooleanField(default=False)
    about = models.CharField(max_length=280, blank=True)

    REQUIRED_FIELDS: ClassVar[list[str]] = []


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    """Named questions about tokens."""

    def usable(self) -> "AccessTokenQuerySet":
        """Neither revoked nor expired, and the person may sign in."""
        return self.filter(revoked_at__isnull=True, user__is_active=True).filter(
            models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=timezone.now())
        )


class AccessToken(models.Model):
    """A tool's credential. Only the SHA-256 of the secret is kept; `prefix` is for display.

    `scopes` is a list out of `read`, `publish`, `manage`, `train`.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=16)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"

    @property
    def is_usable(self) -> bool:
        """Whether the token itself still works (the person's account is another question)."""
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not expired


class SignInLink(models.Model):
    """A one-time way in for a person, as printed at the first start. Only the SHA-256 of the token is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"sign-in link of {self.user}"
