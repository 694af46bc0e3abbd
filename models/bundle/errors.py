"""What can be wrong with a bundle, as one exception whose message a user can read."""


class BundleError(ValueError):
    """Something is not, or cannot become, a bundle that may be served. The message is one sentence."""
