"""Find out how a model takes and returns pictures, from its shapes and by running it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.bundle.canary import smooth_picture
from training.wrapping.convention import Channels, Convention, Layout, Pixels, RangeName
from training.wrapping.errors import WrapError
from training.wrapping.model_file import ModelFile

_DEFAULT_SIZE: Final = 256
_COLOUR_AXES: Final[Mapping[Layout, int]] = {"nchw": 1, "nhwc": 3}
_LAST_OPERATORS: Final[Mapping[str, RangeName]] = {"Tanh": "-1,1", "Sigmoid": "0,1"}
_PASSED_THROUGH: Final = frozenset({"Identity", "Transpose", "Cast", "Squeeze", "Unsqueeze", "Reshape"})


class Options(NamedTuple):
    """What the user says about a model; None is found out."""

    layout: Layout | None = None
    channels: Channels = "rgb"
    input_range: RangeName | None = None
    output_range: RangeName | None = None
    size: int | None = None
    """Height and width in pixels; None for the model's own."""
    output: str | None = None
    attention: str | None = None


class Inspection(NamedTuple):
    """How a model takes and returns pictures."""

    convention: Convention
    height: int
    width: int
    fixed: bool
    image: str
    """Name of the output with the translated picture."""
    attention: str | None
    """Name of the output with the heat map."""
    attention_axis: int | None
    """The map's axis of size 1 between those of batch, height and width; None for `[N, h, w]`."""
    guesses: list[str]
    """What was not said but guessed, as sentences."""


def inspect(model: ModelFile, options: Options) -> Inspection:
    """Return how a model takes and returns pictures.

    Raises:
        WrapError: the options contradict the model, or do not suffice.
    """
    guesses: list[str] = []
    layout, height, width, fixed, outputs = _run_once(model, options, guesses)
    image = _image(model, outputs, options, layout, (height, width))
    attention, axis = _attention(outputs, options)
    output_range = options.output_range or options.input_range
    if output_range is None:
        output_range = _guess_range(model, image, outputs[image])
        guesses.append(f"Values of pictures: {output_range} (--range).")
    convention = Convention(layout, options.channels, options.input_range or output_range, output_range)
    if options.channels == "rgb":
        guesses.append("Order of the colours: rgb (--channels).")
    return Inspection(convention, height, width, fixed, image, attention, axis, guesses)


def sample(height: int, width: int, *, seed: int = 0) -> Pixels:
    """Return a smooth picture, uint8 `[1, H, W, 3]`."""
    return smooth_picture(height, width, seed=seed)[None]


def _run_once(
    model: ModelFile, options: Options, guesses: list[str]
) -> tuple[Layout, int, int, bool, dict[str, NDArray[Any]]]:
    """Return the layout, height and width, whether they are fixed, and the outputs for one picture."""
    layouts = _layouts(model.input.shape, options)
    failure: WrapError | None = None
    for layout in layouts:
        height, width, fixed = _size(model.input.shape, layout, options)
        values = Convention(layout, "rgb", options.input_range or "-1,1", "-1,1").to_values(
            sample(height, width), model.input.dtype
        )
        try:
            outputs = model.run(values)
        except WrapError as error:
            failure = error
            continue
        if options.layout is None:
            guesses.append(f"Layout: {layout} (--layout).")
        if not fixed and options.size is None:
            guesses.append(f"Size: {height} px; the model takes any (--size).")
        return layout, height, width, fixed, outputs
    assert failure is not None
    raise failure


def _layouts(shape: Sequence[int | None], options: Options) -> list[Layout]:
    """Return the layouts that the input's shape allows."""
    allowed = [
        layout
        for layout, axis in _COLOUR_AXES.items()
        if shape[axis] in (3, None) and options.layout in (None, layout)
    ]
    known = [layout for layout in allowed if shape[_COLOUR_AXES[layout]] == 3]
    if not allowed:
        sizes = " x ".join("any" if size is None else str(size) for size in shape)
        told = f" in the layout {options.layout}" if options.layout else ""
        raise WrapError(f"The model's input must have three colours{told}, got {sizes}.")
    return known if len(known) == 1 else allowed


def _size(shape: Sequence[int | None], layout: Layout, options: Options) -> tuple[int, int, bool]:
    """Return height and width, and whether the model takes only these."""
    height, width = (shape[2], shape[3]) if layout == "nchw" else (shape[1], shape[2])
    if height is None or width is None:
        side = options.size or _DEFAULT_SIZE
        height, width, fixed = height or side, width or side, False
    elif options.size not in (None, height, width):
        raise WrapError(f"The model takes {width} x {height} px only, got --size {options.size}.")
    else:
        fixed = True
    if height % 4 or width % 4:
        raise WrapError(f"Height and width of a bundle must be multiples of 4, got {width} x {height} px.")
    return height, width, fixed


def _image(
    model: ModelFile,
    outputs: Mapping[str, NDArray[Any]],
    options: Options,
    layout: Layout,
    size: tuple[int, int],
) -> str:
    """Return the name of the output that is the translated picture."""
    shape = (1, 3, *size) if layout == "nchw" else (1, *size, 3)
    if options.output is not None:
        _require_output(outputs, options.output, "--output")
    named = [options.output] if options.output is not None else list(outputs)
    pictures = [name for name in named if outputs[name].shape == shape]
    if len(pictures) == 1:
        if not np.isfinite(outputs[pictures[0]].astype(np.float64)).all():
            raise WrapError(f"{model.name} returns values that are not finite for a plain picture.")
        return pictures[0]
    found = ", ".join(f"{name} {list(outputs[name].shape)}" for name in named)
    if pictures:
        raise WrapError(f"Several outputs are pictures: {', '.join(pictures)}; choose one with --output.")
    raise WrapError(
        f"An image translator returns a picture of the input's size, {list(shape)}; "
        f"{model.name} returns {found}."
    )


def _attention(outputs: Mapping[str, NDArray[Any]], options: Options) -> tuple[str | None, int | None]:
    """Return the name of the heat map's output, and its axis to leave out."""
    if options.attention is None:
        return None, None
    _require_output(outputs, options.attention, "--attention")
    shape = outputs[options.attention].shape
    if len(shape) == 3:
        return options.attention, None
    axis = next((axis for axis in (1, 3) if len(shape) == 4 and shape[axis] == 1), None)
    if axis is None:
        raise WrapError(
            f"A heat map has one value at each place, [N, h, w]; {options.attention} is {list(shape)}."
        )
    return options.attention, axis


def _require_output(outputs: Mapping[str, NDArray[Any]], name: str, option: str) -> None:
    if name not in outputs:
        raise WrapError(f"The model has no output {name}; {option} can be {', '.join(outputs)}.")


def _guess_range(model: ModelFile, image: str, values: NDArray[Any]) -> RangeName:
    """Return the range of an output, by the operator that computes it, or else by its values."""
    if values.dtype == np.uint8 or model.input.dtype == np.uint8:
        return "0,255"
    producers = {name: node for node in model.proto.graph.node for name in node.output}
    node = producers.get(image)
    while node is not None and node.op_type in _PASSED_THROUGH:
        node = producers.get(node.input[0])
    if node is not None and node.op_type in _LAST_OPERATORS:
        return _LAST_OPERATORS[node.op_type]
    low, high = float(values.min()), float(values.max())
    if high > 2:
        return "0,255"
    return "-1,1" if low < -0.05 else "0,1"
