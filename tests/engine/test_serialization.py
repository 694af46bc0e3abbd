"""Entries as bytes: packed entries are unpacked, and other bytes are rejected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.engine.store.serialization import InvalidEntry, pack_entry, pack_maps, unpack_entry, unpack_maps
from models.images.affine import Affine
from tests.engine.entries import entry, same, scene_entry


@pytest.mark.parametrize("attention", [True, False])
def test_an_unpacked_entry_equals_the_packed_one(attention: bool) -> None:
    kept = entry(attention=attention)
    assert same(unpack_entry("id", pack_entry("id", kept)), kept)


def test_an_unpacked_entry_of_several_crops_equals_the_packed_one() -> None:
    kept = scene_entry()
    assert same(unpack_entry("id", pack_entry("id", kept)), kept)


def test_a_crop_without_an_inverse_map_is_rejected() -> None:
    kept = scene_entry()
    flat = replace(kept, crops=[kept.crops[0]._replace(to_frame=Affine(1, 1, 0, 1, 1, 0))])
    with pytest.raises(InvalidEntry, match="flat"):
        unpack_entry("id", pack_entry("id", flat))


def test_unpacked_maps_equal_the_packed_ones() -> None:
    maps = {"local": np.float32([[1, -2.5]]), "global": np.float32([[3], [4]])}
    back = unpack_maps("id", pack_maps("id", maps))
    assert back.keys() == maps.keys()
    assert all(np.array_equal(back[name], maps[name]) for name in maps)


def test_a_truncated_entry_is_rejected() -> None:
    data = pack_entry("id", entry())
    for length in range(len(data)):
        with pytest.raises(InvalidEntry):
            unpack_entry("id", data[:length])
    with pytest.raises(InvalidEntry):
        unpack_entry("id", data + b"\x00")


def test_an_entry_of_another_format_version_is_rejected() -> None:
    data = bytearray(pack_entry("id", entry()))
    data[7] += 1
    with pytest.raises(InvalidEntry, match="version"):
        unpack_entry("id", bytes(data))


def test_the_entry_of_another_id_is_rejected() -> None:
    with pytest.raises(InvalidEntry, match="another id"):
        unpack_entry("mine", pack_entry("yours", entry()))
    with pytest.raises(InvalidEntry, match="another id"):
        unpack_maps("mine", pack_maps("yours", {}))


def test_a_damaged_header_is_rejected_or_harmless() -> None:
    data = pack_entry("id", entry())
    pixels = 2 * 8 * 8 * 3 + 2 * 3 * 4
    for position in range(len(data) - pixels):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            try:
                unpack_entry("id", bytes(damaged))
            except InvalidEntry:
                continue


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04K\x01.", b"{}", bytes(64), b"ugatit\x00\x01" + b"\xff" * 100]
)
def test_other_bytes_are_rejected(data: bytes) -> None:
    with pytest.raises(InvalidEntry):
        unpack_entry("id", data)
    with pytest.raises(InvalidEntry):
        unpack_maps("id", data)
