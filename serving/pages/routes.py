"""The clinician's page: one form in, the same form with its answer out.

Assumes that what is entered lives only in the request: nothing is written, no cookie is set, no
value stands in an address, and files that are opened stay in memory. What a browser may do with the
page is said in its headers, by `lnrisk.serving.guard.headers`.
"""

import datetime
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import HTMLResponse, Response

from ...features.errors import LnriskError
from ...features.tables import TABLES
from ...features.vocabulary import analytes, drugs
from ...model.artifact import RiskModel
from ...model.spread import LEVEL
from ..patient_input import check_patient
from ..problems import Problem
from ..settings import Settings
from ..work import Work
from .answer import Answer, answer
from .entry import SHOWN, Entry, from_fields
from .named import amount_said, feature_said, range_said, topic_said
from .opening import CannotOpen, Limits, Opened, open_files, read_pasted
from .refused import refusal_said
from .sentences import coded, criterion_said, fact_said
from .words import Words, foreign, load_words

__all__ = ["router"]

HERE = Path(__file__).parent
STATIC = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
LARGEST_BODY = 4 << 20
LARGEST_UNPACKED = 64 << 20
MOST_FIELDS = 200_000
SPARE_ROWS = {"treatments": 1, "measurements": 2, "adherence": 1, "biopsies": 1, "events": 1}
FIRST_ROWS: dict[str, tuple[dict[str, str], ...]] = {
    "patients": ({},),
    "treatments": ({"dose_unit": "mg/d"}, {"dose_unit": "mg/d"}),
    "measurements": tuple(
        {"analyte": analyte, "unit": unit}
        for analyte, unit in (("upcr", "mg/g"), ("creatinine", "mg/dL")) * 3
    ),
    "adherence": ({"measure": "clinician"},),
    "biopsies": ({},),
    "events": ({},),
}
"""Rows of an empty form."""


class _TooLarge(MultiPartException):
    """More was sent than is accepted; the parser closes what it had opened."""


class _InMemory(MultiPartParser):
    """Keeps files in memory whatever their size: what is opened is written nowhere."""

    spool_max_size = 1 << 40


@dataclass(frozen=True)
class _Told:
    """What came of a request: the entry, what is wrong with it, what was done, the answer.

    ``remarks``, on the files that were opened, come back with the form.
    """

    entry: Entry = field(default_factory=Entry)
    errors: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    pasted: str = ""
    answer: Answer | None = None


STORED = {"nothing": "site.nothing_stored", "log": "site.audited", "inputs": "site.archived"}


class _Page:
    """The page of one model."""

    def __init__(self, model: RiskModel, settings: Settings) -> None:
        self.model, self.settings, self.words = model, settings, load_words()
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals |= {
            "words": self.words,
            "say": self.words.say,
            "refused": refusal_said,
            "amount": partial(amount_said, words=self.words),
            "feature": partial(feature_said, words=self.words),
            "topic": partial(topic_said, words=self.words),
            "span": partial(range_said, words=self.words),
            "criterion_said": partial(criterion_said, words=self.words),
            "fact_said": partial(fact_said, words=self.words),
            "model": model,
            "level": LEVEL,
            "stored": STORED[settings.keeps],
            "megabytes": LARGEST_BODY >> 20,
            "shown": SHOWN,
            "columns": {name: {c.name: c for c in TABLES[name]} for name in TABLES},
            "analytes": analytes(),
            "drug_groups": _drug_groups(),
            "dose_units": ("mg/d", "g/d", "mg", "g", "mg/m2", "mg/kg"),
            "routes": {drug.name: drug.route for drug in drugs().values()},
        }
        self.template = environment.get_template("page.html")
        self.limits = Limits(LARGEST_UNPACKED, settings.most_rows)
        self.example = open_files(
            [("example.json", (HERE / "example.json").read_bytes())], "", self.words, self.limits
        )

    def render(self, told: _Told, status: int = 200) -> HTMLResponse:
        """Return the page."""
        html = self.template.render(told=told, entry=told.entry, rows=_rows(told.entry))
        return HTMLResponse(html, status)

    def act(self, do: str, form: FormData, files: list[tuple[str, bytes]]) -> _Told:
        """Do what a button of the form asks for."""
        entry, say = from_fields(_texts(form)), self.words.say
        remarks = tuple(str(each) for each in form.getlist("remark"))
        if do == "example":
            return self.assessed(self.example, (say("notice.example"),))
        if do == "open":
            if not files:
                return _Told(entry, (say("error.no_file"),), remarks=remarks)
            wanted = str(form.get("patient", "")).strip()
            opened = open_files(files, wanted, self.words, self.limits)
            return self.assessed(opened, (say("notice.opened", count=opened.entry.count),))
        if do == "paste":
            pasted = str(form.get("pasted", ""))
            if not pasted.strip():
                return _Told(entry, (say("error.no_paste"),), remarks=remarks)
            read = read_pasted(pasted, self.words, self.limits)
            both = Opened(entry.plus(read.entry), (*remarks, *read.remarks))
            return self.assessed(both, (say("notice.added", count=read.entry.count),))
        return self.assessed(Opened(entry, remarks), ())

    def assessed(self, opened: Opened, notices: tuple[str, ...]) -> _Told:
        """Check an entry, and assess it where nothing is wrong."""
        return replace(self._assessed(opened.entry, notices), remarks=opened.remarks)

    def _assessed(self, entry: Entry, notices: tuple[str, ...]) -> _Told:
        errors = list(_lacking(entry, self.words, self.settings.most_rows))
        as_of: datetime.date | None = None
        try:
            as_of = entry.day()
        except ValueError:
            errors.append(self.words.say("error.as_of", value=entry.as_of))
        if as_of is None and not errors:
            errors.append(self.words.say("error.no_day"))
        if errors or as_of is None:
            return _Told(entry, tuple(errors), {}, notices)
        if not entry.as_of:
            said = self.words.date(as_of)
            notices = (*notices, self.words.say("notice.as_of_latest", date=said))
        entry, before = entry.with_adherence_dates(as_of), entry
        if entry != before:
            notices = (*notices, self.words.say("notice.adherence_dates"))
        try:
            checked = check_patient(entry.tables)
        except Problem as problem:
            return _refused(entry, problem, notices, self.words)
        found = answer(self.model, checked.registry, entry, as_of, checked.cautions, self.words)
        return _Told(entry, (), {}, notices, answer=found)


def _texts(form: FormData) -> list[tuple[str, str]]:
    return [(name, text) for name, text in form.multi_items() if isinstance(text, str)]


def _drug_groups() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for role in ("anchor", "background", "maintenance", "rescue"):
        groups[role] = [drug.name for drug in drugs().values() if drug.role == role]
    return groups


def _rows(entry: Entry) -> dict[str, list[dict[str, str]]]:
    """Return the rows of the form: what was entered, then some to fill in."""
    rows: dict[str, list[dict[str, str]]] = {}
    for table, first in FIRST_ROWS.items():
        given = [dict(row) for row in entry.rows(table)]
        if not given:
            rows[table] = [dict(row) for row in first]
        else:
            spare = [dict(first[-1]) for _ in range(SPARE_ROWS.get(table, 0))]
            rows[table] = [*given, *spare]
    return rows


def _lacking(entry: Entry, words: Words, most_rows: int) -> "list[str]":
    """Return what has to be entered before anything can be checked."""
    if entry.empty:
        return [words.say("error.nothing")]
    if entry.count > most_rows:
        return [words.say("error.too_many_rows", rows=words.number(most_rows))]
    patient = next(iter(entry.rows("patients")), {})
    return [words.say(f"error.{name}") for name in ("sex", "birth_date") if not patient.get(name)]


def _refused(entry: Entry, problem: Problem, notices: tuple[str, ...], words: Words) -> _Told:
    """Return what the checks refused: by field where it has one."""
    errors: list[str] = []
    fields: dict[str, str] = {}
    for error in problem.details.errors:
        said = {name: v if isinstance(v, str) else tuple(v) for name, v in error.values.items()}
        why = coded(error.code, said, error.detail, words)
        parts = error.pointer.strip("/").split("/")
        if len(parts) != 3:
            errors.append(why)
            continue
        table, number, column = parts
        fields[".".join(parts)] = words.say(
            "error.field",
            table=words.say(f"table.{table}"),
            row=int(number) + 1,
            column=words.name("column", column),
            value=entry.rows(table)[int(number)].get(column, ""),
            why=why,
        )
    return _Told(entry, tuple(errors), fields, notices)


async def _form_of(request: Request, largest: int) -> FormData:
    """Return the form of a request, wholly in memory.

    Raises
    ------
    _TooLarge, MultiPartException
    """

    async def limited() -> AsyncGenerator[bytes, None]:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > largest:
                raise _TooLarge("too large")
            yield part

    parser = _InMemory(request.headers, limited(), max_fields=MOST_FIELDS, max_part_size=largest)
    return await parser.parse()


async def _files_of(form: FormData) -> list[tuple[str, bytes]]:
    files = [file for file in form.getlist("files") if isinstance(file, UploadFile)]
    return [(file.filename, await file.read()) for file in files if file.filename]


def router(model: RiskModel, settings: Settings) -> APIRouter:
    """Return the routes of the page.

    Parameters
    ----------
    model : RiskModel
    settings : Settings
    """
    routes, page = APIRouter(include_in_schema=False), _Page(model, settings)
    work = Work(settings.longest_seconds)
    contents = {name: (HERE / name).read_bytes() for name in STATIC}

    @routes.get("/")
    def empty() -> Response:
        return page.render(_Told())

    @routes.post("/")
    async def filled(request: Request) -> Response:
        megabytes = LARGEST_BODY >> 20
        too_large = page.words.say("error.too_large", megabytes=megabytes)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return page.render(_Told(errors=(page.words.say("error.nothing"),)), 415)
        try:
            form = await _form_of(request, LARGEST_BODY)
        except _TooLarge:
            return page.render(_Told(errors=(too_large,)), 413)
        except MultiPartException:
            return page.render(_Told(errors=(page.words.say("error.bad_form"),)), 400)
        files, do = await _files_of(form), str(form.get("do", "assess"))
        await form.close()
        try:
            told = await work.run(lambda: page.act(do, form, files))
        except CannotOpen as error:
            entry = from_fields(_texts(form))
            remarks = tuple(str(each) for each in form.getlist("remark"))
            pasted = str(form.get("pasted", ""))
            told = _Told(entry, (error.args[0],), remarks=remarks, pasted=pasted)
        except LnriskError as error:
            told = _Told(errors=(page.words.say("error.model", why=foreign(str(error))),))
        return page.render(told, 422 if told.errors or told.fields else 200)

    def static(name: str) -> Any:
        def serve() -> Response:
            headers = {"Cache-Control": "no-cache"}
            return Response(contents[name], media_type=STATIC[name], headers=headers)

        return serve

    for name in STATIC:
        routes.get(f"/page/{name}")(static(name))
    return routes
