"""Errors as RFC 9457 problem details that name the field and what is accepted.

Assumes that the reader is a program first: `type` and `errors[].pointer` are stable, `detail` is
for people. A refusal of the model is no error; it is an answer with a status.

Any router raises `Problem`; `install` makes every error of an app, also FastAPI's own, a problem.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.responses import Response

__all__ = ["FieldError", "Problem", "ProblemDetails", "documented", "install", "problem_response"]

MEDIA_TYPE = "application/problem+json"
TYPES = {
    "bad-request": "The request is not one that can be read",
    "bad-input": "The patient's data is not accepted",
    "not-found": "There is nothing at this address",
    "method-not-allowed": "This address does not answer this method",
    "too-large": "The request is larger than this service accepts",
    "too-slow": "The answer took longer than this service allows",
    "not-ready": "The service cannot answer now",
    "unauthorized": "The caller is not known",
    "forbidden": "The caller may not do this",
    "too-many-requests": "The caller asks more often than is allowed",
    "prefetch-missing": "What the hook needs was not sent",
    "internal": "The service failed",
}
"""Title of each type of problem."""

_TYPE_OF_STATUS = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    412: "prefetch-missing",
    413: "too-large",
    422: "bad-input",
    429: "too-many-requests",
    503: "not-ready",
    504: "too-slow",
}


class FieldError(BaseModel):
    """What is wrong with one field."""

    pointer: Annotated[
        str,
        Field(
            description="JSON pointer (RFC 6901) into the request.",
            examples=["/measurements/2/unit"],
        ),
    ]
    detail: Annotated[
        str,
        Field(
            description="Table, row from 1, field, what was found and what is accepted.",
            examples=["measurements, row 3, unit 'mg/L': upcr is accepted in g/g, mg/mg, mg/g"],
        ),
    ]
    code: Annotated[
        str,
        Field(
            description="What is wrong, as a name that does not change; empty where the request "
            "has another shape than is described.",
            examples=["unknown_unit"],
        ),
    ] = ""
    values: Annotated[
        dict[str, str | list[str]],
        Field(
            description="What the code is about, by name.",
            examples=[{"analyte": "upcr", "units": ["g/g", "mg/mg", "mg/g"]}],
        ),
    ] = {}


class ProblemDetails(BaseModel):
    """A problem after RFC 9457."""

    type: Annotated[
        str, Field(description="`urn:lnrisk:problem:` and a name that does not change.")
    ]
    title: str
    status: Annotated[int, Field(description="The HTTP status.")]
    detail: Annotated[str, Field(description="What is wrong, for people.")]
    errors: Annotated[
        list[FieldError], Field(description="One entry for each field that is wrong.")
    ] = []


_DETAILS = TypeAdapter(ProblemDetails)


@dataclass
class Problem(Exception):
    """An error to be answered as problem details.

    Parameters
    ----------
    status : int
    detail : str
    errors : sequence of FieldError
    headers : mapping of str to str
    """

    status: int
    detail: str
    errors: Iterable[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def details(self) -> ProblemDetails:
        """The problem as it is answered."""
        name = _TYPE_OF_STATUS.get(self.status, "internal")
        return ProblemDetails(
            type=f"urn:lnrisk:problem:{name}",
            title=TYPES[name],
            status=self.status,
            detail=self.detail,
            errors=list(self.errors),
        )


def problem_response(problem: Problem) -> Response:
    """Return a problem as a response."""
    return Response(
        _DETAILS.dump_json(problem.details),
        problem.status,
        headers=dict(problem.headers),
        media_type=MEDIA_TYPE,
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a route for an OpenAPI description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {
        status: {"description": TYPES[_TYPE_OF_STATUS[status]], "content": content}
        for status in statuses
    }


def pointer(location: Iterable[Any]) -> str:
    """Return a JSON pointer.

    Examples
    --------
    >>> pointer(["measurements", 2, "unit"])
    '/measurements/2/unit'
    """
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    return "".join(f"/{part}" for part in parts)


def spoken(location: tuple[Any, ...], message: str) -> FieldError:
    """Return an error of the request's shape, rows counted from 1."""
    where = ", ".join(
        f"row {part + 1}" if isinstance(part, int) else str(part) for part in location
    )
    return FieldError(pointer=pointer(location), detail=f"{where or 'request'}: {message}")


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return problem_response(Problem(400, f"The body is not JSON: {found[0]['ctx']['error']}."))
    errors = [spoken(tuple(each["loc"][1:]), each["msg"]) for each in found]
    return problem_response(Problem(422, f"{len(errors)} fields are not accepted.", errors))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = TYPES.get(_TYPE_OF_STATUS.get(error.status_code, ""), str(error.detail))
    return problem_response(
        Problem(error.status_code, f"{said}.", headers=dict(error.headers or {}))
    )


def install(app: FastAPI) -> None:
    """Answer every error of an app as problem details."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
