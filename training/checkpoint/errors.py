"""The error of everything that is wrong with a checkpoint."""


class CheckpointError(ValueError):
    """A checkpoint cannot be written, read or resumed from. The message is one sentence."""
