"""The errors of the importers."""


class OfficialCheckpointError(ValueError):
    """A checkpoint is unreadable or not U-GAT-IT's. The message says what was expected and what was found."""
