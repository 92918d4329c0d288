"""Tools that ask to be signed in: a code on their screen, allowed or refused by a person in the browser."""

from django.db import models

from hub.models.people import User


class DeviceLogin(models.Model):
    """One request for a token. Only the SHA-256 of the tool's own code is kept; `user_code` is what a person types.

    `user` and `scopes` are set by whoever allows it. It is gone once its token was made, or it has expired.
    """

    class State(models.TextChoices):
        """What the person said."""

        WAITING = "waiting", "waiting"
        ALLOWED = "allowed", "allowed"
        REFUSED = "refused", "refused"

    digest = models.CharField(max_length=64, unique=True)
    user_code = models.CharField(max_length=9, unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.user_code
