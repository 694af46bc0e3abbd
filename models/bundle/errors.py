"""What can be wrong with a bundle, as one exception a user can read."""


class BundleError(ValueError):
    """A directory is not a bundle that may be served. The message is one sentence with the reason."""
