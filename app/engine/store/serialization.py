"""An entry of the store as bytes: a JSON header, then the raw bytes of the arrays. No pickle."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.engine.store.entry import Crop, Entry, Maps, Scene, crop_map
from models.bundle.declarations import HeatMap
from models.images.affine import Affine
from models.images.frame import Box, Frame

_MAGIC: Final = b"ugatit\x00\x04"
"""The last byte is the version of the format: replicas that use another version reject the entry."""
_HEAD: Final = struct.Struct("<8sI")
_HEADER_LIMIT_BYTES: Final = 4 * 1024**2
_MAX_CROPS: Final = 1000
_MAX_ARRAYS: Final = _MAX_CROPS * 19
_SOURCE, _TRANSLATION, _MAP, _SCENE = "source:", "translation:", "map:", "scene:"
"""Before the number of a crop or frame or the name of its heat map, so that no map is taken for a picture."""

Dtype = Literal["<f4", "|u1"]


class InvalidEntry(ValueError):
    """The bytes are not an entry that this version of the service writes. The message is a clause."""


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Array(_Header):
    name: str
    dtype: Dtype
    shape: list[int] = Field(min_length=2, max_length=3)


class _Arrays(_Header):
    id: str
    arrays: list[_Array] = Field(max_length=_MAX_ARRAYS)


class _Crop(_Header):
    content: list[int] = Field(min_length=4, max_length=4)
    to_frame: list[float] = Field(min_length=6, max_length=6)


class _Entry(_Arrays):
    direction: str
    version: str
    crops: list[_Crop] = Field(min_length=1, max_length=_MAX_CROPS)
    scene: list[int] | None = Field(min_length=2, max_length=2)
    """Height and width of the photo."""
    frames: int = Field(ge=1, le=_MAX_CROPS)
    expires_at: float
    declared: list[HeatMap]


_H = TypeVar("_H", bound=_Arrays)


def pack_entry(id_: str, entry: Entry) -> bytes:
    """Return the entry of an id as bytes, without the discriminators' maps."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, crop in enumerate(entry.crops):
        arrays |= {f"{_SOURCE}{number}": crop.source.pixels, f"{_TRANSLATION}{number}": crop.translation}
        arrays |= {_MAP + crop_map(name, number): values for name, values in crop.maps.items()}
    arrays |= {f"{_SCENE}{number}": scene.pixels for number, scene in enumerate(entry.scenes)}
    header = _Entry(
        id=id_,
        direction=entry.direction,
        version=entry.version,
        crops=[
            _Crop(content=list(crop.source.content), to_frame=list(crop.to_frame)) for crop in entry.crops
        ],
        scene=[entry.scene.height, entry.scene.width] if entry.scene is not None else None,
        frames=entry.frames,
        expires_at=entry.expires_at,
        declared=list(entry.declared),
        arrays=_describe(arrays),
    )
    return _pack(header, arrays)


def unpack_entry(id_: str, data: bytes) -> Entry:
    """Return the entry that `pack_entry` packed.

    Raises:
        InvalidEntry: the bytes belong to another id, are of another version of the format, or are damaged.
    """
    header, arrays = _unpack(id_, data, _Entry)
    crops = [_crop(number, header, arrays) for number in range(len(header.crops))]
    scenes = _scenes(header, arrays)
    if arrays or len(crops) % header.frames:
        raise InvalidEntry("its arrays are not the declared ones")
    return Entry(
        direction=header.direction,
        version=header.version,
        crops=crops,
        declared=header.declared,
        expires_at=header.expires_at,
        scenes=scenes,
        frames=header.frames,
    )


def _crop(number: int, header: _Entry, arrays: dict[str, NDArray[Any]]) -> Crop:
    """Remove the arrays of a crop and return them as one."""
    described = header.crops[number]
    source = _take_picture(arrays, f"{_SOURCE}{number}")
    translation = _take_picture(arrays, f"{_TRANSLATION}{number}")
    names = [each.name for each in header.declared if each.network == "generator"]
    if not all(_MAP + crop_map(name, number) in arrays for name in names):
        raise InvalidEntry("its maps are not the declared ones")
    maps = {name: arrays.pop(_MAP + crop_map(name, number)) for name in names}
    to_frame = Affine(*described.to_frame)
    if to_frame.is_flat:
        raise InvalidEntry("a crop of it is flat")
    return Crop(Frame(source, Box(*described.content)), translation, maps, to_frame)


def _scenes(header: _Entry, arrays: dict[str, NDArray[Any]]) -> list[Scene]:
    if header.scene is None:
        return []
    pictures = [_take_picture(arrays, f"{_SCENE}{number}") for number in range(header.frames)]
    return [Scene(pixels, *header.scene) for pixels in pictures]


def _take_picture(arrays: dict[str, NDArray[Any]], name: str) -> NDArray[np.uint8]:
    picture = arrays.pop(name, None)
    if picture is None or picture.ndim != 3:
        raise InvalidEntry("it lacks a picture")
    return picture


def pack_maps(id_: str, maps: Maps) -> bytes:
    """Return the maps `[h, w]` of an id as bytes; `maps` holds them by name."""
    return _pack(_Arrays(id=id_, arrays=_describe(maps)), maps)


def unpack_maps(id_: str, data: bytes) -> Maps:
    """Return the maps that `pack_maps` packed, by name.

    Raises:
        InvalidEntry: the bytes belong to another id, are of another version of the format, or are damaged.
    """
    return _unpack(id_, data, _Arrays)[1]


def _describe(arrays: Mapping[str, NDArray[Any]]) -> list[_Array]:
    return [
        _Array(name=name, dtype="|u1" if array.dtype == np.uint8 else "<f4", shape=list(array.shape))
        for name, array in arrays.items()
    ]


def _pack(header: _Arrays, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    text = header.model_dump_json().encode()
    assert len(text) <= _HEADER_LIMIT_BYTES, "the header of an entry is bounded"
    raw = [arrays[each.name].astype(each.dtype, copy=False).tobytes() for each in header.arrays]
    return b"".join([_HEAD.pack(_MAGIC, len(text)), text, *raw])


def _unpack(id_: str, data: bytes, kind: type[_H]) -> tuple[_H, dict[str, NDArray[Any]]]:
    if len(data) < _HEAD.size:
        raise InvalidEntry("it is too short")
    magic, length = _HEAD.unpack_from(data)
    if magic != _MAGIC or length > _HEADER_LIMIT_BYTES:
        raise InvalidEntry("it has another format, or another version of the format")
    start = _HEAD.size + length
    try:
        header = kind.model_validate(json.loads(data[_HEAD.size : start]))
    except (ValidationError, ValueError, RecursionError) as error:
        raise InvalidEntry("its header is invalid") from error
    if header.id != id_:  # a client must never get the picture of another
        raise InvalidEntry("it belongs to another id")
    return header, _cut(data, start, header.arrays)


def _cut(data: bytes, start: int, described: list[_Array]) -> dict[str, NDArray[Any]]:
    """Return the arrays as views of the bytes, which must end with the last array."""
    arrays = {}
    for each in described:
        count = math.prod(each.shape)
        if min(each.shape) < 1 or start + count * np.dtype(each.dtype).itemsize > len(data):
            raise InvalidEntry(f"the bytes of its array {each.name!r} are missing")
        arrays[each.name] = np.frombuffer(data, each.dtype, count, start).reshape(each.shape)
        start += arrays[each.name].nbytes
    if start != len(data):
        raise InvalidEntry("it has bytes after its arrays")
    return arrays
