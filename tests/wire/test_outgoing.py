"""Calls to hosts of the operator's list: to the checked address and nowhere else, and never for long."""

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from hub import env
from hub.wire import outgoing
from tests.parts.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def allow(monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", env.hook_hosts(hosts))


def leading(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let every name lead to these addresses, another answer at each look-up; the names that were looked up."""
    asked, real = [], socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "127.0.0.1":  # where the checked address itself is connected to
            return real(host, port, *args, **kwargs)
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def post(url: str) -> int:
    return outgoing.post(url, body=b"{}", headers={"Content-Type": "application/json"})


def refusal(url: str) -> str:
    with pytest.raises(outgoing.Undelivered) as refused:
        post(url)
    return str(refused.value)


def test_a_call_arrives(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, f"127.0.0.1:{receiver.port} http private")
    receiver.answers = [204, 500]
    assert [post(receiver.url), post(receiver.url)] == [204, 500]
    call = receiver.calls[0]
    assert (call.path, call.body) == ("/hook", b"{}")
    assert call.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_name_that_leads_inside_is_not_called(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, f"hooks.example.org:{receiver.port} http")
    leading(monkeypatch, ["127.0.0.1"])
    assert "private network" in refusal(f"http://hooks.example.org:{receiver.port}/")
    assert receiver.calls == []


def test_one_private_address_among_several_is_enough(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, f"hooks.example.org:{receiver.port} http")
    leading(monkeypatch, ["93.184.215.14", "::ffff:127.0.0.1"])
    assert "private network" in refusal(f"http://hooks.example.org:{receiver.port}/")


def test_a_name_is_looked_up_once_so_that_it_cannot_change_between_check_and_call(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, f"hooks.example.org:{receiver.port} http private")
    asked = leading(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])
    assert post(f"http://hooks.example.org:{receiver.port}/x") == 200
    assert asked == ["hooks.example.org"]
    assert receiver.calls[0].headers["host"] == f"hooks.example.org:{receiver.port}"
    assert "private network" in refusal(f"http://hooks.example.org:{receiver.port}/x")


def test_a_proxy_of_the_environment_is_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, f"127.0.0.1:{receiver.port} http private")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert post(receiver.url) == 200


def test_a_redirect_is_an_answer_and_is_not_followed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, f"127.0.0.1:{receiver.port} http private")
    receiver.answers, receiver.headers = [307], {"Location": receiver.url + "/elsewhere"}
    assert post(receiver.url) == 307
    assert len(receiver.calls) == 1
    assert "redirect" in outgoing.refusal(307)


def test_a_host_that_was_taken_off_the_list_is_not_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, "hooks.example.org")
    assert "only to https://hooks.example.org" in refusal(receiver.url)
    allow(monkeypatch, "")
    assert "off on this hub" in refusal(receiver.url)
    assert receiver.calls == []


@pytest.mark.parametrize("drip", [0.05, 5.0])
def test_an_answer_that_trickles_in_ends_after_the_limit(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, drip: float
) -> None:
    allow(monkeypatch, f"127.0.0.1:{receiver.port} http private")
    monkeypatch.setattr(outgoing, "SECONDS", 0.6)
    receiver.drip = drip
    start = time.monotonic()
    assert "No answer within" in refusal(receiver.url)
    # The answer itself goes on for half a minute or more.
    assert time.monotonic() - start < 25


def test_an_endless_body_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        allow(monkeypatch, f"127.0.0.1:{port} http private")
        import threading

        sent = []

        def flood() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
                try:
                    for _ in range(10_000):
                        sent.append(connection.send(b"x" * 65536))
                except OSError:
                    return

        thread = threading.Thread(target=flood)
        thread.start()
        assert post(f"http://127.0.0.1:{port}/") == 200
        thread.join(10)
        assert sum(sent) < 64 << 20


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 banana\r\n\r\n"])
def test_what_does_not_speak_http_is_told_without_its_words(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        allow(monkeypatch, f"127.0.0.1:{port} http private")

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        told = refusal(f"http://127.0.0.1:{port}/")
        thread.join(10)
    assert "does not speak HTTP" in told and "SSH" not in told and "banana" not in told


def test_nobody_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    allow(monkeypatch, f"127.0.0.1:{port} http private, nowhere.invalid")
    assert "refused" in refusal(f"http://127.0.0.1:{port}/")
    assert "no address" in refusal("https://nowhere.invalid/")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for `hooks.example.org`, which only those trust who are told to; the key beside it."""
    path = tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", tmp_path / "key.pem",
         "-out", path, "-subj", "/CN=hooks.example.org", "-addext", "subjectAltName=DNS:hooks.example.org"],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


def test_tls_holds_the_name_although_the_connection_goes_to_the_address(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.parent / "key.pem")
    with receiving(tls) as receiver:
        allow(
            monkeypatch,
            f"hooks.example.org:{receiver.port} private, other.example.org:{receiver.port} private",
        )
        leading(monkeypatch, ["127.0.0.1"])
        good, bad = (f"https://{name}.example.org:{receiver.port}/x" for name in ("hooks", "other"))
        assert "certificate" in refusal(good)  # nobody vouches for it
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert post(good) == 200
        assert "certificate" in refusal(bad)  # it is another's
        assert [call.headers["host"] for call in receiver.calls] == [f"hooks.example.org:{receiver.port}"]
