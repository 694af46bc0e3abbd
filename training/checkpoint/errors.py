"""What can be wrong with a checkpoint, as one exception whose message a user can read."""


class CheckpointError(ValueError):
    """A checkpoint cannot be written, or is not one to go on from. The message is one sentence."""
