"""Where webhooks may go: the operator's list against addresses of every kind, and networks that stay closed."""

import pytest
from django.conf import settings

from hub import env
from hub.errors import Forbidden, Unacceptable
from hub.services.webhooks import targets

HOSTS = (
    "hooks.example.org, *.example.net, odd.example.org:8443, ci.lan:8080 http private, plain.example.org http"
)


@pytest.fixture(autouse=True)
def _listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", env.hook_hosts(HOSTS))


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example.org", "hooks.example.org", 443, "/"),
        ("https://hooks.example.org:443/a/b?c=d&e", "hooks.example.org", 443, "/a/b?c=d&e"),
        ("https://HOOKS.example.ORG/A", "hooks.example.org", 443, "/A"),
        ("https://a.example.net/x", "a.example.net", 443, "/x"),
        ("https://a.b.example.net/x", "a.b.example.net", 443, "/x"),
        ("https://odd.example.org:8443/", "odd.example.org", 8443, "/"),
        ("http://ci.lan:8080/x", "ci.lan", 8080, "/x"),
        ("https://ci.lan:8080/x", "ci.lan", 8080, "/x"),
        ("http://plain.example.org/x", "plain.example.org", 80, "/x"),
        ("https://plain.example.org/x", "plain.example.org", 443, "/x"),
    ],
)
def test_a_listed_address_is_taken(url: str, host: str, port: int, path: str) -> None:
    found = targets.target(url)
    assert (found.host, found.port, found.path) == (host, port, path)
    assert found.is_tls == url.lower().startswith("https:")
    assert found.may_be_private == (host == "ci.lan")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://example.org/", "only to"),
        ("https://example.net/", "only to"),  # the name itself is not below itself
        ("https://evilexample.net/", "only to"),
        ("https://hooks.example.org.evil.example/", "only to"),
        ("https://hooks.example.org./", "only to"),
        ("https://127.0.0.1/", "only to"),
        ("https://[::1]/", "only to"),
        ("https://2130706433/", "only to"),
        ("https://0x7f.1/", "only to"),
        ("https://hooks.example.org:22/", "port"),
        ("https://hooks.example.org:0/", "port"),
        ("https://hooks.example.org:65536/", "port"),
        ("https://hooks.example.org:x/", "port"),
        ("https://odd.example.org/", "port"),
        ("http://hooks.example.org:443/", "https://"),
        ("http://a.example.net:443/", "https://"),
        ("http://hooks.example.org/", "https://"),
        ("https://user:pass@hooks.example.org/", "user and password"),
        ("https://hooks.example.org@evil.example/", "user and password"),
        ("https://evil.example\\@hooks.example.org/", "plain letters"),
        ("https://hooks.example.org/#top", "#"),
        ("https://hooks.example.org/a b", "plain letters"),
        ("https://hooks.example.org/\r\nX: y", "plain letters"),
        ("https://hooks.example.org/ä", "plain letters"),
        ("https://hooks.ex\u0430mple.org/", "plain letters"),  # a Cyrillic letter
        ("https://hooks.example.org/" + "a" * 500, "at most 500"),
        ("ftp://hooks.example.org/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("//hooks.example.org/", "https://"),
        ("hooks.example.org", "https://"),
        ("https://", "https://"),
        ("", "https://"),
        ("https://[::1", "cannot be read"),
    ],
)
def test_any_other_address_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(Unacceptable) as refused:
        targets.target(url)
    assert refused.value.field == "url" and why in refused.value.message


def test_without_a_list_webhooks_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", ())
    with pytest.raises(Forbidden) as refused:
        targets.target("https://hooks.example.org/")
    assert refused.value.code == "webhooks_off"


PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]
PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "10.1.2.3",
    "172.16.0.9",
    "192.168.1.1",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
]
NEVER = [
    "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1",
    "ff02::1", "255.255.255.255", "240.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::127.0.0.1",
    "2001:0:7f00:1::", "64:ff9b:1::7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_network_is_open(address: str) -> None:
    assert targets.is_open(address, may_be_private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_network_is_open_where_the_list_says_so(address: str) -> None:
    assert not targets.is_open(address, may_be_private=False)
    assert targets.is_open(address, may_be_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_what_is_no_hosts_or_holds_a_clouds_credentials_is_never_open(address: str) -> None:
    assert not targets.is_open(address, may_be_private=False)
    assert not targets.is_open(address, may_be_private=True)


@pytest.mark.parametrize(
    "text",
    ["http://a.example", "a.example b", "*", "a.example:0x", "u@a.example", "*.*.a", "a/b", "ä.example"],
)
def test_a_list_that_cannot_be_read_stops_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="HUB_WEBHOOK_HOSTS"):
        env.read({"HUB_WEBHOOK_HOSTS": text})
