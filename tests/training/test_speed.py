"""Compute settings: their choice by hardware; none of them changes losses or gradients."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from bench.official_step import official_step
from bench.plain import method_by_formula
from models.networks.config import DiscriminatorConfig, GeneratorConfig
from training.checkpoint.optimizer import pack_optimizer, unpack_optimizer
from training.config.compute_settings import ComputeConfig, ComputeSettings, choose_settings
from training.methods.progress import TYPICAL
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.method import Ugatit

ALL = ComputeSettings(channels_last=True, quick=True, fused_adam=True)
SETTINGS = {
    "one pass for two": ComputeSettings(),
    "channels last": ComputeSettings(channels_last=True),
    "quick convolutions": ComputeSettings(quick=True),
    "fused Adam": ComputeSettings(fused_adam=True),
    "all": ALL,
}


def made(speed: ComputeSettings, dtype: torch.dtype = torch.float64) -> Ugatit:
    """Return a method with the same weights for all settings, without power iteration."""
    torch.manual_seed(5)
    config = UgatitConfig(
        generator=GeneratorConfig(size=32, channels=8, blocks=1, light=True),
        global_discriminator=DiscriminatorConfig(channels=8, layers=4),
        local_discriminator=DiscriminatorConfig(channels=8, layers=3),
    )
    method = Ugatit(config, speed=speed)
    for name, network in method.networks.items():
        network.to(dtype)
        if name.startswith("dis"):
            network.eval()
    return method


def batch(dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(2)
    return {domain: (torch.rand(2, 3, 32, 32, generator=random) * 2 - 1).to(dtype) for domain in "AB"}


def unfused(dtype: torch.dtype = torch.float64) -> Ugatit:
    """Return the method with unfused layers, for the official step."""
    return method_by_formula(made(ComputeSettings(), dtype))


def gradients(method: Ugatit) -> dict[str, Tensor]:
    """Return a dict that every optimizer fills with its gradients when it steps."""
    found: dict[str, Tensor] = {}

    def note(name: str, optimizer: torch.optim.Optimizer) -> None:
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        found[name] = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])

    for name, optimizer in method.optimizers.items():
        optimizer.register_step_pre_hook(lambda optimizer, *_, name=name: note(name, optimizer))
    return found


def difference(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("speed", SETTINGS.values(), ids=SETTINGS.keys())
def test_no_compute_setting_changes_a_loss_or_a_gradient(speed: ComputeSettings) -> None:
    official, method = unfused(), made(speed)
    theirs, ours = gradients(official), gradients(method)
    expected, found = official_step(official, batch()), method.step(batch(), TYPICAL)
    assert found.keys() == expected.keys()
    for name, term in expected.items():
        assert float(found[name]) == pytest.approx(float(term), rel=1e-9), name
    for name, gradient in theirs.items():
        assert difference(ours[name], gradient) < 1e-9, name


def test_single_precision_rounds_the_losses_by_less_than_a_ten_thousandth() -> None:
    expected = official_step(unfused(), batch())
    found = made(ALL, torch.float32).step(batch(torch.float32), TYPICAL)
    for name, term in expected.items():
        assert float(found[name]) == pytest.approx(float(term), rel=1e-4), name


def test_bfloat16_rounds_the_losses_by_a_few_percent() -> None:
    """bfloat16 has 8 significant bits, 0.4 % per rounding. Every layer rounds; weights and losses do not."""
    expected = official_step(unfused(), batch())
    method = made(ComputeSettings(bfloat16=True, channels_last=True, fused_adam=True), torch.float32)
    found = method.step(batch(torch.float32), TYPICAL)
    for name, term in expected.items():
        assert found[name].dtype == torch.float32
        assert float(found[name]) == pytest.approx(float(term), rel=0.05), name
    assert {p.dtype for network in method.networks.values() for p in network.parameters()} == {torch.float32}


def test_the_spectral_norm_is_computed_in_float32_under_autocast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A GPU's autocast also rounds matrix-vector products. A CPU's does not, so the test reads its state."""
    enabled: list[bool] = []
    product = torch.mv

    def note(matrix: Tensor, vector: Tensor) -> Tensor:
        enabled.append(torch.is_autocast_enabled("cpu"))
        return product(matrix, vector)

    method = made(ComputeSettings(bfloat16=True), torch.float32)
    for discriminator in method.discriminators.values():
        discriminator.train()
    monkeypatch.setattr(torch, "mv", note)
    method.step(batch(torch.float32), TYPICAL)
    assert enabled
    assert not any(enabled)


def test_fused_adam_continues_from_the_state_of_unfused_adam() -> None:
    method, fused = made(ComputeSettings(), torch.float32), made(ALL, torch.float32)
    method.step(batch(torch.float32), TYPICAL)
    for name, network in fused.networks.items():
        network.load_state_dict(method.networks[name].state_dict())
    for name, optimizer in method.optimizers.items():
        unpack_optimizer(fused.optimizers[name], pack_optimizer(optimizer))
    expected = copy.deepcopy(method).step(batch(torch.float32), TYPICAL)
    found = fused.step(batch(torch.float32), TYPICAL)
    assert all(group["fused"] for o in fused.optimizers.values() for group in o.param_groups)
    for name, term in expected.items():
        assert float(found[name]) == pytest.approx(float(term), rel=1e-4), name


def hardware(monkeypatch: pytest.MonkeyPatch, *, bfloat16: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: bfloat16)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bfloat16)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("bfloat16", [True, False])
def test_auto_selects_bfloat16_on_hardware_that_has_it(
    monkeypatch: pytest.MonkeyPatch, device: str, bfloat16: bool
) -> None:
    hardware(monkeypatch, bfloat16=bfloat16)
    speed = choose_settings(ComputeConfig(), device)
    assert speed.bfloat16 is bfloat16
    assert speed.quick is (device == "cpu")
    assert speed.notes == ()
    assert choose_settings(ComputeConfig(precision="float32"), device).bfloat16 is False


@pytest.mark.parametrize(
    ("config", "device", "says"),
    [
        (ComputeConfig(precision="bfloat16"), "cpu", "no units for it"),
        (ComputeConfig(convolutions="quick"), "cuda", '"quick" is ignored'),
        (ComputeConfig(), "xpu", "fused_adam is ignored"),
        (ComputeConfig(compile=True), "cpu", "speed.compile is ignored: it needs a GPU"),
    ],
)
def test_an_ignored_or_slow_setting_gives_a_warning(
    monkeypatch: pytest.MonkeyPatch, config: ComputeConfig, device: str, says: str
) -> None:
    hardware(monkeypatch, bfloat16=False)
    settings = choose_settings(config, device)
    assert any(says in note for note in settings.notes)
    assert not settings.compile
