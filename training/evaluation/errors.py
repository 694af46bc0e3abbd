"""What can be wrong with an evaluation, as one exception whose message a user can read."""


class EvaluationError(ValueError):
    """Something cannot be evaluated. The message is one sentence with the remedy."""
