"""The endpoints of a study: begin, see a picture, choose, go on."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from app.http.access.client_address import client_of
from app.http.access.rate_limit import RateLimiter
from app.http.study.vote_body import read_choice
from app.study.study import Progress, Study

router = APIRouter()

_PRIVATE: Final = {"Cache-Control": "no-store"}
"""A cache must not keep a participant's progress."""
_KEPT: Final = {"Cache-Control": "private, max-age=86400, immutable"}
"""The participant's browser may keep the images, so that the next picture appears at once."""


class StudyContext(BaseModel, arbitrary_types_allowed=True):
    """The objects of one study's application."""

    study: Study
    rate_limiter: RateLimiter


async def _context(request: Request) -> StudyContext:
    context: StudyContext = request.app.state.study
    return context


async def _study(context: Annotated[StudyContext, Depends(_context)]) -> Study:
    return context.study


async def _rate_limited(request: Request, context: Annotated[StudyContext, Depends(_context)]) -> None:
    context.rate_limiter.take(client_of(request.scope))


StudyDep = Annotated[Study, Depends(_study)]
RateLimitedDep = Annotated[None, Depends(_rate_limited)]


class About(BaseModel):
    """The facts on the first page of a study."""

    source: str
    target: str
    question: str
    pictures: int
    choices: int


class Participant(BaseModel):
    """A new participant."""

    participant: str = Field(description="The token, with which the participant continues later.")


class ProgressAnswer(BaseModel):
    """How far a participant is; pictures are counted from 1, in the participant's own order."""

    pictures: int
    votes: int
    next: int | None


class PictureAnswer(BaseModel):
    """A picture as one participant sees it."""

    choices: int
    choice: int | None = Field(description="The participant's vote; null before it.")


# Most are not async: SQLite waits for the disk, so FastAPI runs them in threads.


@router.get("/study")
def about(study: StudyDep) -> About:
    """Return what the study is about."""
    return About(
        source=study.source,
        target=study.target,
        question=study.question,
        pictures=study.pictures,
        choices=study.choices,
    )


@router.post("/participants", status_code=201)
def begin(study: StudyDep, _: RateLimitedDep) -> Participant:
    """Add a participant."""
    return Participant(participant=study.begin())


@router.get("/participants/{token}")
def progress(token: str, study: StudyDep, response: Response) -> ProgressAnswer:
    """Return how far a participant is."""
    response.headers.update(_PRIVATE)
    return _answer(study.progress(token))


@router.get("/participants/{token}/pictures/{place}")
def picture(token: str, place: int, study: StudyDep, response: Response) -> PictureAnswer:
    """Return a picture's number of choices, and the participant's vote."""
    response.headers.update(_PRIVATE)
    return PictureAnswer(choices=study.choices, choice=study.chosen(token, place))


@router.get("/participants/{token}/pictures/{place}/source.jpg")
def source(token: str, place: int, study: StudyDep) -> Response:
    """Return the picture itself."""
    return _jpeg(study.image(token, place, None))


@router.get("/participants/{token}/pictures/{place}/choices/{choice}.jpg")
def translation(token: str, place: int, choice: int, study: StudyDep) -> Response:
    """Return one of the translations, in the participant's own order."""
    return _jpeg(study.image(token, place, choice))


@router.put("/participants/{token}/pictures/{place}/vote")
async def vote(
    token: str, place: int, study: StudyDep, _: RateLimitedDep, request: Request, response: Response
) -> ProgressAnswer:
    """Vote for a translation. A second vote for the same picture replaces the first."""
    response.headers.update(_PRIVATE)
    choice = await read_choice(request)
    return _answer(await asyncio.to_thread(study.vote, token, place, choice))


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Return 200 always; restart the process if this does not answer."""
    return {"status": "ok"}


def _answer(progress: Progress) -> ProgressAnswer:
    return ProgressAnswer(**progress._asdict())


def _jpeg(data: bytes) -> Response:
    return Response(data, media_type="image/jpeg", headers=_KEPT)
