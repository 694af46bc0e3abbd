"""The interface of an engine, by which HTTP uses one: requests and answers are plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from app.engine.events import RunFinished
from app.engine.planning import WHOLE_OR_FACE, PhotoRequest
from app.engine.render_options import EncodedPicture, RenderOptions
from app.engine.status import EngineStatus
from app.engine.translation import FoundMap, TranslationResult
from models.bundle.declarations import Network, Part


class Engine(Protocol):
    """Translates encoded pictures, wherever its models run.

    What it takes, returns and raises can be pickled, and none of it changes later.
    """

    def subscribe(self, subscriber: Callable[[RunFinished], None]) -> None:
        """Call `subscriber` with every later event, in the engine's event loop; it must return at once."""

    def start(self) -> None:
        """Load all directions in the background; open the store."""

    async def wait_until_loaded(self) -> None:
        """Wait until every direction that existed at the start is loaded, or defunct."""

    def reload(self) -> None:
        """Load new and changed bundles in the background, and retire removed ones."""

    def status(self) -> EngineStatus:
        """Return the state of all directions and of the store at this moment."""

    def not_ready_reason(self) -> str | None:
        """Return why the service is not ready, as a sentence; None if it is."""

    def check(self, direction: str, client: str = "") -> None:
        """Check that a picture of the client would be admitted now, before its bytes are read.

        Raises:
            UnknownDirection, Draining, Loading, DirectionDefunct, QueueFull, FairShare: it would not.
        """

    def model_as_run(self, direction: str, *, cycle: bool = False) -> str:
        """Return what names a direction's bundle and how it runs; with `cycle` also its opposite's.

        Raises:
            UnknownDirection, NoOpposite, Draining, Loading, DirectionDefunct: no bundle serves.
        """

    async def translate(
        self,
        direction: str,
        data: bytes,
        request: PhotoRequest = WHOLE_OR_FACE,
        *,
        client: str = "",
        keep: bool = True,
    ) -> TranslationResult:
        """Translate an encoded picture, or faces in it; with `keep`, keep the translation for its heat maps.

        Cancel the call to drop the picture.

        Args:
            direction: the name of a direction.
            data: the bytes of a JPEG, PNG, WebP or GIF file.
            request: what of the picture is translated.
            client: who sent it; the waiting clients of a direction share it evenly.
            keep: whether its heat maps can be asked for later.

        Raises:
            EngineError: what `check` raises, DeadlineExceeded, NoFaceFound, NoNativeFit, NoOpposite,
                NetworkDefunct, NoStyles, NoReferences and StyleEncoderDefunct.
            models.images.errors.PictureError: the bytes are not a picture, or exceed the limits.
        """

    async def attention(
        self,
        id_: str,
        network: Network = "generator",
        part: Part = "both",
        frame: int = 0,
        *,
        client: str = "",
    ) -> FoundMap:
        """Return the raw heat map of one network for an earlier translation, of an animation for one frame.

        Raises:
            EngineError: AttentionGone, NoSuchNetwork, NoSuchPart, NoSuchFrame, and what `translate` raises.
        """

    async def holds(self, id_: str) -> bool:
        """Return whether the translation of an id is still kept."""

    async def draw(
        self,
        translation: TranslationResult,
        photo: bytes,
        options: RenderOptions,
        size: int | None = None,
        *,
        client: str = "",
    ) -> EncodedPicture:
        """Return the translated picture, encoded; see `draw_translation`."""

    @property
    def draining(self) -> bool:
        """Whether no more requests are admitted."""

    @property
    def stopping(self) -> bool:
        """Whether it lingers or drains; while it lingers, it still admits requests."""

    def linger(self) -> None:
        """Report that the service is not ready, but still admit requests until the load balancer notices."""

    def drain(self) -> None:
        """Admit no more requests."""

    async def wait_until_drained(self) -> None:
        """Wait until every admitted request is done."""

    def close(self) -> None:
        """Stop at once and cancel the waiting requests."""

    async def wait_closed(self) -> None:
        """Close the connections, after `close`."""
