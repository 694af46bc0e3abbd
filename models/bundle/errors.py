"""What can be wrong with a bundle, as one exception whose message a user can read."""

from typing import Final

_LONGEST: Final = 300


class BundleError(ValueError):
    """Something is not, or cannot become, a bundle that may be served. The message is one sentence."""


def quoted(text: str) -> str:
    """A name or a complaint from a bundle, which may be anybody's, as a sentence can hold it.

    Nothing in it breaks the line, cannot be encoded, or goes on for pages.
    """
    plain = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:_LONGEST])
    return plain + "…" * (len(text) > _LONGEST)
