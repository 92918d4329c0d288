"""HTTP to one hub: connections kept open and shared by no two threads, redirects and tokens under strict rules.

- Only http and https, never from https down to http.
- The token goes to the hub's own scheme, host and port, and after a redirect away from there to nobody any more.
- A call that changes nothing, or carries an idempotency key, is made again when the network or the hub falters.
"""

import http.client
import json
import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urljoin

from hub.client.connections import Body, Connections
from hub.client.errors import ClientError, Exit, unreachable, untrusted
from hub.client.names import origin, printable
from hub.client.settings import Account

TIMEOUT: Final = 30.0
ATTEMPTS: Final = 5
LONGEST_WAIT: Final = 330.0  # a hub counts calls in windows of 300 seconds
MAX_REDIRECTS: Final = 5
MAX_ANSWER: Final = 64 << 20
# What a hub says to a call that it has in hand already, and how often it is asked for its answer.
STILL_RUNNING: Final = "still_running"
LOOK_AGAIN: Final = "5"
MOST_LOOKS: Final = 130
# What is refused until one has asked on its page, by the door that says so.
GATED: Final = frozenset({"gated", "gated_repo"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_AGAIN: Final = frozenset({429, 502, 503, 504})
_EXITS: Final = {
    401: Exit.NOT_ALLOWED, 403: Exit.NOT_ALLOWED, 404: Exit.NOT_FOUND, 410: Exit.NOT_FOUND, 451: Exit.NOT_FOUND,
    429: Exit.UNREACHABLE,
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One request. `retries`: making it twice does no harm. `patience`: seconds to wait for each part of the answer."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    retries: bool = True
    patience: float | None = None


class Transport:
    """Calls to one hub. `note` is told what a person would want to know while they wait."""

    def __init__(
        self,
        account: Account,
        *,
        note: Callable[[str], None] = lambda _text: None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.hub = account.hub
        self._token = account.token
        self._note = note
        self._sleep = sleep
        self._connections = Connections(TIMEOUT)
        self._has_answered = False
        self.stopped = threading.Event()

    @property
    def has_token(self) -> bool:
        """Whether calls to the hub carry a token."""
        return self._token is not None

    def url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """The address of a path of this hub."""
        return f"{self.hub}/{path}" + (f"?{urlencode(query)}" if query else "")

    def json(self, call: Call) -> Any:
        """The JSON that answers. ClientError for a refusal, and for what is no JSON."""
        try:
            body = self._read(call)
        except ClientError as error:
            if (
                error.code != "unreachable"
                or not self._has_answered
                or not call.retries
                or self.stopped.is_set()
            ):
                raise
            # It began to answer and broke off.
            body = self._read(call)
        return self._parsed(call, body)

    def _read(self, call: Call) -> bytes:
        with self.opened(call) as response:
            return self.whole(response)

    def _parsed(self, call: Call, body: bytes) -> Any:
        try:
            return json.loads(body) if body else None
        except (ValueError, RecursionError):
            raise untrusted(
                f"{call.url} does not answer in JSON. Is {self.hub} the address of a Glossa hub?"
            ) from None

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON at a path of the hub."""
        return self.json(Call("GET", self.url(path, query), {"Accept": "application/json"}))

    def whole(self, response: http.client.HTTPResponse) -> bytes:
        """A whole answer, of a size that an honest hub stays under."""
        body = response.read(MAX_ANSWER + 1)
        if len(body) > MAX_ANSWER:
            self._connections.drop()
            raise untrusted(f"{self.hub} answers with more than {MAX_ANSWER >> 20} MiB.")
        if response.length:
            raise http.client.IncompleteRead(body, response.length)
        return body

    @contextmanager
    def opened(self, call: Call) -> Iterator[http.client.HTTPResponse]:
        """The answer (2xx) to a call, its body still to be read. ClientError for a refusal or no answer."""
        response = self._answer(call)
        try:
            yield response
        except (OSError, http.client.HTTPException) as error:
            self._connections.drop()
            raise self._broken(call.url, error) from None
        except BaseException:
            # The rest of the body is still on the line.
            self._connections.drop()
            raise
        if not response.isclosed():
            self._connections.drop()

    def stop(self) -> None:
        """End all calls, in whatever thread they are: Ctrl-C does not wait for a slow hub."""
        self.stopped.set()
        self._connections.close_all()

    def _answer(self, call: Call) -> http.client.HTTPResponse:
        attempt, attempts, looks = 0, ATTEMPTS if call.retries else 1, 0
        while True:
            attempt += 1
            try:
                response = self._followed(call)
            except (OSError, http.client.HTTPException) as error:
                self._connections.drop()
                if attempt >= attempts or not self._may_pass(error):
                    raise self._broken(call.url, error) from None
                self._pause(attempt, None, f"{_reason(error)}.")
                continue
            self._has_answered = True
            if 200 <= response.status < 300:
                return response
            after = response.headers.get("Retry-After", "")
            refusal = self._refusal(call, response)
            if refusal.code == STILL_RUNNING and looks < MOST_LOOKS and not self.stopped.is_set():
                # The hub has this very call in hand: no attempt was lost, its answer will be ours.
                looks, attempt, after = looks + 1, 0, LOOK_AGAIN
            elif response.status not in _AGAIN or attempt >= attempts or self.stopped.is_set():
                raise refusal
            self._pause(attempt, after, refusal.message)

    def _followed(self, call: Call) -> http.client.HTTPResponse:
        """The answer after all redirects."""
        url, at_home = call.url, True
        for _ in range(MAX_REDIRECTS + 1):
            here = origin(url)
            at_home = at_home and here == origin(self.hub)
            headers = {**call.headers, **self._identity(at_home)}
            response = self._connections.call(call.method, url, headers, call.body, call.patience)
            if response.status not in _REDIRECTS:
                return response
            response.read(1 << 16)
            if not response.isclosed():
                self._connections.drop()
            url = self._next(call, url, response.headers.get("Location", ""))
        raise untrusted(f"{call.url} leads from one address to the next without end.")

    def _next(self, call: Call, url: str, location: str) -> str:
        """Where a redirect leads, if it may."""
        target = urljoin(url, location)
        here, there = origin(url), origin(target)
        if not location:
            raise untrusted(f"{url} leads on to nowhere.")
        if here[0] == "https" and there[0] == "http":
            raise untrusted(f"{url} leads from https to plain http, which is not followed.")
        if call.method not in ("GET", "HEAD") and here != there:
            raise untrusted(f"{url} wants what is sent to it to go to {there[1]}, which is not done.")
        return target

    def _identity(self, at_home: bool) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token and at_home else {}

    def _pause(self, attempt: int, after: str | None, reason: str) -> None:
        """Wait before the next attempt: as long as the hub asks for, else longer each time."""
        wait = 0.5 * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311  no secret
        if after and after.isascii() and after.isdigit():
            wait = float(after[:6])
        if wait > LONGEST_WAIT:
            raise unreachable(f"{self.hub} asks to come back in {wait:.0f} seconds: {reason}")
        if wait >= 1:
            self._note(f"{reason} Trying again in {wait:.0f} s.")
        if self._sleep is time.sleep:
            self.stopped.wait(wait)
        else:
            self._sleep(wait)

    def _refusal(self, call: Call, response: http.client.HTTPResponse) -> ClientError:
        """The hub's own words for why not, with an exit code."""
        status, body = response.status, b""
        try:
            body = response.read(1 << 20)
            record: Any = json.loads(body)
        except (OSError, http.client.HTTPException, ValueError, RecursionError):
            record = None
        if not response.isclosed():
            self._connections.drop()
        code, message, detail = _told(record, status)
        if code.startswith("http_") and response.headers.get("X-Error-Code"):
            code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", response.headers["X-Error-Code"])[:60].lower()
        if code in GATED:
            code, page = "gated", (detail.get("detail") or {}).get("page", "")
            message += f" {printable(page)}" if isinstance(page, str) and page else ""
            message += "" if self.has_token else f" Then log in: glossa login {self.hub}"
        elif status in (401, 404) and not self.has_token:
            message += f" If it is private, log in first: glossa login {self.hub}"
        exit_code = _EXITS.get(status, Exit.UNREACHABLE if status >= 500 else Exit.REFUSED)
        return ClientError(exit_code, code, message, status=status, url=call.url, **detail)

    def _may_pass(self, error: Exception) -> bool:
        """Whether to try again: a hub that was there is likely to come back, a wrong address is not."""
        if self.stopped.is_set() or isinstance(error, ssl.SSLCertVerificationError):
            return False
        return self._has_answered or not isinstance(error, ConnectionRefusedError | socket.gaierror)

    def _broken(self, url: str, error: Exception) -> ClientError:
        host = origin(url)[1]
        return unreachable(f"No answer from {host}: {_reason(error)}. Is the hub up, and {self.hub} right?")


def _reason(error: Exception) -> str:
    """What went wrong on the way, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return printable(getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")


def _told(record: Any, status: int) -> tuple[str, str, dict[str, Any]]:
    """Code, sentence and detail of a refusal, whatever door it came from."""
    error = record.get("error") if isinstance(record, dict) else None
    if isinstance(error, dict):
        detail = {"request_id": error.get("request_id"), "detail": error.get("detail") or None}
        return str(error.get("code")), printable(error.get("message"))[:1000], detail
    if isinstance(error, str):
        return f"http_{status}", printable(error)[:1000], {}
    return (
        f"http_{status}",
        f"The hub answers {status} {http.client.responses.get(status, '')}.".replace(" .", "."),
        {},
    )
