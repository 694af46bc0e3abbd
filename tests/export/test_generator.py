"""The exported generator computes the same function as the network."""

import copy

import numpy as np
import onnxruntime
import pytest
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from models.bundle.canary import smooth_picture
from models.bundle.declarations import PARTS, map_name
from models.bundle.graph_switches import WINOGRAD, turn_on
from models.networks.config import GeneratorConfig, Normalization
from models.networks.generator import Generator
from tests.golden.reading import RELATIVE_TOLERANCE, VARIANTS, config, params, pixels, relative
from training.export.float32_regions import OUTPUT
from training.export.parity import MIN_EQUAL, ParityError, check_translator, cpu_session, run
from training.export.translator import export_translator
from training.importers.pytorch import read_official
from training.methods.ugatit.translators import translator

SWITCHES = [pytest.param(False, id="direct"), pytest.param(True, id="winograd")]


def open_model(model: bytes, *, winograd: bool) -> onnxruntime.InferenceSession:
    return cpu_session(turn_on(model, WINOGRAD) if winograd else model)


def generator(**changes: object) -> Generator:
    torch.manual_seed(5)
    config = {"size": 32, "channels": 8, "blocks": 1, "light": True, **changes}
    network = Generator(GeneratorConfig(**config)).double().eval()  # type: ignore[arg-type]
    for name, parameter in network.named_parameters():
        if name.endswith("rho"):
            torch.nn.init.uniform_(parameter)  # so that a wrong mixture is found
    return network


@pytest.mark.golden
@pytest.mark.parametrize("winograd", SWITCHES)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["genA2B", "genB2A"])
def test_exported_official_networks_give_the_golden_pixels(variant: str, name: str, winograd: bool) -> None:
    golden = pixels(variant)
    official = read_official(params(variant), size=config(variant)["img_size"])
    network = official.generators[name].double()
    found = run(open_model(export_translator(translator(network)), winograd=winograd), golden["pixels"])
    difference = np.abs(found["image"].astype(int) - golden[f"{name}.image"])
    assert difference.max() <= 1
    assert (difference == 0).mean() >= MIN_EQUAL
    assert relative(found["cam_logit"], golden[f"{name}.cam_logit"]) < RELATIVE_TOLERANCE
    assert relative(found["attention"], golden[f"{name}.attention"]) < RELATIVE_TOLERANCE


@pytest.mark.parametrize("winograd", SWITCHES)
def test_float_image_differs_from_float64_by_less_than_1e_5(winograd: bool) -> None:
    network = generator(size=64, channels=32, blocks=2)
    x = torch.rand(1, 3, 64, 64, dtype=torch.float64) * 2 - 1
    session = open_model(export_translator(translator(network), values=True), winograd=winograd)
    (found,) = session.run(["image"], {"values": x.float().numpy()})
    with torch.inference_mode():
        expected = network(x).image.numpy()
    assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize("light", [True, False], ids=["light", "full"])
@pytest.mark.parametrize("cam", [True, False], ids=["cam", "without"])
@pytest.mark.parametrize("normalization", ["adalin", "in", "ln", "adain", "gn"])
def test_every_ablation_is_exported_exactly(normalization: Normalization, cam: bool, light: bool) -> None:
    network = generator(normalization=normalization, cam=cam, light=light, channels=16)
    model = export_translator(translator(network))
    parity = check_translator(model, translator(network))
    assert parity.image_max_levels <= 1
    names = {output.name for output in cpu_session(model).get_outputs()}
    maps = {map_name("generator", part) for part in PARTS}
    assert names == {OUTPUT, *({"image", "cam_logit", *maps} if cam else {"image"})}


def test_biased_variance_is_exported_exactly() -> None:
    network = generator(unbiased_variance=False)
    check_translator(export_translator(translator(network)), translator(network))


@pytest.mark.parametrize("winograd", SWITCHES)
@pytest.mark.parametrize("light", [True, False], ids=["light", "full"])
def test_batch_gives_the_same_as_each_picture_alone(light: bool, winograd: bool) -> None:
    session = open_model(export_translator(translator(generator(light=light))), winograd=winograd)
    batch = np.stack([smooth_picture(32, 32, seed=seed) for seed in range(3)])
    together = run(session, batch)
    for index in range(3):
        alone = run(session, batch[index : index + 1])
        assert np.array_equal(together["image"][index], alone["image"][0])
        assert np.allclose(together["attention"][index], alone["attention"][0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("winograd", SWITCHES)
@pytest.mark.parametrize(("height", "width"), [(32, 48), (36, 32), (40, 28), (44, 64), (8, 12)])
def test_light_graph_takes_any_size_divisible_by_four(height: int, width: int, winograd: bool) -> None:
    network = generator()
    picture = smooth_picture(height, width, seed=1)[None]
    found = run(open_model(export_translator(translator(network)), winograd=winograd), picture)
    with torch.inference_mode():
        x = torch.from_numpy(picture).permute(0, 3, 1, 2).double() / 127.5 - 1
        expected = ((network(x).image + 1) * 127.5).round().permute(0, 2, 3, 1).numpy()
    assert np.abs(found["image"] - expected).max() <= 1
    assert found["attention"].shape == (1, height // 4, width // 4)


@pytest.mark.parametrize("winograd", SWITCHES)
@pytest.mark.parametrize("level", [0.0, 1.0, 50.0])
def test_normalisation_of_a_constant_map_is_finite(level: float, winograd: bool) -> None:
    network = generator(channels=32)
    with (
        torch.no_grad()
    ):  # the decoder's maps become constant and far from 0, as those of a photo of one colour
        network.cam.merge.weight.zero_()
        network.cam.merge.bias.uniform_(0.5, 1).mul_(level)
    session = open_model(export_translator(translator(network), values=True), winograd=winograd)
    values = session.run(["image"], {"values": np.full((1, 3, 32, 32), -1, np.float32)})[0]
    assert np.isfinite(values).all()


def test_full_graph_refuses_other_sizes() -> None:
    session = cpu_session(export_translator(translator(generator(light=False))))
    with pytest.raises(InvalidArgument):
        run(session, smooth_picture(64, 64, seed=0)[None])


def test_graph_of_other_weights_is_refused() -> None:
    network = generator()
    model = export_translator(translator(network))
    other = copy.deepcopy(network)
    with torch.no_grad():
        other.to_image[1].weight *= 1.05
    with pytest.raises(ParityError, match="nothing was written"):
        check_translator(model, translator(other))


def test_same_network_exports_the_same_bytes() -> None:
    assert export_translator(translator(generator())) == export_translator(translator(generator()))
