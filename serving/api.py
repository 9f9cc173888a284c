"""The native API: risk and label of one patient or of many, the model card.

Assumes JSON in the shape of `lnrisk.serving.rows`; what the answers hold is described in
`lnrisk.serving.assessment`.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.responses import StreamingResponse

from ..model.artifact import RiskModel
from .answers import LabelAnswer, Noted, assess_requests, assess_together, label_request
from .assessment import Assessment
from .model_card import ModelCard, model_card
from .problems import Problem, ProblemDetails, documented
from .rows import EXAMPLE, PatientTables
from .settings import Settings
from .together import Together
from .work import Work

__all__ = ["router"]

STREAMED_TOGETHER = 50
"""Patients of a batch that are computed, and sent, together."""


class Batch(BaseModel):
    """Many patients, each with their own day."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"requests": [EXAMPLE]}]}
    )

    requests: Annotated[list[PatientTables], Field(min_length=1, description="In any order.")]


class BatchLine(BaseModel):
    """One line of a batch's answer: an answer or a problem."""

    position: Annotated[int, Field(ge=0, description="Of the patient in `requests`, from 0.")]
    answer: Annotated[
        Assessment | None, Field(description="The same as alone; null with a problem.")
    ]
    problem: Annotated[ProblemDetails | None, Field(description="null with an answer.")]


class Lines(StreamingResponse):
    """Newline-delimited JSON."""

    media_type = "application/x-ndjson"


_LINE = TypeAdapter(BatchLine)
_ONE = documented(400, 413, 422, 504)


def router(model: RiskModel, settings: Settings) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    work = Work(settings.longest_seconds)
    together: Together[PatientTables, Noted] = Together(
        work, partial(assess_together, model), lambda request: request.rows, settings.most_rows
    )
    card = model_card(model)

    def limited(request: PatientTables) -> PatientTables:
        if request.rows > settings.most_rows:
            raise Problem(413, f"{request.rows} rows; at most {settings.most_rows} are accepted.")
        return request

    @routes.post("/v1/risk", responses=_ONE)
    async def risk(request: PatientTables) -> Assessment:
        """Answer with risk and rule for one patient."""
        return (await together.ask(limited(request))).given(request)

    @routes.post("/v1/label", responses=_ONE)
    async def label(request: PatientTables) -> LabelAnswer:
        """Label one patient by the rule, without any model."""
        return await work.run(partial(label_request, model, limited(request)))

    @routes.post(
        "/v1/risk:batch",
        response_class=Lines,
        responses={200: {"model": BatchLine, "description": "One line per patient."}, **_ONE},
    )
    async def batch(request: Batch) -> Lines:
        """Answer with risk and rule for many patients, streamed as newline-delimited JSON.

        Lines come in the order of the requests. A patient whose data is not accepted gets a line
        with a problem; the others are answered all the same.
        """
        if len(request.requests) > settings.most_patients:
            raise Problem(
                413,
                f"{len(request.requests)} patients; at most {settings.most_patients} are accepted.",
            )
        return Lines(_streamed(model, [limited(each) for each in request.requests], work))

    @routes.get("/v1/model")
    def card_of_model() -> ModelCard:
        """Show what the model is and what it was trained on."""
        return card

    return routes


async def _streamed(
    model: RiskModel, requests: list[PatientTables], work: Work
) -> AsyncIterator[bytes]:
    """Yield the lines of a batch; after the first, an error can only be a line, too."""
    for start in range(0, len(requests), STREAMED_TOGETHER):
        part = requests[start : start + STREAMED_TOGETHER]
        try:
            answers = await work.run(partial(assess_requests, model, part))
        except Problem as problem:
            answers = [problem] * len(part)
        for position, answer in enumerate(answers, start):
            yield _LINE.dump_json(_line(position, answer)) + b"\n"


def _line(position: int, answer: Assessment | Problem) -> BatchLine:
    if isinstance(answer, Problem):
        return BatchLine(position=position, answer=None, problem=answer.details)
    return BatchLine(position=position, answer=answer, problem=None)
