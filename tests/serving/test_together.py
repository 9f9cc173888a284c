"""Questions that come while others are computed: together, each with an answer of its own."""

import asyncio
import threading

import httpx
import pytest
from lnrisk.serving.answers import assess_request, assess_together
from lnrisk.serving.app import create_app
from lnrisk.serving.audit.journal import Journal, keeping, now
from lnrisk.serving.problems import Problem
from lnrisk.serving.rows import PatientTables
from lnrisk.serving.settings import Settings
from lnrisk.serving.together import Together
from lnrisk.serving.work import Here, Work
from served import patient, small_model

MODEL = small_model()


def asked(together, questions):
    """Ask all at once; return answers and errors."""

    async def all_at_once():
        return await asyncio.gather(*map(together.ask, questions), return_exceptions=True)

    return asyncio.run(all_at_once())


def halves(seen):
    def compute(numbers):
        seen.append(list(numbers))
        return [10 // number for number in numbers]

    return compute


def test_questions_are_gathered_up_to_a_size():
    seen = []
    together = Together(Work(5.0), halves(seen), lambda number: number, 6)
    assert asked(together, [1, 2, 3, 4, 9, 5]) == [10, 5, 3, 2, 1, 2]
    assert seen == [[1, 2, 3], [4], [9], [5]]


def test_who_comes_at_the_same_moment_is_gathered_however_long_their_way():
    seen = []
    together = Together(Here(), halves(seen), lambda number: 1, 100)

    async def come(number, turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        return await together.ask(number)

    async def all_at_once():
        return await asyncio.gather(*(come(number, number - 1) for number in (1, 2, 3, 5)))

    assert asyncio.run(all_at_once()) == [10, 5, 3, 2]
    assert seen == [[1, 2, 3], [5]]


def test_what_comes_while_others_are_computed_is_computed_next():
    seen, first, go_on = [], threading.Event(), threading.Event()

    def compute(numbers):
        seen.append(list(numbers))
        first.set()
        assert go_on.wait(5)
        return numbers

    together = Together(Work(5.0), compute, lambda number: 1, 100)

    async def in_turn():
        early = asyncio.ensure_future(together.ask(1))
        await asyncio.to_thread(first.wait, 5)
        late = [asyncio.ensure_future(together.ask(number)) for number in (2, 3)]
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(early, *late)

    assert asyncio.run(in_turn()) == [1, 2, 3]
    assert seen == [[1], [2, 3]]


def test_a_failure_is_only_that_of_who_asked():
    together = Together(Work(5.0), halves([]), lambda number: 1, 100)
    one, failed, other = asked(together, [5, 0, 2])
    assert (one, other) == (2, 5)
    assert isinstance(failed, ZeroDivisionError)


def test_a_failure_of_no_question_alone_is_logged_without_its_words(caplog):
    def compute(numbers):
        if len(numbers) > 1:
            raise ValueError("the patient's words")
        return numbers

    together = Together(Work(5.0), compute, lambda number: 1, 100)
    assert asked(together, [1, 2]) == [1, 2]
    (said,) = [record.getMessage() for record in caplog.records if record.name == "lnrisk.failures"]
    assert said.startswith("ValueError at ")
    assert said.endswith(" of 2 questions together, of none alone")
    assert "patient" not in said


def test_an_answer_that_takes_too_long_is_none():
    done = threading.Event()
    together = Together(Work(0.05), lambda numbers: done.wait(5), lambda number: 1, 100)
    late = asked(together, [1, 2])
    done.set()
    assert [each.status for each in late] == [504, 504]


def test_each_caller_gets_their_own_answer_and_note():
    requests = [
        PatientTables.model_validate(patient(as_of=day, identifier=f"MRN-{day}"))
        for day in ("2015-08-20", "2015-11-01")
    ]
    wrong = patient()
    wrong["measurements"][0]["unit"] = "furlong"
    found = assess_together(MODEL, [*requests, PatientTables.model_validate(wrong)])
    for request, each in zip(requests, found, strict=False):
        alone, together = (Journal(now(), pseudonym=str.lower) for _ in range(2))
        with keeping(alone):
            answer = assess_request(MODEL, request)
        with keeping(together):
            assert each.given(request) == answer
        assert together.notes == alone.notes
        assert alone.notes[0]["subject"] == request.identifier.lower()
    with pytest.raises(Problem):
        found[2].given(requests[0])


def test_patients_who_are_asked_about_at_once_are_not_mixed_up():
    app = create_app(MODEL, Settings())
    days = ["2015-08-20", "2015-11-01", "2015-09-01", "2015-10-25"]

    async def ask():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            posts = [client.post("/v1/risk", json=patient(as_of=day)) for day in days]
            return await asyncio.gather(*posts)

    for day, answer in zip(days, asyncio.run(ask()), strict=True):
        alone = assess_request(MODEL, PatientTables.model_validate(patient(as_of=day)))
        assert answer.json()["as_of"] == day
        assert answer.json()["risk"] == alone.risk
