"""Two processes that train together. Run once for each, as `python -m tests.parallel.pair`.

Each prints one line of JSON for each thing that it saw, and then waits for the other to be killed.
"""

from __future__ import annotations

import hashlib
import json
import sys

import torch

from tests.training.small import batch, small, weights
from training.methods.ugatit.method import Ugatit
from training.parallel import group
from training.parallel.launch import Devices, launched
from training.parallel.processes import Processes, ProcessLostError, TroubleElsewhere

STEPS = 3
PICTURES = 4


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def digest(values: dict[str, torch.Tensor]) -> str:
    return hashlib.sha256(b"".join(value.numpy().tobytes() for value in values.values())).hexdigest()


def mine(processes: Processes, number: int) -> dict[str, torch.Tensor]:
    """This process's half of a batch."""
    return {domain: each.chunk(2)[processes.rank] for domain, each in batch(PICTURES, seed=number).items()}


def learn(processes: Processes) -> Ugatit:
    method = small(seed=processes.rank, processes=processes)  # each would start elsewhere
    processes.share(method.networks.values())
    for number in range(STEPS):
        terms = method.step(mine(processes, number), progress=0.0, parts=number % 2 + 1)
        say(terms={name: float(term) for name, term in terms.items()})
    say(digest=digest(weights(method)))
    if processes.rank == 0:
        torch.save(weights(method), sys.argv[1])
    return method


def meet_nan(processes: Processes, method: Ugatit) -> None:
    """Only the second process's pictures are broken."""
    broken = mine(processes, 0)
    broken["B"] += torch.nan if processes.rank == 1 else 0
    before = digest(weights(method))
    method.step(broken, progress=0.0)
    say(skipped=method.learner.skipped, changed=digest(weights(method)) != before)


def meet_overflow(processes: Processes, method: Ugatit) -> None:
    """Only the gradients of the second process overflow; all losses are finite."""
    before = digest(weights(method))
    weighted = method.learner._weighted
    method.learner._weighted = lambda terms: weighted(terms) * (1e300 if processes.rank == 1 else 1)
    method.step(mine(processes, 0), progress=0.0)
    method.learner._weighted = weighted
    say(skipped=method.learner.skipped, changed=digest(weights(method)) != before)


def fail_alone(processes: Processes) -> None:
    """Only the second process fails, then both."""
    for failing in ((1,), (0, 1)):
        try:
            with processes.together():
                if processes.rank in failing:
                    raise ValueError(f"process {processes.rank} failed")
        except (ValueError, TroubleElsewhere) as error:
            say(together=[type(error).__name__, str(error)])


def main() -> None:
    group.BUCKET = 1000  # so that there are several  # type: ignore[misc]
    with launched(Devices(accelerator="cpu", devices=2)) as processes:
        method = learn(processes)
        meet_nan(processes, method)
        meet_overflow(processes, method)
        fail_alone(processes)
        say(asked=[processes.anywhere(processes.rank == 1), processes.anywhere(False)])
        if processes.rank == 1:
            sys.stdin.read()  # until killed
        try:
            processes.anywhere(False)
        except ProcessLostError as error:
            say(lost=str(error))
            sys.exit(2)


if __name__ == "__main__":
    main()
