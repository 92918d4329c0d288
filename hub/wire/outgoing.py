"""Calls that the hub makes for its users, to hosts of the operator's list only: webhooks.

A name is looked up once, every address that it has is checked, and the connection goes to that very address, so that
a name which changes its mind leads nowhere. No proxy, no redirect, little read, an end after a few seconds.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from hub.errors import HubError
from hub.services.webhooks import targets
from hub.services.webhooks.targets import Target

SECONDS: Final = 10.0
MOST_READ: Final = 16 << 10


class Undelivered(Exception):
    """There was no answer; the text says why, for the owner of the webhook."""


def post(url: str, *, body: bytes, headers: dict[str, str]) -> int:
    """Send the body; the status that was answered, whatever it is. Undelivered when there was none."""
    try:
        target = targets.target(url)
    except HubError as error:
        raise Undelivered(error.message) from None
    address = _address(target)
    connection = _Pinned(target, address)
    try:
        with _ending(connection):
            connection.connect()
            connection.request("POST", target.path, body=body, headers=headers)
            with connection.getresponse() as response:
                if connection.is_late:  # cut off in the middle of a header, which reads like the end of them
                    raise TimeoutError
                with suppress(OSError, http.client.HTTPException):
                    response.read(MOST_READ)
                return int(response.status)
    except (OSError, http.client.HTTPException) as error:
        raise Undelivered(_why(error, connection)) from None
    finally:
        connection.close()


def refusal(status: int) -> str:
    """What an answer outside of 200 to 299 means for the owner."""
    if 300 <= status < 400:
        return "The receiver answered with a redirect, which is not followed; put the final address in."
    name = http.client.responses.get(status, "")
    return f"The receiver answered {status}{f' {name}' if name else ''}."


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, which asks for a host by name."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.host, target.port, timeout=SECONDS)
        self.target, self.address, self.is_late = target, address, False
        # What the address says without its port where that is the usual one of its scheme.
        self.default_port = targets.USUAL_PORTS["https" if target.is_tls else "http"]

    def connect(self) -> None:
        """To the checked address; the certificate has to be the host's."""
        self.sock = socket.create_connection((self.address, self.port), self.timeout)
        if self.target.is_tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(
                self.sock, server_hostname=self.target.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()

    def end(self) -> None:
        """Stop whatever is going on, from another thread."""
        self.is_late = True
        if self.sock is not None:
            try:
                # Not the method of a TLS socket: that one would first forget that it has to encrypt.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
            except OSError:
                return


@contextmanager
def _ending(connection: _Pinned) -> Iterator[None]:
    """Let nothing inside take longer: timeouts of sockets begin anew with each byte that trickles in."""
    timer = threading.Timer(SECONDS, connection.end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _address(target: Target) -> str:
    """The address to connect to. Undelivered when there is none, or one of them leads where it must not."""
    try:
        found: list[Any] = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Undelivered(f"There is no address for the name {target.host}.") from None
    addresses = [str(one[4][0]) for one in found]
    if not all(targets.is_open(one, may_be_private=target.may_be_private) for one in addresses):
        raise Undelivered(f"{target.host} leads to a private network, which this hub does not call.")
    return addresses[0]


def _why(error: OSError | http.client.HTTPException, connection: _Pinned) -> str:
    """A sentence for the owner, without anything of what the other side sent."""
    if connection.is_late or isinstance(error, TimeoutError):
        return f"No answer within {SECONDS:g} seconds."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate is not good for {connection.host}: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return "No encrypted connection could be made."
    if isinstance(error, ConnectionRefusedError):
        return "Nobody listens there: the connection was refused."
    if isinstance(error, http.client.HTTPException):
        return "What answered does not speak HTTP, or hung up in the middle."
    return f"The connection failed: {error.strerror or type(error).__name__}."


def milliseconds_since(start: float) -> int:
    """How long it took since that moment of the monotonic clock."""
    return round((time.monotonic() - start) * 1000)
