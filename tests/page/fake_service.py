"""A fake service: the real page's files, and answers that a test can change."""

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
VALUE_RANGES = {"both": "0 1234.5", "average": "-0.5 1.5", "maximum": "2 2", "classifier": "-3 -1"}
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
    """One received request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


def problem(status: int, code: str, title: str, detail: str, retry_after: int | None = None) -> Answer:
    """Return an error answer: RFC 9457 problem JSON."""
    content = {"status": status, "code": code, "title": title, "detail": detail, "request_id": "r-17"}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(status, "application/problem+json", json.dumps(content).encode(), headers)


def json_answer(value: object) -> Answer:
    """Return a value as a JSON answer."""
    return Answer(200, "application/json", json.dumps(value).encode())


def encoded(picture: Image.Image, form: str) -> bytes:
    """Return a picture as the bytes of a file."""
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


def png(picture: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    return encoded(picture, "png")


FACE_IN_FRAME = {"height": 0.85, "centre_x": 0.5, "centre_y": 0.5, "turned_degrees": 2.0, "pixels": 400}


def found_face(x: float, y: float, side: float) -> dict[str, Any]:
    """Return a face as an answer lists it; `x` and `y` are its box's left upper corner."""
    box = {"x": x, "y": y, "width": side, "height": side}
    return {"box": box, "landmarks": {}, "score": 0.99, "turned_degrees": 2.0}


STYLES = {"dimension": 8, "prior": "normal", "reference": True, "default_seed": 0, "most": 16}
"""The styles of a direction."""
PARTS = ("both", "average", "maximum", "classifier")


def heat_maps(*parts: str) -> list[dict[str, Any]]:
    """Return the heat maps of a direction whose networks all have these parts."""
    networks = ("generator", "local", "global")
    kind = {"kind": "relevance"}
    return [{"network": network, "part": part, **kind} for network in networks for part in parts]


def direction(name: str, source: str, target: str, **changes: Any) -> dict[str, Any]:
    """Return an entry of GET /directions."""
    entry = {
        "name": name,
        "source": source,
        "target": target,
        "state": "ready",
        "model": {"name": name, "version": "0123456789ab"},
        "method": "ugatit",
        "image": {"height": 128, "width": 128, "fixed": False},
        "attention": {"generator": True, "local": True, "global": True},
        "maps": heat_maps(*PARTS),
        "provider": "CPUExecutionProvider",
        "precision": "float32",
        "licence": "Research and demonstration only",
        "limits": "Centred faces; odd eyes and flat hair happen.",
        "card": f"# {name}\n\nTurns a **{source}** into {target}.\n\n- light, 32 channels\n- 128 px\n",
    }
    return entry | changes


def uploaded_picture(request: Request) -> Image.Image:
    """Return the picture of a request."""
    content = uploaded_file(request)
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")


def uploaded_file(request: Request) -> bytes:
    """Return the bytes of the body, or of the form's part `file`."""
    if request.headers["content-type"].startswith("image/"):
        return request.body
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    content = next(form.iter_parts()).get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def _styles(request: Request, chosen: dict[str, Any], image: dict[str, Any]) -> dict[str, Any]:
    """Return the fields about the style of a direction that has styles."""
    if chosen.get("styles") is None:
        return {}
    if b'name="reference"' in request.body:
        return {"style": {"seed": None}}
    first = int(request.query.get("style", 0))
    seeds = range(first, first + int(request.query.get("styles", 0)))
    styles = {"styles": [{"seed": seed, "image": image} for seed in seeds]} if seeds else {}
    return {"style": {"seed": first}, **styles}


def _cycle(query: dict[str, str], image: dict[str, Any]) -> dict[str, Any]:
    """Return the field about the way back, if it was asked for."""
    return {"cycle": {"image": image, "l1": 12.75}} if query.get("cycle") == "true" else {}


def framed(photo: Image.Image, fit: str) -> Image.Image:
    """Return the photo at the network's 128 px, framed by `fit`."""
    if fit == "cover":
        return ImageOps.fit(photo, (128, 128))
    if fit == "native":
        return photo
    return ImageOps.contain(photo, (128, 128)) if fit == "contain" else photo.resize((128, 128))


class FakeService:
    """A server on a free port of 127.0.0.1.

    A test may replace the `Answer` of a path in `instead`, clear `gate` so that translations wait, set the
    required `key`, set `disconnects` so that uploads are cut off, change `directions`, `probability` and
    `paint`, and read the received `requests`.
    """

    def __init__(self) -> None:
        self.directions = [
            direction("selfie2anime", "selfie", "anime"),
            direction("anime2selfie", "anime", "selfie"),
        ]
        self.probability: float | None = 0.98
        self.faces: list[dict[str, Any]] = []
        self.input: dict[str, Any] = {"sharpness": 0.9, "face": FACE_IN_FRAME}
        self.paint: Callable[[Image.Image], Image.Image] = ImageOps.invert
        self.instead: dict[str, Answer] = {}
        self.key = ""
        self.stores_maps = True
        self.sends_ranges = True
        self.disconnects = False
        self.gate = threading.Event()
        self.gate.set()
        self.requests: list[Request] = []
        self.translation = b""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        """Stop the server."""
        self.gate.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def received(self, path: str) -> list[Request]:
        """Return the received requests of a path."""
        return [request for request in self.requests if request.path == path]

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request."""
        if request.path == "/translate":
            self.gate.wait(timeout=30)
        protected = request.path in ("/directions", "/translate", "/attention")
        if protected and self.key and request.headers.get("authorization") != f"Bearer {self.key}":
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
        sent = uploaded_picture(request)
        pasted = request.query.get("paste") == "true"
        picture = self.paint(sent if pasted else framed(sent, request.query.get("fit", "cover")))
        if "size" in request.query:
            scale = int(request.query["size"]) / max(picture.size)
            picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        form = request.query.get("format", "png")
        self.translation = encoded(picture, form)
        size = {"width": picture.width, "height": picture.height}
        data = base64.b64encode(self.translation).decode()
        image = {"media_type": f"image/{form}", **size, "data": data}
        if request.headers["accept"] == "image/jpeg":
            return Answer(200, "image/jpeg", self.translation)
        chosen: dict[str, Any] = next(
            one for one in self.directions if one["name"] == request.query["direction"]
        )
        maps = chosen["attention"].values()
        href = "/attention?id=AAAAAAAAAAAAAAAAAAAAAA" if self.stores_maps else None
        attention = {"href": href, "overlay": image, "source_probability": self.probability}
        return json_answer(
            {
                "id": "AAAAAAAAAAAAAAAAAAAAAA",
                "direction": chosen["name"],
                "model": chosen["model"],
                "image": image,
                "attention": attention if any(maps) else None,
                **_styles(request, chosen, image),
                **_cycle(request.query, image),
                "timings_ms": {"decode": 2, "queue": 0, "inference": 400, "encode": 5, "total": 407},
                "expires_at": "2100-01-01T00:00:00Z",
                **self._faces(request.query, sent),
            }
        )

    def _faces(self, query: dict[str, str], photo: Image.Image) -> dict[str, Any]:
        """Return the fields about the faces of a photo; none if they were not searched for."""
        if query.get("face", "none") == "none":
            return {}
        side = min(photo.size)
        left, top = (photo.width - side) / 2, (photo.height - side) / 2
        places = (left, top), (left + side, top), (left + side, top + side), (left, top + side)
        corners = [{"x": x, "y": y} for x, y in places]
        return {
            "faces": [
                {**face, "translated": query["face"] == "all" or number == 0}
                for number, face in enumerate(self.faces)
            ],
            "framing": {"by": "face" if self.faces else "fit", "note": None, "corners": corners},
            "input": self.input,
        }

    def _attention(self, request: Request) -> Answer:
        colour = HEAT_COLOURS.get(request.query.get("colormap", "jet"), (128, 128, 128))
        side = {"generator": 64, "local": 65, "global": 66}[request.query.get("network", "generator")]
        value_range = VALUE_RANGES[request.query.get("part", "both")]
        headers = {"X-Value-Range": value_range} if self.sends_ranges else {}
        return Answer(200, "image/png", png(Image.new("RGB", (side, side), colour)), headers)

    def _file(self, path: str) -> Answer:
        name = "index.html" if path == "/" else path.removeprefix("/page/")
        file = PAGE_FILES / name
        if "/" in name or not file.is_file():
            return problem(404, "not_found", "Not found", f"There is no {path}.")
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return Answer(200, MEDIA_TYPES[file.suffix], file.read_bytes(), headers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake_service = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the page cancelled the request

            def do_GET(self) -> None:
                self._reply()

            def do_POST(self) -> None:
                self._reply()

            def _reply(self) -> None:
                url = urlsplit(self.path)
                if fake_service.disconnects and self.command == "POST":
                    self.rfile.read(100_000)
                    self.close_connection = True  # the unread rest makes the sender see a reset
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, url.path, dict(parse_qsl(url.query)), headers, body)
                fake_service.requests.append(request)
                answer = fake_service.answer(request)
                self.send_response(answer.status)
                standard = {"Content-Type": answer.media_type, "Content-Length": str(len(answer.body))}
                for name, value in (standard | answer.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Write no log: tests read `requests`."""

        return Handler
