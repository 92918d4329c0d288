"""A server that answers whatever a test tells it to, and remembers what it was asked."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "c" * 40


@dataclass
class Answer:
    """One answer. `breaks_after`: only so many bytes are sent, then the line goes dead; `slow`: seconds a chunk."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    breaks_after: int | None = None
    length: int | None = None
    slow: float = 0.0


@dataclass
class Asked:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class MadeUp:
    """The server. `answers` maps paths to an answer, or to a function of the request that gives one."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[Asked], Answer]] = {}
        self.asked: list[Asked] = []
        self.connections = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def _any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(
                    self.command,
                    self.path,
                    {k.lower(): v for k, v in self.headers.items()},
                    self.rfile.read(length),
                )
                outer.asked.append(asked)
                known = outer.answers.get(self.path.partition("?")[0], Answer(b"{}", 404))
                outer.send(self, known(asked) if callable(known) else known)

            do_GET = do_POST = do_PUT = do_HEAD = _any

            def log_message(self, *_: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def send(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header(
            "Content-Length", str(len(answer.body) if answer.length is None else answer.length)
        )
        handler.end_headers()
        body = answer.body if answer.breaks_after is None else answer.body[: answer.breaks_after]
        try:
            if answer.slow:
                for at in range(0, len(body), 1 << 16):
                    handler.wfile.write(body[at : at + (1 << 16)])
                    time.sleep(answer.slow)
            else:
                handler.wfile.write(body)
        except OSError:
            handler.close_connection = True
        if answer.breaks_after is not None:
            handler.close_connection = True

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def file(self, path: str, body: bytes) -> None:
        """A file with ranges, as the hub sends it."""

        def answer(asked: Asked) -> Answer:
            start = asked.headers.get("range", "")
            if not start:
                return Answer(body)
            first = int(start.removeprefix("bytes=").rstrip("-"))
            return Answer(body[first:], 206, {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"})

        self.answers[path] = answer

    def member(self, trigger: str = "moss-glow", body: bytes = b"x" * 300, **fields: Any) -> dict[str, Any]:
        """A member of a lock, whose one file this server has."""
        self.file(f"/files/{trigger}", body)
        return {
            "name": f"mara/{trigger}", "version": 1, "commit": COMMIT, "trigger": trigger, "family": "sd1", "note": "",
            "files": [self.locked(f"/files/{trigger}", body, f"{trigger}.safetensors")],
        } | fields  # fmt: skip

    def locked(self, path: str, body: bytes, filename: str, layout: str = "canonical") -> dict[str, Any]:
        """A line of `files`."""
        sha256 = hashlib.sha256(body).hexdigest()
        return {
            "layout": layout, "filename": filename, "size": len(body), "sha256": sha256, "url": self.url + path,
        }  # fmt: skip

    def lock(self, *members: dict[str, Any], **fields: Any) -> bytes:
        """A lock file of these members."""
        record = {
            "lock_version": 1,
            "hub": self.url,
            "pack": None,
            "created_from": None,
            "members": list(members),
        }
        return json.dumps(record | fields).encode()
