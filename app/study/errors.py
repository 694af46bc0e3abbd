"""Errors of a study."""


class StudyError(ValueError):
    """A study cannot be held or read. The message is one sentence with the remedy."""
