"""Signatures as of Standard Webhooks (standardwebhooks.com), and the secrets that make them."""

import base64
import hashlib
import hmac
import secrets

from django.utils.crypto import salted_hmac

from hub.models import Webhook


def new_nonce() -> str:
    """What a new secret is made of."""
    return secrets.token_urlsafe(32)


def secret_of(nonce: str) -> str:
    """The secret that a nonce stands for, as its owner keeps it: `whsec_` and base64.

    Made from the hub's own key, so that neither the database nor a backup of it can sign.
    """
    return "whsec_" + base64.b64encode(_key(nonce)).decode()


def headers(webhook: Webhook, *, key: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of one attempt at `at` (seconds since 1970): while two secrets hold, both sign."""
    signed = f"{key}.{at}.".encode() + body
    found = (hmac.new(_key(nonce), signed, hashlib.sha256).digest() for nonce in webhook.nonces)
    return {
        "webhook-id": key,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in found),
    }


def _key(nonce: str) -> bytes:
    return salted_hmac("hub.webhooks", nonce, algorithm="sha256").digest()
