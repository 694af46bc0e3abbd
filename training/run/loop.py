"""The training loop, for any method: batches and losses are dicts, networks have names."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping

from training.checkpoint.finite import refuse_non_finite
from training.checkpoint.keep import keep
from training.checkpoint.verified import Verified
from training.checkpoint.write import save
from training.config.run_config import RunConfig
from training.console.phrases import shorten_list
from training.data.stream import Stream
from training.journal.journal import Journal
from training.methods.finite_updates import NonFiniteError, SkippedStep
from training.methods.method import Batch, Method
from training.methods.progress import Progress
from training.methods.running_average import RunningAverage
from training.parallel.processes import Processes
from training.run.evaluations import Evaluations, is_due, lacks_figure
from training.run.samples import take_samples
from training.run.signals import stop_on_signals
from training.run.state import pack
from training.run_folder.folder import RunFolder


class Interrupted(Exception):  # noqa: N818
    """The run was stopped by a signal, after it saved its state."""


def train(
    run: RunFolder,
    config: RunConfig,
    method: Method,
    data: Stream,
    average: RunningAverage | None,
    journal: Journal | None,
    sample_pictures: Mapping[str, Batch],
    processes: Processes,
    *,
    epoch_steps: int,
    evaluations: Evaluations | None = None,
    done: int,
    until: int | None = None,
    say: Callable[[str], None],
) -> None:
    """Train from step `done` to the configured number of steps, or to an earlier step.

    Args:
        run: the folder to save to.
        config: the config of the run.
        method: the networks, their optimizers and the training step.
        data: the stream of training pictures.
        average: the running average of the networks, if there is one.
        journal: records the progress; only process 0 has one, and only it saves.
        sample_pictures: the pictures of the sample sheets, by the name of their set; empty without a journal.
        processes: the processes that train together.
        epoch_steps: the steps of an epoch.
        evaluations: evaluates checkpoints, where the config says so; only process 0 has one.
        done: the number of steps already done.
        until: the step to save and return at; None is the configured number of steps.
        say: prints a sentence; called from another thread.

    Raises:
        Interrupted: any process received SIGTERM, SIGINT or SIGHUP; the state was saved. Without `until`, a
            signal during the last step has no effect.
        NonFiniteError: too many updates in a row were not finite; the last checkpoint is still there.
        CheckpointError: a checkpoint could not be written; the older ones are still there.
        ProcessLostError: another process has ended.
    """
    pictures = config.pictures_each
    document = json.loads(config.to_json())
    verified = Verified()
    end = config.steps if until is None else min(until, config.steps)
    with stop_on_signals(patient=processes.count > 1, say=say) as stop:
        # Evaluate the checkpoint that the run resumes from, if a stop has prevented it.
        if is_due(config, done):
            with processes.fail_together():
                if evaluations is not None and lacks_figure(run, config, done):
                    evaluations.evaluate(done, stop)
                    keep(run.checkpoints, last=config.keep_last, verified=verified)
            if processes.any_process(stop.requested):
                raise Interrupted(_stopped(run, done))

        for step in range(done + 1, end + 1):
            started = time.perf_counter()

            # Wait for the next pictures.
            batch = {domain: part.to(processes.device) for domain, part in data.next_batch(pictures).items()}
            waited = time.perf_counter() - started

            # Train on them. An update that is not finite is skipped.
            progress = Progress(step=step, total=config.steps, epoch_steps=epoch_steps)
            terms = method.step(batch, progress, accumulate=config.accumulate)
            if average is not None:
                average.update()
            skipped = None
            if method.learner.skipped:
                skipped = SkippedStep(step, method.learner.skipped, data.last_pictures())

            stopping = processes.any_process(stop.requested)
            due = is_due(config, step)
            saving = step % config.save_every == 0 or step == end or due or stopping

            # Record the step. Abort after too many skipped updates in a row.
            if journal is not None:
                seconds = time.perf_counter() - started
                journal.note(
                    step, terms, seconds=seconds, data_seconds=waited, skipped=skipped, saving=saving
                )
            if skipped is not None and method.learner.failing_optimizer is not None:
                if journal is not None:
                    journal.write_rest(step)
                raise NonFiniteError(_stuck(run, method, skipped))

            # Draw the sample sheets and save a checkpoint with their score; then evaluate it.
            if saving:
                with processes.fail_together():
                    if journal is not None:
                        samples = take_samples(method, average, sample_pictures)
                        journal.write_samples(step, samples.sheets, samples.memorised, samples.parts)
                        state = pack(step, method, data, average, document)
                        refuse_non_finite(state)
                        save(run.checkpoints, state, score=samples.score)
                        if evaluations is not None and due and not stopping:
                            evaluations.evaluate(step, stop)
                        keep(run.checkpoints, last=config.keep_last, verified=verified)
                stopping = processes.any_process(stop.requested)  # a signal may have arrived while it saved
            if stopping and (step < config.steps or due or until is not None):
                raise Interrupted(_stopped(run, step))


def _stopped(run: RunFolder, step: int) -> str:
    return f"Stopped at step {step}; continue with ugatit-train resume {run.path}."


def _stuck(run: RunFolder, method: Method, skipped: SkippedStep) -> str:
    name = method.learner.failing_optimizer
    assert name is not None
    return (
        f"Stopped at step {skipped.step}: the last {method.learner.skips[name].in_a_row} updates of the "
        f"{name} were skipped, because they were not finite ({skipped.reason}; the last pictures were "
        f"{shorten_list(skipped.pictures)}); remove flat pictures, which ugatit-train data check lists, "
        f"lower the learning rate, or resume with --precision float32. The checkpoints in "
        f"{run.checkpoints} stay."
    )
