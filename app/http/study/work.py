"""The work behind a study's application: its requests are short, so stopping needs no waiting."""

from __future__ import annotations

import logging

log = logging.getLogger("ugatit.http")


class StudyWork:
    """Whether the study is stopping."""

    def __init__(self) -> None:
        self._stopping = self._draining = False

    @property
    def stopping(self) -> bool:
        """Whether it lingers or drains."""
        return self._stopping

    @property
    def draining(self) -> bool:
        """Whether no more votes are admitted."""
        return self._draining

    def linger(self) -> None:
        """Report that it is stopping."""
        self._stopping = True

    def drain(self) -> None:
        """Admit no more votes."""
        self._stopping = self._draining = True

    async def wait_until_drained(self) -> None:
        """Return at once: the server itself waits for the answers in progress."""

    def reload(self) -> None:
        """Do nothing at SIGHUP but say so: a study must not change while people vote."""
        log.info("SIGHUP received: a study reloads nothing; restart it to change its settings")
