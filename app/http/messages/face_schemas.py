"""The part of a translation's JSON answer that describes the photo's faces and how it was framed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Self

from pydantic import BaseModel, Field

from app.engine.face_choice import FoundFace
from app.engine.store.entry import Crop
from app.engine.translation import TranslationResult
from models.images.affine import Point


class Place(BaseModel):
    """A place in the upright photo in pixels."""

    x: float
    y: float

    @classmethod
    def of(cls, point: Point) -> Self:
        """Return a place, rounded to a tenth of a pixel."""
        return cls(x=round(point.x, 1), y=round(point.y, 1))


class FaceBoxAnswer(BaseModel):
    """The upright rectangle around a face in pixels of the upright photo; it may reach beyond its edge."""

    x: float
    y: float
    width: float
    height: float


class FaceLandmarks(BaseModel):
    """Five places of a face; left and right as the photo shows them."""

    left_eye: Place
    right_eye: Place
    nose: Place
    mouth_left: Place
    mouth_right: Place


class FaceAnswer(BaseModel):
    """A face in the photo."""

    box: FaceBoxAnswer
    landmarks: FaceLandmarks
    score: float = Field(description="The detector's probability that it is a face, 0 to 1.")
    turned_degrees: float = Field(description="Angle of the line through the eyes; positive is clockwise.")
    translated: bool

    @classmethod
    def of(cls, found: FoundFace) -> Self:
        """Return the description of a face."""
        face = found.face
        return cls(
            box=FaceBoxAnswer(**{name: round(value, 1) for name, value in face.box._asdict().items()}),
            landmarks=FaceLandmarks(
                **{name: Place.of(point) for name, point in face.landmarks._asdict().items()}
            ),
            score=round(face.score, 4),
            turned_degrees=round(face.turned_degrees, 1),
            translated=found.translated,
        )


class FramingAnswer(BaseModel):
    """How the photo was framed for the network."""

    by: Literal["face", "fit"] = Field(
        description="face: turned upright and framed as the training data; fit: as without a search."
    )
    note: str | None = Field(description="What a person should know about it, as a sentence.")
    corners: list[Place] = Field(
        min_length=4,
        max_length=4,
        description="The part of the upright photo that the network got, for the largest translated face: "
        "its left upper, right upper, right lower and left lower corner in pixels.",
    )


class InputFace(BaseModel):
    """How the main face lies in the photo, in the part that `fit` cuts out."""

    height: float = Field(description="The face's height over that of the part.")
    centre_x: float = Field(description="0 is the part's left edge, 1 its right edge.")
    centre_y: float = Field(description="0 is the part's top, 1 its bottom.")
    turned_degrees: float
    pixels: float = Field(description="The face's height in pixels of the photo.")


class InputAnswer(BaseModel):
    """How well the photo suits the network."""

    source_probability: float | None = Field(
        description="The generator's probability that its input is in the source domain; null without "
        "attention."
    )
    sharpness: float = Field(description="Of the network's input: 0 is blurred, 1 is sharp.")
    face: InputFace | None = Field(description="Null if no face was found.")

    @classmethod
    def of(cls, translation: TranslationResult) -> Self | None:
        """Return the quality of a translation's input; None if no faces were searched for."""
        quality, face = translation.quality, translation.quality and translation.quality.face
        if quality is None:
            return None
        rounded = {name: round(value, 3) for name, value in face._asdict().items()} if face else None
        return cls(
            source_probability=translation.source_probability,
            sharpness=round(quality.sharpness, 3),
            face=InputFace(**rounded) if rounded is not None else None,
        )


def framing_of(translation: TranslationResult) -> FramingAnswer | None:
    """Return how a photo was framed; None if no faces were searched for."""
    if translation.faces is None:
        return None
    return FramingAnswer(
        by=translation.framed_by,
        note=_note(translation, translation.faces),
        corners=[Place.of(point) for point in _corners(translation.entry.crops[0])],
    )


def _corners(crop: Crop) -> list[Point]:
    left, top, right, bottom = crop.source.content
    to_photo = crop.to_frame.inverse()
    return [
        to_photo.apply(Point(x, y)) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
    ]


def _note(translation: TranslationResult, faces: Sequence[FoundFace]) -> str | None:
    translated = sum(found.translated for found in faces)
    if not faces:
        return (
            f"No face was found, so {_WHOLE[translation.fit]} was translated. Send a photo in which a face "
            "is larger and turned less, or set face=none."
        )
    if translated < len(faces):
        which = "one was" if translated == 1 else f"{translated} largest were"
        return f"{len(faces)} faces were found; {which} translated. face=all and face=at translate others."
    if translation.framed_by == "fit":
        return "The photo is framed as the training data already, so it was translated as with face=none."
    return None


_WHOLE: Final = {
    "cover": "the centre of the photo",
    "contain": "the whole photo",
    "stretch": "the whole photo",
    "native": "the whole photo",
}
