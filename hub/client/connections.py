"""Connections that stay open: one for each thread and host, through the proxy that the environment names."""

import base64
import http.client
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from hub.client.names import origin

# What a connection dies of that the other end has closed while nothing was going on.
_STALE: Final = (
    http.client.RemoteDisconnected,
    ConnectionResetError,
    BrokenPipeError,
    ConnectionAbortedError,
)
# Bytes, or pieces of them that can be gone through again.
Body = bytes | Iterable[bytes]
# More open hosts than this in one thread, and the oldest is closed.
_MOST: Final = 4


class Connections:
    """The open connections of all threads."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._local = threading.local()
        self._lock = threading.Lock()
        self._all: set[http.client.HTTPConnection] = set()
        self._closed = False

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | None = None,
        patience: float | None = None,
    ) -> http.client.HTTPResponse:
        """The answer to one request. OSError or HTTPException when there is none, `patience` seconds long.

        A kept connection may have been closed by the other end; then alone the request goes out a second time.
        """
        where = origin(url)
        mine = self._mine()
        was_open = where in mine and mine[where].sock is not None
        try:
            return self._send(where, method, url, headers, body, patience)
        except _STALE:
            self._drop_one(where)
            if not was_open or self._closed or method not in ("GET", "HEAD"):
                raise
        return self._send(where, method, url, headers, body, patience)

    def drop(self) -> None:
        """Close this thread's connections: something is left on them that nobody will read."""
        for where in list(self._mine()):
            self._drop_one(where)

    def close_all(self) -> None:
        """Close the connections of all threads; whoever waits on one is woken by an OSError."""
        self._closed = True
        with self._lock:
            for connection in self._all:
                sock = connection.sock
                if sock is not None:
                    try:
                        sock.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        continue

    def _send(
        self,
        where: tuple[str, str, int],
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | None,
        patience: float | None,
    ) -> http.client.HTTPResponse:
        if self._closed:
            raise ConnectionAbortedError("stopped")
        connection, through_proxy = self._connection(where)
        self._wait_for(connection, patience)
        parts = urlsplit(url)
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        if through_proxy:
            target = f"http://{parts.netloc}{target}"
        own = {"User-Agent": agent(), "Accept-Encoding": "identity", **self._proxy_headers(through_proxy)}
        connection.request(method, target, body=body, headers={**own, **headers})
        return connection.getresponse()

    def _wait_for(self, connection: http.client.HTTPConnection, patience: float | None) -> None:
        connection.timeout = self._timeout if patience is None else patience
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)

    def _connection(self, where: tuple[str, str, int]) -> tuple[http.client.HTTPConnection, bool]:
        """An open or new connection, and whether it leads to a proxy that wants whole addresses."""
        scheme, host, port = where
        proxy = proxy_for(scheme, host)
        mine = self._mine()
        connection = mine.pop(where, None)
        if connection is None:
            connection = self._made(scheme, host, port, proxy)
            with self._lock:
                self._all.add(connection)
        mine[where] = connection
        while len(mine) > _MOST:
            self._drop_one(next(iter(mine)))
        return connection, proxy is not None and scheme == "http"

    def _made(self, scheme: str, host: str, port: int, proxy: str | None) -> http.client.HTTPConnection:
        target = urlsplit(proxy) if proxy else None
        to_host, to_port = (target.hostname or "", target.port or 80) if target else (host, port)
        if scheme == "http":
            return http.client.HTTPConnection(to_host, to_port, timeout=self._timeout)
        secure = http.client.HTTPSConnection(to_host, to_port, timeout=self._timeout, context=_context())
        if target:
            secure.set_tunnel(host, port, headers=_proxy_login(proxy or ""))
        return secure

    def _proxy_headers(self, through_proxy: bool) -> dict[str, str]:
        return _proxy_login(getproxies().get("http", "")) if through_proxy else {}

    def _mine(self) -> dict[tuple[str, str, int], http.client.HTTPConnection]:
        mine: dict[tuple[str, str, int], http.client.HTTPConnection] | None = getattr(
            self._local, "mine", None
        )
        if mine is None:
            mine = self._local.mine = {}
        return mine

    def _drop_one(self, where: tuple[str, str, int]) -> None:
        connection = self._mine().pop(where, None)
        if connection is not None:
            connection.close()
            with self._lock:
                self._all.discard(connection)


@cache
def agent() -> str:
    """How the client calls itself."""
    try:
        return f"glossa/{metadata.version('glossa')}"
    except metadata.PackageNotFoundError:
        return "glossa"


@cache
def proxy_for(scheme: str, host: str) -> str | None:
    """The proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name for a host, or None."""
    proxy = getproxies().get(scheme)
    if not proxy or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _proxy_login(proxy: str) -> dict[str, str]:
    """The header with the name and password that stand in the proxy's address."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}
