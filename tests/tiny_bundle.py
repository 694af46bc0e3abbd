"""Write a tiny, honest bundle whose outputs a test can compute by itself.

The generator inverts the picture. Its attention is the mean over colours and 8 x 8 blocks; its two logits are
the mean and the maximum of that map, scaled to about -1 ... 1. The discriminators look at the picture alike,
the local one through 4 x 4 blocks, the global one through 16 x 16.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.bundle.canary import smooth_picture, write_canary
from models.bundle.declarations import HeatMap, Input, Logits, Network, Range
from models.bundle.directory import write_bundle
from models.bundle.manifest import FORMAT, ImageSize, Manifest, Parity, Training, split_direction, version_of
from models.storage.file_entry import entry_of

SIZE = 32
OPSETS = [helper.make_opsetid("", 17)]


def pooled(picture: NDArray[np.uint8], block: int) -> NDArray[np.float32]:
    """The mean over colours and blocks of `[H, W, 3]`, as `[H / block, W / block]`."""
    grey = picture.astype(np.float32).mean(axis=2)
    height, width = grey.shape
    blocks = grey.reshape(height // block, block, width // block, block)
    means: NDArray[np.float32] = blocks.mean(axis=(1, 3))
    return means


def logits(attention: NDArray[np.float32]) -> NDArray[np.float32]:
    """The two logits of a map, `[2]`."""
    return np.array([attention.mean(), attention.max()], np.float32) / 128 - 1


def write_tiny_bundle(
    bundles_dir: Path,
    direction: str = "cat2dog",
    *,
    discriminators: bool = True,
    attention: bool = True,
    size: int = SIZE,
    canary_off_by: int = 0,
    delicate: bool = False,
    brightness: float = 1,
    words: str = "Turns a picture into its negative.",
) -> Path:
    """Write `bundles_dir / direction`; `canary_off_by` levels make its canary remember another picture.

    A `delicate` one is exact in float32, and useless in any lower precision.

    The negative is multiplied by `brightness`, so that models can be told apart.

    Other `words` on its card make another version of it.
    """
    pixels = smooth_picture(size, size, seed=0)
    negative = (255 - pixels[None].astype(np.float32)) * np.float32(brightness)
    outputs: dict[str, NDArray[Any]] = {"image": np.minimum(negative + canary_off_by, 255).astype(np.uint8)}
    if attention:
        outputs |= {"attention": pooled(pixels, 8)[None], "cam_logit": logits(pooled(pixels, 8))[None]}
    files = {
        "generator.onnx": generator(attention=attention, delicate=delicate, brightness=brightness),
        "canary.npz": write_canary(pixels[None], outputs),
        "card.md": f"# {direction}\n\n{words}\n".encode(),
    }
    if discriminators:
        files["discriminators.onnx"] = both_discriminators()
    write_bundle(bundles_dir / direction, manifest(direction, files, attention=attention, size=size), files)
    return bundles_dir / direction


def manifest(direction: str, files: dict[str, bytes], *, attention: bool, size: int) -> Manifest:
    """What the tiny bundle says about itself."""
    source, target = split_direction(direction)
    return Manifest(
        format=FORMAT,
        direction=direction,
        source=source,
        target=target,
        image=ImageSize(height=size, width=size, fixed=False),
        method="ugatit",
        architecture={"light": True},
        inputs=[Input(name="pixels", kind="picture")],
        maps=declared_maps(generator=attention, discriminators="discriminators.onnx" in files),
        logits=[Logits(name="cam_logit")] if attention else [],
        training=Training(code_version="test"),
        licence="MIT",
        limits="Only turns colours into their negatives.",
        parity=Parity(
            reference="numpy", runtime="onnxruntime", vectors="none", image_max_levels=0, image_equal=1
        ),
        files={name: entry_of(data) for name, data in files.items()},
    )


def declared_maps(*, generator: bool = True, discriminators: bool = True) -> list[HeatMap]:
    """Return the heat maps that the tiny networks return."""
    names: list[tuple[str, Network]] = [("attention", "generator")] if generator else []
    names += [("attention_local", "local"), ("attention_global", "global")] if discriminators else []
    return [HeatMap(name=name, network=network, kind="relevance", range=Range()) for name, network in names]


def version(bundle: Path) -> str:
    """The model version that the service shows for a bundle."""
    return version_of((bundle / "manifest.json").read_bytes())


def generator(*, attention: bool = True, delicate: bool = False, brightness: float = 1) -> bytes:
    """The inverting generator; a delicate one is wrong below float32."""
    nodes = [
        *_floats(),
        _constant("levels", TensorProto.FLOAT, [], 255.0),
        *(_cancelling("floats", "seen") if delicate else []),
        helper.make_node("Sub", ["levels", "seen" if delicate else "floats"], ["inverse"]),
        _constant("brightness", TensorProto.FLOAT, [], brightness),
        helper.make_node("Mul", ["inverse", "brightness"], ["negative"]),
        helper.make_node("Cast", ["negative"], ["image"], to=TensorProto.UINT8),
    ]
    outputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 3])]
    if attention:
        nodes += _attention(8, "attention", "cam_logit")
        outputs += _attention_outputs("attention", "cam_logit")
    return _model(nodes, outputs)


def _cancelling(source: str, result: str) -> list[onnx.NodeProto]:
    """Return what multiplies by 1 + 1/512 and then keeps the difference, times 512.

    bfloat16, which multiplies matrices where a CPU has it, knows no number between 1 and 1 + 1/128.
    """
    factor = np.eye(3, dtype=np.float32) * (1 + 1 / 512)
    return [
        helper.make_node("Constant", [], ["factor"], value=onnx.numpy_helper.from_array(factor)),
        _constant("back", TensorProto.FLOAT, [], 512.0),
        helper.make_node("MatMul", [source, "factor"], ["product"]),
        helper.make_node("Sub", ["product", source], ["difference"]),
        helper.make_node("Mul", ["difference", "back"], [result]),
    ]


def both_discriminators() -> bytes:
    """The two discriminators, in one graph."""
    nodes = _floats()
    outputs = []
    for name, block in (("local", 4), ("global", 16)):
        nodes += _attention(block, f"attention_{name}", f"cam_logit_{name}")
        outputs += _attention_outputs(f"attention_{name}", f"cam_logit_{name}")
    return _model(nodes, outputs)


def endless() -> bytes:
    """A generator that never answers: it counts to 2^62 first, and can only be terminated."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_in"], ["go"]), helper.make_node("Identity", ["x_in"], ["x"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_in", TensorProto.UINT8, None),
        ],
        [
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.UINT8, None),
        ],
    )
    nodes = [
        _constant("count", TensorProto.INT64, [], 1 << 62),
        _constant("true", TensorProto.BOOL, [], True),
        helper.make_node("Loop", ["count", "true", "pixels"], ["image"], body=body),
    ]
    return _model(nodes, [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 3])])


def _constant(name: str, kind: int, shape: list[int], value: float) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=helper.make_tensor(name, kind, shape, [value]))


def _floats() -> list[onnx.NodeProto]:
    return [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["grey"], axes=[3], keepdims=0),
        _constant("channel", TensorProto.INT64, [1], 1),
        helper.make_node("Unsqueeze", ["grey", "channel"], ["plane"]),
    ]


def _attention(block: int, attention: str, cam_logit: str) -> list[onnx.NodeProto]:
    pool, mean, peak, both = (f"{attention}_{part}" for part in ("pool", "mean", "max", "both"))
    return [
        helper.make_node(
            "AveragePool", ["plane"], [pool], kernel_shape=[block, block], strides=[block, block]
        ),
        helper.make_node("Squeeze", [pool, "channel"], [attention]),
        helper.make_node("ReduceMean", [pool], [mean], axes=[2, 3], keepdims=0),
        helper.make_node("ReduceMax", [pool], [peak], axes=[2, 3], keepdims=0),
        helper.make_node("Concat", [mean, peak], [both], axis=1),
        _constant(f"{both}_scale", TensorProto.FLOAT, [], 1 / 128),
        _constant(f"{both}_one", TensorProto.FLOAT, [], 1.0),
        helper.make_node("Mul", [both, f"{both}_scale"], [f"{both}_scaled"]),
        helper.make_node("Sub", [f"{both}_scaled", f"{both}_one"], [cam_logit]),
    ]


def _attention_outputs(attention: str, cam_logit: str) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(attention, TensorProto.FLOAT, ["N", None, None]),
        helper.make_tensor_value_info(cam_logit, TensorProto.FLOAT, ["N", 2]),
    ]


def _model(nodes: list[onnx.NodeProto], outputs: list[onnx.ValueInfoProto]) -> bytes:
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", "H", "W", 3])
    graph = helper.make_graph(nodes, "tiny", [pixels], outputs)
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
