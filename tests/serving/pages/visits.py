"""Asks the page as a browser would: a form in, a page out."""

import json
from functools import cache

from client import Client
from html_page import Page
from lnrisk.serving.app import create_app
from lnrisk.serving.settings import Settings
from served import small_model

LIMITS = Settings(most_rows=500)


def browser(model=None, settings=LIMITS):
    return Client(create_app(model or small_model(), settings))


def sent(do, files=(), client=None, **fields):
    """Press a button of the form."""
    parts = [("do", (None, do)), *((name, (None, text)) for name, text in fields.items())]
    parts += [("files", (name, content)) for name, content in files]
    return (client or browser()).post("/", files=parts)


def page_of(response):
    return Page(response.text)


@cache
def _opened(content):
    return sent("open", [("patient.json", content)])


def opened(patient, **how):
    """Open a patient as a JSON file; the same patient is opened once for all tests."""
    content = json.dumps(patient).encode()
    return sent("open", [("patient.json", content)], **how) if how else _opened(content)


def typed(patient):
    """Return the fields of the form for a patient."""
    fields = {"as_of": patient.get("as_of", "")}
    for table, rows in patient.items():
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            fields |= {f"{table}.{number}.{column}": str(v) for column, v in row.items()}
    return fields
