"""The kind of a method: all that commands and configs know about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn

from training.config.compute_settings import ComputeSettings
from training.methods.data_needs import ONE_OF_EACH, DataNeeds
from training.methods.finite_updates import GuardConfig
from training.methods.importing import ImportOfficial
from training.methods.loss_families import LossFamilies
from training.methods.method import Method
from training.parallel.processes import Processes

Changes = Mapping[str, Any]
"""Changes of a method's config section, as nested mappings."""


class MethodConfig(Protocol):
    """The config section of a method: a frozen dataclass whose field docstrings are the help."""

    @property
    def learning_rate(self) -> float:
        """The highest learning rate of the generators."""

    @property
    def base_channels(self) -> int:
        """The base channels of the widest network."""

    def refuse_size(self, size: int) -> None:
        """Check that the networks take pictures of so many pixels.

        Raises:
            ConfigError: they do not.
        """


class Build(Protocol):
    """Builds a method from its config."""

    def __call__(
        self,
        config: Any,
        *,
        size: int,
        speed: ComputeSettings,
        guard: GuardConfig | None,
        processes: Processes | None,
    ) -> Method:
        """Return the method with its first weights.

        Args:
            config: its config section.
            size: the side of the training pictures in pixels.
            speed: the compute settings.
            guard: limits that decide which updates are skipped; None for the default limits.
            processes: the processes that train together; None for this process alone.
        """


class FirstWeights(Protocol):
    """Reads an official checkpoint for `--init`."""

    def __call__(
        self, path: Path, networks: Mapping[str, nn.Module], /, *, size: int
    ) -> dict[str, dict[str, Tensor]]:
        """Return the state of each network that the checkpoint has, by name."""


class FileOption(NamedTuple):
    """An option that names a file which a method needs, such as the weights of another network."""

    help: str
    changes: Callable[[str], Changes]
    """Returns the changes of the method's config section, from the file's absolute path."""


@dataclass(frozen=True, kw_only=True)
class MethodKind:
    """A training method as commands and configs see it."""

    name: str
    """Its name in `--method`, in a run's config, in its config section and in a manifest."""
    title: str
    """Its name for people, with its paper."""
    config: type[Any]
    """The class of its config section, a `MethodConfig`."""
    build: Build
    presets: Path
    """The folder of its presets; `author` and `common` are among them."""
    preset: str = "author"
    """The default preset."""
    directions: Sequence[tuple[str, str]] = (("A", "B"), ("B", "A"))
    """The source and the target domain of each direction that it trains."""
    needs: Callable[[Any], DataNeeds] = lambda _: ONE_OF_EACH
    """Returns the training pictures that a step needs, from the config section."""
    score: str = "cycle L1"
    """The name of a checkpoint's score."""
    score_words: str = "the mean distance of a picture from its reconstruction"
    """What the score of one direction is."""
    has_parts: Callable[[Any], bool] = lambda _: False
    """Returns whether heat maps have parts, from the config section."""
    families: LossFamilies
    """The families of its loss terms."""
    about: Mapping[str, str] = field(default_factory=dict)
    """Titles of what terms are about, where it is not a domain: `GA` is `global A`."""
    variants: Mapping[str, Changes] = field(default_factory=dict)
    """Its ablations: the changes of its config section, by name."""
    sized: Callable[[int], Changes] = lambda _: {}
    """Returns the changes of its section for pictures of so many pixels."""
    widened: Callable[[int], Changes]
    """Returns the changes of its section for so many base channels."""
    fitted: Callable[[Mapping[str, Any], int], tuple[Changes, Sequence[str]]] = lambda _, __: ({}, ())
    """Returns the changes that fit a section to pictures of so many pixels, and a remark on each."""
    extra_bytes: Callable[[Any, int], int] = lambda _, __: 0
    """Returns the most bytes of a method's extra state in a checkpoint, such as full image pools, from the
    config section and the side of the pictures."""
    lacks: Callable[[Any], Sequence[str]] = lambda _: ()
    """Returns a sentence on each part of the method that a run of this config section does without."""
    optional_networks: Collection[str] = ()
    """Networks that only some configs have, and only for training; `--init` leaves out those a run lacks."""
    files: Mapping[str, FileOption] = field(default_factory=dict)
    """Its options that name files, by name: `vgg_weights` is `--vgg-weights FILE`."""
    import_official: ImportOfficial
    """Reads official checkpoints as translators."""
    read_official: FirstWeights | None = None
    """Reads official checkpoints for `--init`; None if there is no reader."""
    official_folder: Callable[[Path], bool] = lambda _: False
    """Returns whether a folder is an official checkpoint, and not one of our runs."""
    official_file: Callable[[Mapping[str, nn.Module]], bytes] | None = None
    """Writes the networks in the official layout; None if there is no writer."""
