"""How sign-up goes through our own service: names are checked as owners' names, and every user gets an owner."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest

from hub.errors import HubError
from hub.models import User
from hub.services.embeddings import names
from hub.services.people import accounts
from hub.wire import throttle


class AccountAdapter(DefaultAccountAdapter):
    """allauth's adapter, with accounts made by `hub.services.people.accounts`."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """As the operator says."""
        return bool(settings.HUB["HUB_SIGNUPS"])

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address whose failed sign-ins are counted, the same as for other calls."""
        return throttle.address_of(request)

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """A free owner name, in small letters. ValidationError with the rule that it breaks."""
        name = username.strip().lower()
        if not shallow:
            try:
                names.check_owner_name(name)
            except HubError as error:
                raise ValidationError(error.message, code=error.code) from None
        return name

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Make the account through the service; the unsaved `user` of allauth is not used."""
        data: dict[str, Any] = form.cleaned_data
        return accounts.create_user(
            name=data["username"], email=data.get("email") or "", password=data.get("password1") or None
        )
