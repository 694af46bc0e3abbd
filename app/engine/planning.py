"""Plan a translation: decode the photo, find its faces, and cut out the frames that the network gets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Final, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from app.engine.errors import NoNativeFit
from app.engine.face_choice import FaceChoice, FoundFace, by_size, choose_faces
from app.engine.input_quality import InputQuality, measure_input
from app.engine.store.entry import Scene
from app.engine.style_choice import StyleChoice
from models.bundle.manifest import ImageSize, Manifest
from models.faces.detector import FaceDetector
from models.faces.face import Face
from models.faces.framing import DEFAULT_FRAMING, FaceFraming, frame_face, upright
from models.images.animation import decode_frames, read_animation
from models.images.decode import PictureLimits, decode_photo
from models.images.errors import PictureError, TooManyFrames
from models.images.frame import Fit, Frame, FrameSize, native_size, resize
from models.images.photo import Photo
from models.images.placement import Placement, cut, place, place_native, shown_pixels
from models.images.timing import Timing

SCENE_PIXELS: Final = 1024
"""The longer side of the small copy of a photo, over which heat maps are shown."""
_SCENES_PIXELS: Final = 8 * SCENE_PIXELS**2
"""Of the copies of all frames of an animation together."""
_SAME_SCALE, _SAME_CENTRE, _SAME_DEGREES = 0.15, 0.15, 5.0
"""A face is framed already if it differs by less from its framing; its centre over the frame's side."""


FrameChoice = Literal["all", "first"]
_Size = FrameSize | ImageSize


class Decode(Protocol):
    """Decodes a photo, smaller than in its file if its shorter side has `enough_side` pixels then."""

    def __call__(self, *, enough_side: int | None = None) -> Photo: ...


class PhotoRequest(NamedTuple):
    """What to translate of a photo."""

    fit: Fit = "cover"
    """How a photo is framed that no face frames. `native` translates it at its own shape: without a choice of
    faces, and not put back into the photo, which it shows already."""
    face: FaceChoice | None = None
    """None for the bundle's default."""
    paste: bool = False
    """Whether the translation is put back into the photo; `all` always does."""
    frames: FrameChoice = "all"
    """Which frames of an animation are translated."""
    style: StyleChoice | None = None
    """None for the default of a direction with styles."""
    cycle: bool = False
    """Whether the first frame, of its largest face, is translated back by the opposite direction."""


WHOLE_OR_FACE: Final = PhotoRequest()
"""What is translated by default."""


class Plan(NamedTuple):
    """The frames of a photo that the network gets, and what they show."""

    frames: list[Frame]
    """At least one. Of an animation, those of each of its frames in turn."""
    placements: list[Placement]
    """Of the frames; the same in every frame of an animation."""
    shown_size: tuple[int, int]
    """Height and width of what the first frame shows, in the photo's own pixels."""
    scenes: list[Scene]
    """Empty if the answer shows only the first frame; else one for each frame of an animation."""
    faces: list[FoundFace] | None = None
    """The largest first; None if none were searched for."""
    quality: InputQuality | None = None
    """None if no faces were searched for."""
    timing: Timing | None = None
    """Of an animation; None for a still picture."""
    reference: NDArray[np.uint8] | None = None
    """The picture `[H, W, 3]` whose style is taken; None for the style of a seed."""


def chosen_mode(request: PhotoRequest, manifest: Manifest) -> FaceChoice:
    """Return the faces to translate: the request's choice, or the bundle's default.

    The default is `auto` for a bundle of faces. `contain` and `stretch` ask for the whole photo, so their
    default is `none`; so is that of `native`.
    """
    if request.face is not None:
        return request.face
    return FaceChoice("auto" if manifest.framing == "face" and request.fit == "cover" else "none")


class Planner:
    """Plans translations. Safe to call from many threads."""

    def __init__(self, limits: PictureLimits, *, most_faces: int, native_pixels: int = 0) -> None:
        """
        Args:
            limits: on a photo's size, checked before it is decoded.
            most_faces: of one photo that are translated.
            native_pixels: of a photo that is translated at its own shape; a larger one is shrunk to it. Of an
                animation, those of all its frames together. 0 refuses such photos.
        """
        self.limits = limits
        self._most_faces = most_faces
        self._native_pixels = native_pixels
        self._detector = FaceDetector()

    def plan(self, data: bytes, manifest: Manifest, request: PhotoRequest) -> Plan:
        """Return the plan of an encoded photo.

        Raises:
            models.images.errors.PictureError: the bytes are not a picture, or exceed the limits.
            NoFaceFound: a face is required, and there is none.
            NoNativeFit: the photo cannot be translated at its own shape.
        """
        plan = self._plan(data, manifest, request)
        if request.style is None or request.style.reference is None:
            return plan
        return plan._replace(reference=self._read_reference(request.style.reference, manifest.image))

    def _read_reference(self, data: bytes, size: ImageSize) -> NDArray[np.uint8]:
        """Return the centre of a reference picture at the network's size, `[H, W, 3]`.

        Raises:
            models.images.errors.PictureError: as `plan`, about the reference.
        """
        try:
            plan = self._plan_fit(partial(decode_photo, data, limits=self.limits), size, "cover", paste=False)
        except PictureError as error:
            raise type(error)(f"The reference cannot be used: {error}") from None
        return plan.frames[0].pixels

    def _plan(self, data: bytes, manifest: Manifest, request: PhotoRequest) -> Plan:
        if request.fit == "native":
            self._check_native(manifest)
        animation = read_animation(data, self.limits) if request.frames == "all" else None
        if animation is None:
            pictures = request.style.styles if request.style is not None else 1
            decode = partial(decode_photo, data, limits=self.limits)
            return self._plan_photo(decode, manifest, request, pictures)
        frames = decode_frames(animation)
        first = next(frames)

        def decoded(**_size: int | None) -> Photo:
            return first

        plan = self._plan_photo(decoded, manifest, request, animation.timing.frames)
        self._check_crops(animation.timing.frames, len(plan.placements))
        return _with_frames(plan, first, frames, animation.timing)

    def _plan_photo(self, decode: Decode, manifest: Manifest, request: PhotoRequest, pictures: int) -> Plan:
        if request.fit == "native":
            return self._plan_native(decode, manifest.image, self._native_pixels // pictures)
        choice = chosen_mode(request, manifest)
        if choice.mode == "none":
            return self._plan_fit(decode, manifest.image, request.fit, paste=request.paste)
        photo = decode()
        found = by_size(self._detector.detect(photo.pixels))
        chosen = choose_faces(found, choice, most=self._most_faces)
        placements = [_place_face(face, manifest) for face in chosen]
        whole = place(photo.size, height=manifest.image.height, width=manifest.image.width, fit=request.fit)
        paste = request.paste or choice.mode == "all"
        if not chosen or (len(chosen) == 1 and _same(chosen[0], placements[0], whole, manifest.image)):
            plan = self._plan_fit(decode, manifest.image, request.fit, paste=paste)
        else:
            plan = _plan(photo, manifest.image, placements, scenes=[_scene(photo)] if paste else [])
        return plan._replace(
            faces=[FoundFace(face, face in chosen) for face in found],
            quality=measure_input(plan.frames[0], chosen[0] if chosen else None, whole, manifest.image),
        )

    def _plan_fit(self, decode: Decode, size: ImageSize, fit: Fit, *, paste: bool) -> Plan:
        """Return the plan of a photo that is framed by a fit: the same whether faces were searched or not."""
        photo = decode(enough_side=max(size.height, size.width))
        placement = place(photo.size, height=size.height, width=size.width, fit=fit)
        if not paste:
            return _plan(photo, size, [placement], scenes=[])
        larger = decode(enough_side=SCENE_PIXELS)
        return _plan(photo, size, [placement], scenes=[_scene(larger)])

    def _plan_native(self, decode: Decode, image: ImageSize, most_pixels: int) -> Plan:
        """Return the plan of a photo that is translated at its own shape."""
        photo = decode(enough_side=math.isqrt(most_pixels) + 1)  # the shorter side is never longer
        size = native_size(photo.size, (image.height, image.width), most_pixels)
        return _plan(photo, size.frame, [place_native(photo.size, size)], scenes=[])

    def _check_native(self, manifest: Manifest) -> None:
        image = manifest.image
        if image.fixed:
            raise NoNativeFit(
                f"fit=native needs a network that takes any size, but that of {manifest.direction} takes "
                f"only {image.width} x {image.height} pixels; use fit=contain to translate the whole photo."
            )
        if not self._native_pixels:
            raise NoNativeFit(
                "fit=native is turned off in this service (UGATIT_NATIVE_PIXELS=0); use fit=contain to "
                "translate the whole photo."
            )

    def _check_crops(self, frames: int, faces: int) -> None:
        most = self.limits.max_frames
        if frames * faces > most:
            raise TooManyFrames(
                f"The animation has {frames} frames with {faces} faces, at most {most} frames times faces "
                "are allowed; use face=largest or frames=first, or send a shorter one."
            )


def _plan(photo: Photo, size: _Size, placements: list[Placement], *, scenes: list[Scene]) -> Plan:
    height, width = size.height, size.width
    shown = shown_pixels(photo.size, placements[0], height=height, width=width)
    return Plan(_cut_all(photo, placements, size), placements, shown, scenes)


def _cut_all(photo: Photo, placements: list[Placement], size: _Size) -> list[Frame]:
    return [cut(photo, placement, height=size.height, width=size.width) for placement in placements]


def _with_frames(plan: Plan, first: Photo, later: Iterator[Photo], timing: Timing) -> Plan:
    """Return the plan of an animation from that of its first frame. Only one frame is decoded at a time.

    The faces of the first frame are cut from all frames: a crop that follows a face from frame to frame
    would shake by the detector's error.
    """
    size = FrameSize(*plan.frames[0].pixels.shape[:2])
    side = min(SCENE_PIXELS, round((_SCENES_PIXELS / timing.frames) ** 0.5))
    frames, scenes = list(plan.frames), [_scene(first, side)] if plan.scenes else []
    for photo in later:
        frames += _cut_all(photo, plan.placements, size)
        scenes += [_scene(photo, side)] if plan.scenes else []
    return plan._replace(frames=frames, scenes=scenes, timing=timing)


def _scene(photo: Photo, side: int = SCENE_PIXELS) -> Scene:
    """Return a small copy of a photo."""
    scale = min(1.0, side / max(photo.size))
    height, width = (max(1, round(side * scale)) for side in photo.size)
    return Scene(resize(photo.pixels, height=height, width=width), *photo.size)


def _place_face(face: Face, manifest: Manifest) -> Placement:
    size = manifest.image
    framing = FaceFraming(**manifest.face.model_dump()) if manifest.face is not None else DEFAULT_FRAMING
    return Placement(frame_face(face, height=size.height, width=size.width, framing=framing))


def _same(face: Face, framed: Placement, whole: Placement, size: ImageSize) -> bool:
    """Return whether a face's frame is nearly the frame of the whole photo: the photo is framed already."""
    scales = zip(framed.to_frame.scale, whole.to_frame.scale, strict=True)
    centre = upright(face).centre
    wanted, is_ = framed.to_frame.apply(centre), whole.to_frame.apply(centre)
    return (
        abs(face.turned_degrees) < _SAME_DEGREES
        and all(abs(one / other - 1) <= _SAME_SCALE for one, other in scales)
        and abs(wanted.x - is_.x) <= _SAME_CENTRE * size.width
        and abs(wanted.y - is_.y) <= _SAME_CENTRE * size.height
    )
