"""What no press of a button leads to, done in the hub's own shell."""

from tests.journeys.hub_process import Hub

PASSWORD = "a long enough word list"
# A second person, with a password and a second factor; the address of a new password; the page of a broken hub.
_PERSON = f"""
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.template.loader import render_to_string
from hub.services.people import accounts
noor = accounts.create_user(name="noor", email="noor@example.org", password="{PASSWORD}")
TOTP.activate(noor, generate_totp_secret())
RecoveryCodes.activate(noor)
print("RESET", user_pk_to_url_str(noor) + "-" + default_token_generator.make_token(noor))
print("BROKEN", render_to_string("errors/500.html", {{"status": 500, "request_id": "8c1f2ab0", "detail": {{}}}}))
"""
_FAILED = """
from trainer.models import TrainingRun
run = TrainingRun.objects.filter(state="cancelled").latest("created_at")
run.state, run.fault, run.message = "failed", "machine", "The worker was lost three times at step 0."
run.save()
"""
_EMPTY = "from hub.models import Embedding; Embedding.objects.update(visibility='private')"


def second_person(hub: Hub) -> tuple[str, str]:
    """Make Noor; the key with which she sets a new password, and the hub's page for when it is broken."""
    said = hub.manage("shell", "-c", _PERSON).stdout
    key, page = said.partition("RESET ")[2].split("\nBROKEN ")
    return key, page


def fail_the_stopped_run(hub: Hub) -> None:
    """As if the machine had given up on the run that was stopped last."""
    hub.manage("shell", "-c", _FAILED)


def hide_everything(hub: Hub) -> None:
    """An empty dictionary for strangers."""
    hub.manage("shell", "-c", _EMPTY)
