"""Open and check the models of one version of a bundle."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from app.engine.directions.direction_status import BundleInfo
from app.engine.directions.verification import (
    check_discriminators,
    check_generator,
    check_name,
    check_style_encoder,
    warm_up,
)
from app.engine.runtime.session import Model, OpenModel, Pixels, PrecisionTooLow
from models.bundle.canary import read_canary
from models.bundle.directory import read_bundle, read_verified
from models.bundle.errors import BundleError
from models.bundle.manifest import CANARY, DISCRIMINATORS, GENERATOR, STYLE_ENCODER, Manifest

log = logging.getLogger("ugatit.engine")

_Check = Callable[[Model, Manifest, Pixels], None]


class BundleModels:
    """The models of the bundle that was in the directory at the first opening.

    Its methods are called in the threads of the models.
    """

    def __init__(self, path: Path, batch_sizes: Sequence[int]) -> None:
        self.info: BundleInfo | None = None
        """None until the generator was opened once."""
        self.float32_reasons: dict[str, str] = {}
        """By the model's file: why it is opened in float32 instead of a lower precision."""
        self._path = path
        self._batch_sizes = batch_sizes
        self._canary: Mapping[str, NDArray[Any]] = {}

    def open_generator(self, open_model: OpenModel) -> Model:
        """Read and verify the bundle, and open its generator; the same each time it is replaced.

        Raises:
            BundleError: the bundle is damaged, or another version is in the directory by now.
        """
        bundle = read_bundle(self._path)
        check_name(bundle.manifest, self._path)
        if self.info is not None and bundle.version != self.info.version:
            raise BundleError(
                f"{self._path} now holds another version than the one in use; reload to serve it."
            )
        self._canary = read_canary(bundle.files[CANARY])
        model = self._open(open_model, GENERATOR, bundle.files[GENERATOR])
        self.info = BundleInfo(bundle.manifest, bundle.version, bundle.card)
        return model

    def check_generator(self, model: Model) -> None:
        """Run the canary, then every batch size.

        Raises:
            BundleError: the outputs are wrong.
        """
        assert self.info is not None
        with self._recorded_precision(GENERATOR):
            check_generator(model, self.info.manifest, self._canary)
        warm_up(model, self.info.manifest, self._batch_sizes)

    def open_second(self, name: str, open_model: OpenModel) -> Model:
        """Open a model beside the generator from disk, at its first use: until then it takes no memory.

        The discriminators may take 240 MB.
        """
        return self._open(open_model, name, self._read(name))

    def check_discriminators(self, model: Model) -> None:
        """Run the discriminators on the canary's translated picture.

        Raises:
            BundleError: the outputs are wrong.
        """
        self._check_second(DISCRIMINATORS, check_discriminators, model)

    def check_style_encoder(self, model: Model) -> None:
        """Run the style encoder on the canary's translated picture.

        Raises:
            BundleError: the code is wrong.
        """
        self._check_second(STYLE_ENCODER, check_style_encoder, model)

    def _check_second(self, name: str, check: _Check, model: Model) -> None:
        assert self.info is not None
        manifest = self.info.manifest
        with self._recorded_precision(name):
            check(model, manifest, self._canary["image"])
        model.prepare_shapes([(1, manifest.image.height, manifest.image.width)])

    def open_for_any_shape(self, open_model: OpenModel, name: str) -> Model:
        """Open one model from disk for inputs of any shape, at their first use."""
        return open_model(self._read(name), any_shape=True)

    def check_generator_for_any_shape(self, model: Model) -> None:
        """Run the canary.

        Raises:
            BundleError: the outputs are wrong.
        """
        assert self.info is not None
        check_generator(model, self.info.manifest, self._canary)

    def _read(self, name: str) -> bytes:
        """Return a file of the bundle from disk.

        Raises:
            BundleError: it is not the file that the manifest names.
        """
        assert self.info is not None
        return read_verified(self._path, name, self.info.manifest.files[name])

    def _open(self, open_model: OpenModel, name: str, data: bytes) -> Model:
        """Open one model, in float32 if it or the generator failed at a lower precision before."""
        if self.float32_reasons.keys() & {name, GENERATOR}:
            return open_model(data, exact=True)
        return open_model(data)

    @contextmanager
    def _recorded_precision(self, name: str) -> Iterator[None]:
        """Record that a model's precision is too low, so that it is opened in float32 the next time."""
        try:
            yield
        except PrecisionTooLow as error:
            self.float32_reasons[name] = str(error)
            log.warning("%s, %s: %s", self._path.name, name, error)
            raise
