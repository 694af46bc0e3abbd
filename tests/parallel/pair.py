"""One of two processes that train together, started as `python -m tests.parallel.pair FILE`.

Each prints one line of JSON per result. Then process 1 waits to be killed, and process 0 reports the loss.
"""

from __future__ import annotations

import hashlib
import json
import sys

import torch

from tests.training.small import batch, small, weights
from training.methods.progress import TYPICAL
from training.methods.ugatit.method import Ugatit
from training.parallel import process_group
from training.parallel.launch import Devices, launch
from training.parallel.processes import OtherProcessError, Processes, ProcessLostError

STEPS = 3
PICTURES = 4


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def digest(values: dict[str, torch.Tensor]) -> str:
    return hashlib.sha256(b"".join(value.numpy().tobytes() for value in values.values())).hexdigest()


def own_half(processes: Processes, number: int) -> dict[str, torch.Tensor]:
    """Return this process's half of a batch."""
    return {domain: each.chunk(2)[processes.rank] for domain, each in batch(PICTURES, seed=number).items()}


def train(processes: Processes) -> Ugatit:
    method = small(seed=processes.rank, processes=processes)  # other weights in each process
    processes.broadcast(method.networks.values())
    for number in range(STEPS):
        terms = method.step(own_half(processes, number), TYPICAL, accumulate=number % 2 + 1)
        say(terms={name: float(term) for name, term in terms.items()})
    say(digest=digest(weights(method)))
    if processes.rank == 0:
        torch.save(weights(method), sys.argv[1])
    return method


def step_with_nan(processes: Processes, method: Ugatit) -> None:
    """Run a step in which only the pictures of process 1 hold NaN."""
    broken = own_half(processes, 0)
    broken["B"] += torch.nan if processes.rank == 1 else 0
    before = digest(weights(method))
    method.step(broken, TYPICAL)
    say(skipped=method.learner.skipped, changed=digest(weights(method)) != before)


def step_with_overflow(processes: Processes, method: Ugatit) -> None:
    """Run a step in which only the gradients of process 1 overflow; all losses are finite."""
    before = digest(weights(method))
    weighted_sum = method.learner._weighted_sum
    method.learner._weighted_sum = lambda terms: weighted_sum(terms) * (1e300 if processes.rank == 1 else 1)
    method.step(own_half(processes, 0), TYPICAL)
    method.learner._weighted_sum = weighted_sum
    say(skipped=method.learner.skipped, changed=digest(weights(method)) != before)


def fail(processes: Processes) -> None:
    """Fail in process 1 only, then in both."""
    for failing in ((1,), (0, 1)):
        try:
            with processes.fail_together():
                if processes.rank in failing:
                    raise ValueError(f"process {processes.rank} failed")
        except (ValueError, OtherProcessError) as error:
            say(failed=[type(error).__name__, str(error)])


def main() -> None:
    process_group.BUCKET = 1000  # several buckets  # type: ignore[misc]
    with launch(Devices(accelerator="cpu", devices=2)) as processes:
        method = train(processes)
        step_with_nan(processes, method)
        step_with_overflow(processes, method)
        fail(processes)
        say(flags=[processes.any_process(processes.rank == 1), processes.any_process(False)])
        if processes.rank == 1:
            sys.stdin.read()  # until killed
        try:
            processes.any_process(False)
        except ProcessLostError as error:
            say(lost=str(error))
            sys.exit(2)


if __name__ == "__main__":
    main()
