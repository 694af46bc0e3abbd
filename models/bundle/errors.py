"""The error of everything that is wrong with a bundle."""


class BundleError(ValueError):
    """A directory is not a bundle that may be served, or cannot become one. The message is one sentence."""
