"""Where webhooks may go: the operator's list of hosts, what an address must look like, which networks are closed.

Nothing here connects; `hub.wire.outgoing` asks again for every call, since names and lists change.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from hub.env import HookHost
from hub.errors import Forbidden, Unacceptable

MAX_URL: Final = 500
USUAL_PORTS: Final = {"https": 443, "http": 80}
# Ways to write an IPv4 address inside an IPv6 one, which a gateway would carry on to it.
_CARRIERS: Final = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Target:
    """A checked address: where to connect, what to ask for there, and whether private networks are open to it."""

    is_tls: bool
    host: str
    port: int
    path: str
    may_be_private: bool


def allowed() -> tuple[HookHost, ...]:
    """The operator's list; empty while webhooks are off."""
    hosts: tuple[HookHost, ...] = settings.HUB["HUB_WEBHOOK_HOSTS"]
    return hosts


def in_words() -> list[str]:
    """The list for the people who may use it: what an address has to begin with."""
    return [_in_words(host) for host in allowed()]


def require_on() -> None:
    """Forbidden `webhooks_off` while the operator allows no host."""
    if not allowed():
        raise Forbidden(
            "webhooks_off", "Webhooks are off on this hub: its operator allows no hosts for them."
        )


def target(url: str) -> Target:
    """The address, if webhooks may go there now. Unacceptable about `url` else, Forbidden while they are off."""
    require_on()
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _refused(
            f"An address has at most {MAX_URL} plain letters; write others as %-codes or punycode."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("Host or port cannot be read; a port is a number from 1 to 65535.") from None
    if parts.scheme not in USUAL_PORTS or not parts.hostname:
        raise _refused("Give a whole address that begins with https://.")
    if "@" in parts.netloc:
        raise _refused("Leave user and password out of the address; the signature says who is calling.")
    if parts.fragment:
        raise _refused("Leave the part after # out; it is never sent.")
    port = USUAL_PORTS[parts.scheme] if port is None else port
    rule = _rule(parts.scheme, parts.hostname, port)
    path = parts.path or "/"
    return Target(
        is_tls=parts.scheme == "https",
        host=parts.hostname,
        port=port,
        path=f"{path}?{parts.query}" if parts.query else path,
        may_be_private=rule.private,
    )


def is_open(text: str, *, may_be_private: bool) -> bool:
    """Whether a call may go to this IP address: to public ones, and to private ones and this machine if so allowed.

    Link-local addresses, where clouds keep their machines' credentials, are never open, nor is what is no host's.
    """
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if inner is not None:
            address = inner
        elif address == ipaddress.IPv6Address("::1"):
            return may_be_private
        elif address.sixtofour or address.teredo or any(address in net for net in _CARRIERS):
            return False
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_global:
        return True
    return may_be_private and (address.is_private or address.is_loopback) and not _is_nobodys(address)


def _is_nobodys(address: Address) -> bool:
    """The rest of what the address library calls private: broadcast, this network, reserved."""
    return address.is_reserved or (address.version == 4 and address.packed[0] in (0, 255))


def _rule(scheme: str, host: str, port: int) -> HookHost:
    """The entry of the list that lets this through."""
    named = [rule for rule in allowed() if _is_named(rule, host)]
    if not named:
        raise _refused(f"This hub sends webhooks only to {', '.join(in_words())}.", rule="host")
    named = [rule for rule in named if scheme == "https" or rule.http]
    if not named:
        raise _refused(f"Webhooks to {host} need https://.", rule="https")
    found = [rule for rule in named if port == (rule.port or USUAL_PORTS[scheme])]
    if not found:
        raise _refused(
            f"The port is not one that this hub's operator allows; webhooks go to {', '.join(in_words())}.",
            rule="port",
        )
    return found[0]


def _is_named(rule: HookHost, host: str) -> bool:
    return host.endswith(f".{rule.name}") if rule.below else host == rule.name


def _in_words(host: HookHost) -> str:
    scheme = "http(s)" if host.http else "https"
    name = f"[{host.name}]" if ":" in host.name else host.name
    return f"{scheme}://{'*.' if host.below else ''}{name}{f':{host.port}' if host.port else ''}"


def _refused(message: str, rule: str | None = None) -> Unacceptable:
    return Unacceptable("field_invalid", message, field="url", rule=rule)
