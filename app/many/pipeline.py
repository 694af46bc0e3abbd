"""The stages on Ray Data: decode, translate and encode at the same time, with bounded memory between them."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import ray
import ray.data

from app.many.items import Item
from app.many.stages import Outcome, TranslateStage, Work, decode, encode

_TOGETHER: Final = 16
"""Pictures of a task. A process that ends takes the pictures of its tasks with it, so they are few."""
_TRANSLATE_CORES, _OTHER_CORES = 0.5, 0.25
"""Of each process: on every core one translates, one decodes and one encodes. They are actors, because Ray
ends and starts the processes of many short tasks again and again."""


Row = dict[str, Any]
"""A picture between two stages: `picture`, pickled, because its arrays have no common shape."""


class Translators(NamedTuple):
    """The processes that translate."""

    most: int
    gpus: float
    """Of each process."""


def choose_translators(wanted: int | None) -> Translators:
    """Return the wanted number of translators; by default one for each GPU of the cluster, else each core."""
    resources = ray.cluster_resources()
    gpus, cores = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
    most = wanted or gpus or cores
    return Translators(most, min(1.0, gpus / most))


def run_stages(
    work: Work, items: Sequence[Item], translators: Translators, *, alone: bool = False
) -> Iterator[Outcome]:
    """Yield the outcome of each picture, in any order. Pictures of a process that ended have none.

    Args:
        work: what the pictures have in common.
        items: the pictures.
        translators: the processes that translate.
        alone: give each picture tasks of its own, so that only it is lost if its process ends.
    """
    together = 1 if alone else _TOGETHER
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))

    def stage(actor: type, most: int, cpus: float, gpus: float = 0) -> dict[str, Any]:
        return {
            "fn": actor,
            "fn_constructor_args": (work,),
            "compute": ray.data.ActorPoolStrategy(
                min_size=1, max_size=most, max_tasks_in_flight_per_actor=1 if alone else 2
            ),
            "num_cpus": cpus,
            "num_gpus": gpus or None,
            "ray_remote_args_fn": _never_again,
        }

    rows = [{"picture": pickle.dumps(item)} for item in items]
    pictures = (
        ray.data.from_items(rows, override_num_blocks=math.ceil(len(rows) / together))
        .map(**stage(_Decoder, cores, _OTHER_CORES))
        .map_batches(
            **stage(_Translator, translators.most, _TRANSLATE_CORES, translators.gpus), batch_size=together
        )
        .map(**stage(_Encoder, cores, _OTHER_CORES))
    )
    for row in pictures.iter_rows():
        yield pickle.loads(row["picture"])  # noqa: S301 (its own stages wrote it)


def _never_again() -> dict[str, int]:
    """Return the options of actors that are replaced when they end, but do not repeat their pictures."""
    return {"max_restarts": -1, "max_task_retries": 0}


class _Decoder:
    """The actor that decodes."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, row: Row) -> Row:
        return {"picture": pickle.dumps(decode(self._work, pickle.loads(row["picture"])))}  # noqa: S301


class _Translator:
    """The actor that translates."""

    def __init__(self, work: Work) -> None:
        self._stage = TranslateStage(work, together=_TOGETHER)

    def __call__(self, batch: Mapping[str, Sequence[bytes]]) -> dict[str, list[bytes]]:
        pictures = [pickle.loads(each) for each in batch["picture"]]  # noqa: S301
        outcomes = [each for each in pictures if isinstance(each, Outcome)]
        decoded = [each for each in pictures if not isinstance(each, Outcome)]
        results = [*outcomes, *self._stage.translate(decoded)]
        return {"picture": [pickle.dumps(each) for each in results]}


class _Encoder:
    """The actor that encodes and writes."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, row: Row) -> Row:
        picture = pickle.loads(row["picture"])  # noqa: S301
        outcome = picture if isinstance(picture, Outcome) else encode(self._work, picture)
        return {"picture": pickle.dumps(outcome)}
