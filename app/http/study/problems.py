"""The problems of a study."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.http.monitoring.request_record import record_of
from app.http.problems.problems import INVALID_OPTION, ProblemKind, problem_response
from app.http.study.vote_body import InvalidVote
from app.study.errors import StudyError
from app.study.study import UnknownChoice, UnknownParticipant, UnknownPicture

STUDY_PROBLEMS: Final[Mapping[type[Exception], ProblemKind]] = {
    UnknownParticipant: ProblemKind(404, "unknown_participant", "Unknown participant"),
    UnknownPicture: ProblemKind(404, "unknown_picture", "Unknown picture"),
    UnknownChoice: INVALID_OPTION,
    InvalidVote: ProblemKind(422, "invalid_vote", "Invalid vote"),
    StudyError: ProblemKind(503, "study_unavailable", "Study unavailable"),
}

log = logging.getLogger("ugatit.http")


async def handle_study_exception(request: Request, error: Exception) -> Response:
    """Answer an exception of the table, as FastAPI's exception handler."""
    kind, record = STUDY_PROBLEMS[type(error)], record_of(request.scope)
    record.problem = kind.code
    detail = str(error)
    if isinstance(error, StudyError):  # the sentence with the file's path is for the person who runs it
        log.error("%s", detail)
        detail = "The study cannot store votes now; try again later."
    return problem_response(kind, detail, record.request_id)
