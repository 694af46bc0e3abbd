"""Tell what is installed, what truly runs, which bundles there are, and which settings hold."""

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
from app.settings.settings import Settings, shown
from models.bundle.errors import BundleError
from models.bundle.manifest import MANIFEST
from models.files.text import as_text


def examine(settings: Settings) -> int:
    """Print the findings; 0 if the service could serve a direction as it is, else 1."""
    console = Console(soft_wrap=True, markup=False, emoji=False, highlight=False)
    console.print(_machine(settings))
    try:
        runtime = open_runtime(settings)
    except ProviderRefused as error:
        console.print(f"provider truly in use: none. {error}")
        return 1
    rival = f" or {CPU}, whichever runs the first model faster" if runtime.benchmark is not None else ""
    console.print(f"provider truly in use: {runtime.providers[0]}{rival}")
    console.print(f"precision truly in use: {runtime.precision}")
    console.print(f"threads of a run: {runtime.threads or 'the runtime chooses'}")
    found = bundle_directories(settings.bundles_dir)
    console.print(f"\nbundles in {as_text(settings.bundles_dir.resolve())}: {len(found.bundles) or 'none'}")
    states = [_examine_bundle(console, path, runtime) for path in found.bundles]
    for path in found.ignored:
        console.print(f"  {as_text(path.name)}: ignored, it has no {MANIFEST} and is not a bundle")
    console.print(_in_force(settings))
    return 0 if any(states) else 1


def _machine(settings: Settings) -> str:
    built_with = ", ".join(onnxruntime.get_available_providers())  # before plug-ins add themselves
    capabilities = probe()
    return "\n".join(
        [
            f"python {platform.python_version()} on {platform.system()} {platform.machine()}",
            f"onnxruntime {onnxruntime.__version__}, built with {built_with}",
            f"CUDA devices: {', '.join(cuda_devices()) or 'none found'}"
            + (f" (number {settings.devices} would be used)" if capabilities.cuda else ""),
            f"TensorRT libraries: {'found' if capabilities.tensorrt else 'not found'}",
            f"OpenVINO: {'knows' if capabilities.openvino else 'not installed, or does not know'} this CPU"
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


def _in_force(settings: Settings) -> Table:
    table = Table(title="\nsettings in force", title_justify="left", box=None, pad_edge=False)
    table.add_column("variable")
    table.add_column("value")
    table.add_column("")
    for name in Settings.model_fields:
        given = "from the environment" if name in settings.model_fields_set else "default"
        table.add_row(variable(name), shown(settings, name), given)
    return table
