"""Print installed libraries, the provider in use, the bundles and the settings: `ugatit doctor`."""

from __future__ import annotations

import platform
from pathlib import Path

import onnxruntime
from rich.console import Console
from rich.table import Table

from app.engine.directions.registry import bundle_directories
from app.engine.directions.verification import check_name, verify
from app.engine.runtime.providers import CPU, ProviderRefused, cuda_devices, probe
from app.engine.runtime.runtime import Runtime, open_runtime
from app.settings.environment import variable
from app.settings.load import display_value
from app.settings.settings import Settings
from models.bundle.errors import BundleError
from models.bundle.manifest import MANIFEST
from models.files.text import as_text


def print_diagnosis(settings: Settings) -> int:
    """Print the diagnosis; return 0 if the service could serve at least one direction, else 1."""
    console = Console(soft_wrap=True, markup=False, emoji=False, highlight=False)
    console.print(_machine(settings))
    try:
        runtime = open_runtime(settings)
    except ProviderRefused as error:
        console.print(f"provider in use: none. {error}")
        return 1
    alternative = f" or {CPU}, whichever runs the first model faster" if runtime.benchmark is not None else ""
    console.print(f"provider in use: {runtime.providers[0]}{alternative}")
    console.print(f"precision in use: {runtime.precision}")
    console.print(f"threads of a run: {runtime.threads or 'chosen by the runtime'}")
    found = bundle_directories(settings.bundles_dir)
    console.print(f"\nbundles in {as_text(settings.bundles_dir.resolve())}: {len(found.bundles) or 'none'}")
    states = [_examine_bundle(console, path, runtime) for path in found.bundles]
    for path in found.ignored:
        console.print(f"  {as_text(path.name)}: ignored: not a bundle, it has no {MANIFEST}")
    console.print(_settings_table(settings))
    return 0 if any(states) else 1


def _machine(settings: Settings) -> str:
    built_with = ", ".join(onnxruntime.get_available_providers())  # before plug-ins register themselves
    capabilities = probe()
    return "\n".join(
        [
            f"python {platform.python_version()} on {platform.system()} {platform.machine()}",
            f"onnxruntime {onnxruntime.__version__}, built with {built_with}",
            f"CUDA devices: {', '.join(cuda_devices()) or 'none'}"
            + (f" (UGATIT_DEVICES={settings.devices})" if capabilities.cuda else ""),
            f"TensorRT libraries: {'found' if capabilities.tensorrt else 'not found'}",
            f"OpenVINO: {'supports' if capabilities.openvino else 'missing or without support for'} this CPU"
            + (", which has AMX" if capabilities.amx else ""),
        ]
    )


def _examine_bundle(console: Console, path: Path, runtime: Runtime) -> bool:
    try:
        verified = verify(path, runtime.open)
        check_name(verified.bundle.manifest, path)
    except (BundleError, ProviderRefused) as error:
        console.print(f"  {path.name}: defunct. {error}")
        return False
    canary = "equal" if verified.psnr_db == float("inf") else f"at {verified.psnr_db:.1f} dB"
    console.print(
        f"  {path.name}: good, version {verified.bundle.version}, on {verified.execution.provider} in "
        f"{verified.execution.precision}, its canary {canary}"
    )
    if verified.float32_reason is not None:
        console.print(f"    {verified.float32_reason}")
    return True


def _settings_table(settings: Settings) -> Table:
    table = Table(title="\nsettings", title_justify="left", box=None, pad_edge=False)
    table.add_column("variable")
    table.add_column("value")
    table.add_column("")
    for name in Settings.model_fields:
        given = "from the environment" if name in settings.model_fields_set else "default"
        table.add_row(variable(name), display_value(settings, name), given)
    return table
