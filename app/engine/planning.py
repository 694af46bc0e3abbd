"""Plan a translation: decode the photo, find its faces, and cut out the frames that the network gets."""

from __future__ import annotations

from typing import Final, NamedTuple

from app.engine.face_choice import FaceChoice, FoundFace, by_size, choose_faces
from app.engine.input_quality import InputQuality, measure_input
from app.engine.store.entry import Scene
from models.bundle.manifest import ImageSize, Manifest
from models.faces.detector import FaceDetector
from models.faces.face import Face
from models.faces.framing import DEFAULT_FRAMING, FaceFraming, frame_face, upright
from models.images.decode import PictureLimits, decode_photo
from models.images.frame import Fit, Frame, resize
from models.images.photo import Photo
from models.images.placement import Placement, cut, place, shown_pixels

SCENE_PIXELS: Final = 1024
"""The longer side of the small copy of a photo, over which heat maps are shown."""
_SAME_SCALE, _SAME_CENTRE, _SAME_DEGREES = 0.15, 0.15, 5.0
"""A face is framed already if it differs by less from its framing; its centre over the frame's side."""


class PhotoRequest(NamedTuple):
    """What to translate of a photo."""

    fit: Fit = "cover"
    """How a photo is framed that no face frames."""
    face: FaceChoice | None = None
    """None for the bundle's default."""
    paste: bool = False
    """Whether the translation is put back into the photo; `all` always does."""


WHOLE_OR_FACE: Final = PhotoRequest()
"""What is translated by default."""


class Plan(NamedTuple):
    """The frames of a photo that the network gets, and what they show."""

    frames: list[Frame]
    """At least one."""
    placements: list[Placement]
    """Of the frames."""
    shown_size: tuple[int, int]
    """Height and width of what the first frame shows, in the photo's own pixels."""
    scene: Scene | None
    """None if the answer shows only the first frame."""
    faces: list[FoundFace] | None = None
    """The largest first; None if none were searched for."""
    quality: InputQuality | None = None
    """None if no faces were searched for."""


def chosen_mode(request: PhotoRequest, manifest: Manifest) -> FaceChoice:
    """Return the faces to translate: the request's choice, or the bundle's default.

    The default is `auto` for a bundle of faces. `contain` and `stretch` ask for the whole photo, so their
    default is `none`.
    """
    if request.face is not None:
        return request.face
    return FaceChoice("auto" if manifest.framing == "face" and request.fit == "cover" else "none")


class Planner:
    """Plans translations. Safe to call from many threads."""

    def __init__(self, limits: PictureLimits, *, most_faces: int) -> None:
        """Args:
        limits: on a photo's size, checked before it is decoded.
        most_faces: of one photo that are translated.
        """
        self.limits = limits
        self._most_faces = most_faces
        self._detector = FaceDetector()

    def plan(self, data: bytes, manifest: Manifest, request: PhotoRequest) -> Plan:
        """Return the plan of an encoded photo.

        Raises:
            models.images.errors.PictureError: the bytes are not a picture, or exceed the limits.
            NoFaceFound: a face is required, and there is none.
        """
        choice = chosen_mode(request, manifest)
        if choice.mode == "none":
            return self._plan_fit(data, manifest.image, request.fit, paste=request.paste)
        photo = decode_photo(data, limits=self.limits)
        found = by_size(self._detector.detect(photo.pixels))
        chosen = choose_faces(found, choice, most=self._most_faces)
        placements = [_place_face(face, manifest) for face in chosen]
        whole = place(photo.size, height=manifest.image.height, width=manifest.image.width, fit=request.fit)
        paste = request.paste or choice.mode == "all"
        if not chosen or (len(chosen) == 1 and _same(chosen[0], placements[0], whole, manifest.image)):
            plan = self._plan_fit(data, manifest.image, request.fit, paste=paste)
        else:
            plan = _plan(photo, manifest.image, placements, scene=_scene(photo) if paste else None)
        return plan._replace(
            faces=[FoundFace(face, face in chosen) for face in found],
            quality=measure_input(plan.frames[0], chosen[0] if chosen else None, whole, manifest.image),
        )

    def _plan_fit(self, data: bytes, size: ImageSize, fit: Fit, *, paste: bool) -> Plan:
        """Return the plan of a photo that is framed by a fit: the same whether faces were searched or not."""
        photo = decode_photo(data, limits=self.limits, enough_side=max(size.height, size.width))
        placement = place(photo.size, height=size.height, width=size.width, fit=fit)
        if not paste:
            return _plan(photo, size, [placement], scene=None)
        larger = decode_photo(data, limits=self.limits, enough_side=SCENE_PIXELS)
        return _plan(photo, size, [placement], scene=_scene(larger))


def _plan(photo: Photo, size: ImageSize, placements: list[Placement], *, scene: Scene | None) -> Plan:
    height, width = size.height, size.width
    frames = [cut(photo, placement, height=height, width=width) for placement in placements]
    return Plan(
        frames, placements, shown_pixels(photo.size, placements[0], height=height, width=width), scene
    )


def _scene(photo: Photo) -> Scene:
    """Return a small copy of a photo."""
    scale = min(1.0, SCENE_PIXELS / max(photo.size))
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
