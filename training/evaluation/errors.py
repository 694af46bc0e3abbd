"""The error of an evaluation."""


class EvaluationError(ValueError):
    """Something cannot be evaluated. The message is one sentence with the remedy."""
