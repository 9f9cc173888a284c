"""The open inference protocol, version 2: the model as a function of feature columns.

Assumes that the caller computes the features as the model card says. One tensor per column, FP64
of shape [n, 1], null where a value is missing; what lies outside the model gets a status and null
instead of a risk, as everywhere else.
"""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Annotated, Any, Literal, NotRequired

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import TypedDict

from .. import __version__
from ..features.laboratory import LANDMARK_MONTH
from ..model.artifact import RiskModel
from .audit.journal import note_columns
from .column_scoring import ColumnScores, landmarks_of, score_together
from .settings import Settings
from .together import Together
from .work import Here

__all__ = ["InferRequest", "InferResponse", "router"]

Floats = npt.NDArray[np.float64]

NAME = "lnrisk"
JSON = "application/json"
ROWS_TOGETHER = 1_000
OUTPUTS = ("risk", "risk_lower", "risk_upper", "status")
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)] | None
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class InputTensor(TypedDict):
    """One column of features."""

    name: Annotated[Name, Field(description="One of `inputs` of the model's metadata.")]
    shape: Annotated[
        list[Annotated[int, Field(ge=0, strict=True)]],
        Field(min_length=1, max_length=2, description="[n, 1] or [n]."),
    ]
    datatype: Annotated[Literal["FP64", "FP32", "INT64", "INT32"], Field(description="Of `data`.")]
    data: Annotated[
        list[Number] | list[Annotated[list[Number], Field(min_length=1, max_length=1)]],
        Field(description="n values, flat or one per row; null where missing."),
    ]
    parameters: NotRequired[dict[str, Any] | None]


class RequestedOutput(_Part):
    """An output that is wanted."""

    name: Literal["risk", "risk_lower", "risk_upper", "status"]
    parameters: dict[str, Any] | None = None


class InferRequest(_Part):
    """Columns to score."""

    id: Annotated[str | None, Field(max_length=200, description="Echoed.")] = None
    parameters: dict[str, Any] | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, description="Every input, once.")]
    outputs: Annotated[
        list[RequestedOutput] | None, Field(description="All of them where it is left out.")
    ] = None


class OutputTensor(_Part):
    """One column of answers."""

    name: str
    shape: list[int]
    datatype: Literal["FP64", "BYTES"]
    data: list[float | str | None]


class InferResponse(_Part):
    """What the model answers."""

    model_name: str
    model_version: str
    id: str | None = None
    parameters: dict[str, bool | int | str]
    outputs: list[OutputTensor]


class InferError(BaseModel):
    """What is wrong."""

    error: str


_WRONG: dict[str, Any] = {"model": InferError, "description": "What is wrong."}


class TensorMetadata(BaseModel):
    """A column that is taken or given."""

    name: str
    datatype: Literal["FP64", "BYTES"]
    shape: Annotated[list[int], Field(description="-1 stands for any number of rows.")]


class ModelMetadata(BaseModel):
    """What the model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(BaseModel):
    """Who answers."""

    name: str
    version: str
    extensions: list[str]


class Live(BaseModel):
    """Whether the server lives."""

    live: Literal[True] = True


class Ready(BaseModel):
    """Whether the server, or the model, is ready."""

    ready: Literal[True] = True


class _Refused(Exception):
    """A request that cannot be answered."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said


class _Route(APIRoute):
    """Answers a refusal in the protocol's own form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route with its refusals caught."""
        return _refusing(super().get_route_handler())


class _Inference(_Route):
    """Reads the body straight into what the endpoint takes, and sends its answer as it is."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["method"] != "POST":
            return await super().handle(scope, receive, send)
        await (await _refusing(self._answer)(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        answer: Response = await self.endpoint(await _read(request), **request.path_params)
        return answer


def _refusing(
    handler: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except _Refused as error:
            return _error(error.status, error.said)

    return handle


async def _read(request: Request) -> InferRequest:
    """Return the columns of a request.

    Raises
    ------
    _Refused
        The message names the field and what is accepted.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise _Refused(400, f"content-type {kind!r}; expected {JSON}.")
    try:
        return InferRequest.model_validate_json(await request.body())
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in found["loc"])
        raise _Refused(400, f"{where or 'body'}: {found['msg']}.") from error


def _error(status: int, said: str) -> Response:
    content = to_json(InferError(error=said))
    return Response(content, status, media_type=JSON)


def _matrix(request: InferRequest, names: Sequence[str]) -> Floats:
    """Return the inputs as the rows of a matrix, in the order of the names.

    Raises
    ------
    _Refused
        The message names the input and what is accepted.
    """
    rows = request.inputs[0]["shape"][0]
    flat, column = [rows], [rows, 1]
    values: dict[str, list[float | None]] = {}
    for tensor in request.inputs:
        name, shape = tensor["name"], tensor["shape"]
        data: list[Any] = tensor["data"]
        if shape not in (column, flat) or len(data) != rows:
            said = f"input {name!r}: shape {shape} with {len(data)} values"
            raise _Refused(400, f"{said}; expected [{rows}, 1] and {rows} values, as the first.")
        if name in values:
            raise _Refused(400, f"input {name!r} is given twice.")
        nested = rows > 0 and isinstance(data[0], list)
        values[name] = [value for (value,) in data] if nested else data
    absent = [name for name in names if name not in values]
    if absent:
        raise _Refused(
            400,
            f"inputs lack {', '.join(absent[:5])}; {len(names)} are needed, null where missing.",
        )
    unknown = set(values).difference(names)
    if unknown:
        raise _Refused(400, f"unknown inputs: {', '.join(sorted(unknown)[:5])}.")
    return np.array([values[name] for name in names], dtype=np.float64)


def _answer(model: RiskModel, request: InferRequest, scores: ColumnScores) -> dict[str, Any]:
    chosen = OUTPUTS if request.outputs is None else tuple(o.name for o in request.outputs)
    return {
        "model_name": NAME,
        "model_version": model.version,
        **({} if request.id is None else {"id": request.id}),
        "parameters": {
            "horizon_days": model.horizon_days,
            "definition": model.definition.name,
            "definition_version": model.definition.version,
            "trained_on_simulated_data": model.synthetic,
            "trained_on_too_few": bool(model.too_few),
        },
        "outputs": [_output(name, getattr(scores, name)) for name in chosen],
    }


def _output(name: str, values: npt.NDArray[Any]) -> dict[str, Any]:
    texts = name == "status"
    data = values.tolist() if texts else [v if v == v else None for v in values.tolist()]
    datatype = "BYTES" if texts else "FP64"
    return {"name": name, "shape": [len(values), 1], "datatype": datatype, "data": data}


def _metadata(model: RiskModel) -> ModelMetadata:
    def described(name: str) -> TensorMetadata:
        datatype: Literal["FP64", "BYTES"] = "BYTES" if name == "status" else "FP64"
        return TensorMetadata(name=name, datatype=datatype, shape=[-1, 1])

    return ModelMetadata(
        name=NAME,
        versions=[model.version],
        platform="lnrisk",
        inputs=[described(name) for name in model.input_names],
        outputs=[described(name) for name in OUTPUTS],
    )


def router(model: RiskModel, settings: Settings) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v2", route_class=_Route, tags=["open inference"])
    _add_inference(routes, model, settings)
    _add_metadata(routes, model)
    return routes


def _check_known(model: RiskModel, name: str, version: str | None = None) -> None:
    if name != NAME or version not in (None, model.version):
        raise _Refused(404, f"there is {NAME!r} in version {model.version!r} here.")


def _add_inference(routes: APIRouter, model: RiskModel, settings: Settings) -> None:
    names = tuple(model.input_names)
    month = names.index(LANDMARK_MONTH)
    together: Together[Floats, ColumnScores] = Together(
        Here(), partial(score_together, model), lambda matrix: matrix.shape[1], ROWS_TOGETHER
    )

    async def infer(request: InferRequest, name: str) -> Response:
        """Score columns of features."""
        _check_known(model, name)
        matrix = _matrix(request, names)
        rows = matrix.shape[1]
        if rows > settings.most_patients:
            raise _Refused(400, f"{rows} rows; at most {settings.most_patients} are accepted.")
        scores = await together.ask(matrix)
        figures = (scores.risk, scores.risk_lower, scores.risk_upper)
        note_columns(
            scores.status.tolist(),
            figures,
            model.feature_names,
            lambda: scores.terms,
            lambda: landmarks_of(model, matrix[month]),
        )
        return Response(to_json(_answer(model, request, scores)), media_type=JSON)

    async def infer_version(request: InferRequest, name: str, version: str) -> Response:
        """Score columns of features with this version of the model."""
        _check_known(model, name, version)
        return await infer(request, name)

    inference: dict[str, Any] = {
        "methods": ["POST"],
        "responses": {400: _WRONG, 404: _WRONG},
        "response_model": InferResponse,
        "route_class_override": _Inference,
    }
    routes.add_api_route("/models/{name}/infer", infer, **inference)
    routes.add_api_route("/models/{name}/versions/{version}/infer", infer_version, **inference)


def _add_metadata(routes: APIRouter, model: RiskModel) -> None:
    metadata = _metadata(model)
    unknown: dict[int | str, dict[str, Any]] = {404: _WRONG}

    @routes.get("")
    async def server() -> ServerMetadata:
        """Say who answers."""
        return ServerMetadata(name=NAME, version=__version__, extensions=[])

    @routes.get("/health/live")
    async def live() -> Live:
        """Say that the server lives."""
        return Live()

    @routes.get("/health/ready")
    async def ready() -> Ready:
        """Say that the model is loaded."""
        return Ready()

    @routes.get("/models/{name}/ready", responses=unknown)
    async def model_ready(name: str) -> Ready:
        """Say that the model is loaded."""
        _check_known(model, name)
        return Ready()

    @routes.get("/models/{name}/versions/{version}/ready", responses=unknown)
    async def version_ready(name: str, version: str) -> Ready:
        """Say that this version of the model is loaded."""
        _check_known(model, name, version)
        return Ready()

    @routes.get("/models/{name}", responses=unknown)
    async def about_model(name: str) -> ModelMetadata:
        """Say what the model takes and gives."""
        _check_known(model, name)
        return metadata

    @routes.get("/models/{name}/versions/{version}", responses=unknown)
    async def about_version(name: str, version: str) -> ModelMetadata:
        """Say what this version of the model takes and gives."""
        _check_known(model, name, version)
        return metadata
