"""Write the form of a request with several pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypedDict


class Form(TypedDict):
    """A request's body and its type."""

    content: bytes
    content_type: str


def form_of(files: Sequence[tuple[str, bytes]]) -> Form:
    """Return a form with files as its parts, each a part's name and the bytes of the file.

    Equal files give equal bytes, so that the answer to a repeated request is found again.
    """
    digest = hashlib.sha256()
    for _, data in files:
        digest.update(hashlib.sha256(data).digest())
    boundary = digest.hexdigest()  # cannot be in the files: that would need a fixed point of SHA-256
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="photo-{number}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + data
        + b"\r\n"
        for number, (name, data) in enumerate(files, 1)
    ]
    content = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return Form(content=content, content_type=f"multipart/form-data; boundary={boundary}")
