"""A stand-in for the service: the real page's files, and answers that a test can choose."""

from __future__ import annotations

import base64
import io
import json
import threading
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from PIL import Image, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE_FILES = Path(__file__).parents[2] / "app" / "http" / "page"
MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEAT_COLOURS = {"jet": (0, 0, 255), "turbo": (48, 18, 59), "viridis": (68, 1, 84), "inferno": (0, 0, 4)}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    media_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


def problem(status: int, code: str, title: str, detail: str, retry_after: int | None = None) -> Answer:
    """A refusal as the service words it: RFC 9457 problem JSON."""
    told = {"status": status, "code": code, "title": title, "detail": detail, "request_id": "r-17"}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(status, "application/problem+json", json.dumps(told).encode(), headers)


def json_answer(value: object) -> Answer:
    return Answer(200, "application/json", json.dumps(value).encode())


def file(picture: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


def png(picture: Image.Image) -> bytes:
    return file(picture, "png")


def direction(name: str, source: str, target: str, **changes: Any) -> dict[str, Any]:
    """One entry of GET /directions."""
    told = {
        "name": name,
        "source": source,
        "target": target,
        "state": "ready",
        "model": {"name": name, "version": "0123456789ab"},
        "method": "ugatit",
        "image": {"height": 128, "width": 128, "fixed": False},
        "attention": {"generator": True, "local": True, "global": True},
        "provider": "CPUExecutionProvider",
        "precision": "float32",
        "licence": "Research and demonstration only",
        "limits": "Centred faces; odd eyes and flat hair happen.",
        "card": f"# {name}\n\nTurns a **{source}** into {target}.\n\n- light, 32 channels\n- 128 px\n",
    }
    return told | changes


def uploaded_picture(request: Request) -> Image.Image:
    """The picture of the form's `file` part."""
    content = uploaded_file(request)
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")


def uploaded_file(request: Request) -> bytes:
    """The bytes of the form's `file` part."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    content = next(form.iter_parts()).get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def framed(photo: Image.Image, fit: str) -> Image.Image:
    """The photo at the network's 128 px, as each `fit` frames it."""
    if fit == "cover":
        return ImageOps.fit(photo, (128, 128))
    return ImageOps.contain(photo, (128, 128)) if fit == "contain" else photo.resize((128, 128))


class StandIn:
    """Serves on a free port of 127.0.0.1 until closed.

    A test may put another `Answer` for a path into `instead`, close the `gate` that translations wait at,
    require a `key`, let it hang up in the middle of uploads, change what `directions`, `probability` and
    `paint` say, and read the `requests` that came in.
    """

    def __init__(self) -> None:
        self.directions = [
            direction("selfie2anime", "selfie", "anime"),
            direction("anime2selfie", "anime", "selfie"),
        ]
        self.probability: float | None = 0.98
        self.paint: Callable[[Image.Image], Image.Image] = ImageOps.invert
        self.instead: dict[str, Answer] = {}
        self.key = ""
        self.keeps = True
        self.hangs_up = False
        self.gate = threading.Event()
        self.gate.set()
        self.requests: list[Request] = []
        self.translation = b""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.gate.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def asked(self, path: str) -> list[Request]:
        """The requests that came for one path."""
        return [request for request in self.requests if request.path == path]

    def answer(self, request: Request) -> Answer:
        if request.path == "/translate":
            self.gate.wait(timeout=30)
        guarded = request.path in ("/directions", "/translate", "/attention")
        if guarded and self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return problem(401, "unauthorized", "API key needed", "An API key is needed here.")
        if request.path in self.instead:
            return self.instead[request.path]
        routes = {
            "/directions": lambda: json_answer({"directions": self.directions}),
            "/translate": lambda: self._translate(request),
            "/attention": lambda: self._attention(request),
        }
        return routes.get(request.path, lambda: self._file(request.path))()

    def _translate(self, request: Request) -> Answer:
        picture = self.paint(framed(uploaded_picture(request), request.query["fit"]))
        if "size" in request.query:
            scale = int(request.query["size"]) / max(picture.size)
            picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        form = request.query.get("format", "png")
        self.translation = file(picture, form)
        size = {"width": picture.width, "height": picture.height}
        data = base64.b64encode(self.translation).decode()
        encoded = {"media_type": f"image/{form}", **size, "data": data}
        told: dict[str, Any] = next(
            one for one in self.directions if one["name"] == request.query["direction"]
        )
        maps = told["attention"].values()
        shown = {"href": "/attention?id=AAAAAAAAAAAAAAAAAAAAAA" if self.keeps else None, "overlay": encoded}
        return json_answer(
            {
                "id": "AAAAAAAAAAAAAAAAAAAAAA",
                "direction": told["name"],
                "model": told["model"],
                "image": encoded,
                "attention": shown | {"source_probability": self.probability} if any(maps) else None,
                "timings_ms": {"decode": 2, "queue": 0, "inference": 400, "encode": 5, "total": 407},
                "expires_at": "2100-01-01T00:00:00Z",
            }
        )

    def _attention(self, request: Request) -> Answer:
        colour = HEAT_COLOURS.get(request.query.get("colormap", "jet"), (128, 128, 128))
        side = {"generator": 64, "local": 65, "global": 66}[request.query.get("network", "generator")]
        return Answer(200, "image/png", png(Image.new("RGB", (side, side), colour)))

    def _file(self, path: str) -> Answer:
        name = "index.html" if path == "/" else path.removeprefix("/page/")
        file = PAGE_FILES / name
        if "/" in name or not file.is_file():
            return problem(404, "not_found", "Not found", f"There is no {path}.")
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return Answer(200, MEDIA_TYPES[file.suffix], file.read_bytes(), headers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the page gave up waiting: it may

            def do_GET(self) -> None:
                self._reply()

            def do_POST(self) -> None:
                self._reply()

            def _reply(self) -> None:
                url = urlsplit(self.path)
                if stand_in.hangs_up and self.command == "POST":
                    self.rfile.read(100_000)
                    self.close_connection = True  # with the rest unread: the sender sees a reset
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, url.path, dict(parse_qsl(url.query)), headers, body)
                stand_in.requests.append(request)
                answer = stand_in.answer(request)
                self.send_response(answer.status)
                told = {"Content-Type": answer.media_type, "Content-Length": str(len(answer.body))}
                for name, value in (told | answer.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Tests read `requests`; a log would only be noise between their dots."""

        return Handler
