"""One version of a direction: its models, their queues, and the requests that use them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from app.engine.directions.any_shape import AnyShapeModels
from app.engine.directions.bundle_models import BundleModels
from app.engine.directions.direction_state import (
    Fault,
    FaultCleared,
    FaultRaised,
    GeneratorLost,
    HealthEvent,
)
from app.engine.directions.direction_status import BundleInfo
from app.engine.directions.reasons import as_clause
from app.engine.errors import DirectionDefunct, NetworkDefunct, NoSuchNetwork, StyleEncoderDefunct
from app.engine.events import RunFinished
from app.engine.runtime.session import Execution, Model, OpenModel, Pixels, StyleCodes
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.batcher import Batcher, Inference, ModelInput
from app.engine.scheduling.runner import ModelBroken, ModelEvent, Runner, TimeLimits
from app.engine.store.entry import Maps
from models.bundle.canary import STYLE
from models.bundle.errors import BundleError
from models.bundle.manifest import DISCRIMINATORS, GENERATOR, STYLE_ENCODER
from models.files.text import as_text


class SchedulingLimits(NamedTuple):
    """How many pictures a direction admits, how it batches them, and how long it waits for its models."""

    permits: int
    batch_sizes: list[int]
    """The sizes of a run, ascending."""
    batch_wait_seconds: float
    """How long a batch that is not full waits for more pictures."""
    time_limits: TimeLimits = TimeLimits()


TranslatorEvent = RunFinished | HealthEvent


class Translator:
    """The models of one version of a bundle: another version gets another translator."""

    def __init__(
        self,
        path: Path,
        open_models: Sequence[OpenModel],
        limits: SchedulingLimits,
        on_event: Callable[[TranslatorEvent], None],
    ) -> None:
        """Args:
        path: the bundle's directory.
        open_models: opens a model, for each device; the discriminators run on the first.
        limits: of the queue and of the runs.
        on_event: called after each run of the generator and when the health changes.
        """
        self.name = as_text(path.name)
        self._on_event = on_event
        self._models = BundleModels(path, limits.batch_sizes)
        self._users = 0
        self._retired = False
        self._generator_runners = [
            self._generator_runner(number, open_model, limits.time_limits)
            for number, open_model in enumerate(open_models)
        ]
        second_runner = partial(self._second_runner, open_models[0], limits.time_limits)
        self._discriminator_runner = second_runner(
            DISCRIMINATORS, self._models.check_discriminators, "discriminators", Fault.DISCRIMINATORS
        )
        self._encoder_runner = second_runner(
            STYLE_ENCODER, self._models.check_style_encoder, "style encoder", Fault.STYLE_ENCODER
        )
        lock = asyncio.Lock()  # each model needs the whole machine, so one runs at a time
        self._generator = Batcher(
            self._generator_runners[0],
            name=self.name,
            batch_sizes=limits.batch_sizes,
            wait_seconds=limits.batch_wait_seconds,
            on_run=on_event,
            lock=lock,
            replicas=self._generator_runners[1:],
        )
        self._discriminators = Batcher(self._discriminator_runner, lock=lock)
        self._encoder = Batcher(self._encoder_runner, lock=lock)
        self._any_shape = AnyShapeModels(
            self.name,
            self._models,
            open_models[0],
            time_limits=limits.time_limits,
            lock=lock,
            on_run=on_event,
            on_event=partial(self._handle_second_event, Fault.ANY_SHAPE, "models for fit=native"),
        )

    def _second_runner(
        self,
        open_model: OpenModel,
        time_limits: TimeLimits,
        file: str,
        check: Callable[[Model], None],
        words: str,
        fault: Fault,
    ) -> Runner:
        """Return the runner of a model beside the generator, which is opened at its first use."""
        return Runner(
            f"{self.name} {words}",
            partial(self._models.open_second, file, open_model),
            check,
            time_limits=time_limits,
            on_event=partial(self._handle_second_event, fault, words),
        )

    def _generator_runner(self, number: int, open_model: OpenModel, time_limits: TimeLimits) -> Runner:
        return Runner(
            f"{self.name} copy {number}" if number else self.name,
            partial(self._models.open_generator, open_model),
            self._models.check_generator,
            time_limits=time_limits,
            on_event=self._handle_generator_event,
        )

    async def load(self) -> None:
        """Verify the bundle, open its generator on every device, run the canary, warm up.

        Raises:
            BundleError: the bundle is damaged or wrong, or its model cannot be opened.
        """
        try:
            for runner in self._generator_runners:
                await runner.open()
        except BundleError:
            raise
        except Exception as error:  # onnxruntime's exceptions have no common base
            raise BundleError(f"Its model cannot be opened: {as_clause(str(error))}.") from error

    @property
    def bundle(self) -> BundleInfo | None:
        """The bundle that was verified; None until then."""
        return self._models.info

    @property
    def has_discriminators(self) -> bool:
        """Whether the discriminators' heat maps are available."""
        promised = self.bundle is not None and self.bundle.manifest.discriminators
        return promised and self._discriminator_runner.usable

    @property
    def encodes_references(self) -> bool:
        """Whether the style of a reference can be encoded."""
        promised = self.bundle is not None and self.bundle.manifest.reference
        return promised and self._encoder_runner.usable

    @property
    def intact(self) -> bool:
        """Whether the models work on every device, or can be opened there."""
        return self._any_shape.usable and all(runner.usable for runner in self._runners)

    @property
    def _runners(self) -> list[Runner]:
        return [*self._generator_runners, self._discriminator_runner, self._encoder_runner]

    @property
    def execution(self) -> Execution | None:
        """Where and in which precision the generator runs, on the first device that works."""
        executions = (runner.execution for runner in self._generator_runners)
        return next((execution for execution in executions if execution is not None), None)

    @property
    def float32_reason(self) -> str | None:
        """Why the generator runs in float32 instead of a lower precision; None if it does not."""
        return self._models.float32_reasons.get(GENERATOR)

    @property
    def queued(self) -> int:
        """How many pictures wait."""
        batchers = (self._generator, self._discriminators, self._encoder)
        return sum(batcher.queued for batcher in batchers) + self._any_shape.queued

    @property
    def finished(self) -> bool:
        """Whether it was retired and no request uses it any more."""
        return self._retired and not self._users

    @contextmanager
    def use(self) -> Iterator[None]:
        """Keep it open until the end of the block, even if it is retired in the meantime."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self.finished:
                self.close()

    def retire(self) -> None:
        """Close it as soon as no request uses it."""
        self._retired = True
        if self.finished:
            self.close()

    def release_models(self) -> None:
        """Close the models; the waiting requests fail."""
        for runner in self._runners:
            runner.close()
        self._any_shape.release_models()

    def close(self) -> None:
        """Stop at once and cancel the waiting requests."""
        self._generator.close()
        self._discriminators.close()
        self._encoder.close()
        self._any_shape.close()

    async def generate(self, inputs: Sequence[ModelInput], permit: Permit) -> list[Inference]:
        """Return the generator's outputs for the inputs of one request, whose frames have one size.

        Raises:
            DirectionDefunct: the generator does not work.
            NetworkDefunct: it does not work for this size.
        """
        if not self._has_own_size(inputs[0].pixels):
            try:
                return await self._any_shape.run(GENERATOR, inputs, permit)
            except ModelBroken:
                raise NetworkDefunct(self.name, "models for fit=native", "use fit=contain") from None
        try:
            return await self._generator.submit(inputs, permit)
        except ModelBroken:
            raise DirectionDefunct(self.name) from None

    async def encode_style(self, reference: Pixels, permit: Permit) -> StyleCodes:
        """Return the style code `[d]` of a picture `[H, W, 3]` of the target domain.

        Raises:
            StyleEncoderDefunct: the style encoder does not work.
        """
        try:
            await self._encoder_runner.ensure_open()  # without the lock: the generator must not wait
            (inference,) = await self._encoder.submit([ModelInput(reference)], permit)
        except ModelBroken:
            raise StyleEncoderDefunct(self.name) from None
        return inference.outputs[STYLE]

    async def discriminate(self, frames: Sequence[Pixels], permit: Permit) -> list[Maps]:
        """Return the heat maps of the discriminators, by their declared names, for translated frames.

        Raises:
            NoSuchNetwork: the bundle has no discriminators.
            NetworkDefunct: they do not work.
        """
        assert self.bundle is not None
        maps = self.bundle.manifest.maps_of("local", "global")
        if not maps:
            raise NoSuchNetwork(self.name, "discriminator")
        try:
            inputs = [ModelInput(each) for each in frames]
            if not self._has_own_size(frames[0]):
                inferences = await self._any_shape.run(DISCRIMINATORS, inputs, permit)
            else:
                # Opened without the lock: the generator must not wait.
                await self._discriminator_runner.ensure_open()
                inferences = await self._discriminators.submit(inputs, permit)
        except ModelBroken:
            raise NetworkDefunct(self.name, "discriminators", "request the generator's heat map") from None
        return [{each.name: one.outputs[each.name] for each in maps} for one in inferences]

    def _has_own_size(self, frame: Pixels) -> bool:
        """Return whether a frame `[H, W, 3]` has the bundle's size."""
        assert self.bundle is not None
        size = self.bundle.manifest.image
        return frame.shape[:2] == (size.height, size.width)

    def _handle_generator_event(self, event: ModelEvent) -> None:
        runners, reason = self._generator_runners, as_clause(event.reason)
        if event.change == "replacing":
            self._on_event(FaultRaised(Fault.GENERATOR, f"Its generator is being replaced: {reason}."))
        elif event.change == "replaced":
            if all(runner.execution is not None for runner in runners if runner.usable):
                self._on_event(FaultCleared(Fault.GENERATOR))
        elif usable := sum(runner.usable for runner in runners):
            lost = f"Its generator works on {usable} of {len(runners)} devices: {reason}."
            self._on_event(FaultCleared(Fault.GENERATOR))
            self._on_event(FaultRaised(Fault.DEVICE, lost))
        else:
            self._on_event(GeneratorLost(f"Its generator does not work: {reason}."))

    def _handle_second_event(self, fault: Fault, models: str, event: ModelEvent) -> None:
        """Report a change in models without which the direction still translates."""
        reason, several = as_clause(event.reason), fault is not Fault.STYLE_ENCODER
        if event.change == "replacing":
            sentence = f"Its {models} {'are' if several else 'is'} being replaced: {reason}."
        elif event.change == "broken":
            sentence = f"Its {models} {'do' if several else 'does'} not work: {reason}."
        else:
            self._on_event(FaultCleared(fault))
            return
        self._on_event(FaultRaised(fault, sentence))
