"""Limits: a burst, then the rate; bounded memory; a body no larger than allowed."""

import pytest
from client import Client
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.serving.guard.headers import Headers
from lnrisk.serving.guard.limits import BodyLimit, Buckets, RateLimit
from starlette.requests import Request
from starlette.responses import PlainTextResponse


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_burst_and_then_the_rate():
    clock = Clock()
    buckets = Buckets(2, 3, clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait("a") == 0.5
    assert buckets.take("b") == 0
    clock.now = 0.5
    assert buckets.take("a") == 0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 2)), max_size=60))
def test_no_client_is_let_in_more_often_than_burst_and_rate_allow(asks):
    clock = Clock()
    buckets, let_in = Buckets(1.5, 4, clock=clock), {"a": 0, "b": 0}
    for client, later in asks:
        clock.now += later
        let_in[client] += buckets.take(client) == 0
        assert let_in[client] <= 4 + 1.5 * clock.now + 1e-6


def test_memory_is_bounded():
    buckets = Buckets(1, 1, most_clients=10, clock=Clock())
    for number in range(1000):
        buckets.take(str(number))
    assert len(buckets) == 10
    assert buckets.take("999") > 0


async def echo(scope, receive, send):
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def test_who_asks_too_often_is_told_when_to_come_back():
    app = Client(Headers(RateLimit(echo, Buckets(0.1, 2, clock=Clock()), frozenset({"/readyz"}))))
    assert [app.get("/").status_code for _ in range(3)] == [200, 200, 429]
    answer = app.get("/")
    assert answer.headers["retry-after"] == "10"
    assert answer.json()["type"] == "urn:lnrisk:problem:too-many-requests"
    assert app.get("/readyz").status_code == 200


async def pieces(count):
    for _ in range(count):
        yield b"x" * 10


async def swallows(scope, receive, send):
    try:
        await echo(scope, receive, send)
    except Exception:
        await PlainTextResponse("bad", 400)(scope, receive, send)


@pytest.mark.parametrize("app", [echo, swallows])
@pytest.mark.parametrize(("size", "status"), [(100, 200), (101, 413), (1000, 413)])
def test_a_body_that_is_too_large(app, size, status):
    answer = Client(Headers(BodyLimit(app, 100))).post("/", content=b"x" * size)
    assert answer.status_code == status


@pytest.mark.parametrize("app", [echo, swallows])
@pytest.mark.parametrize(("count", "status"), [(10, 200), (11, 413)])
def test_a_body_that_grows_too_large_unannounced(app, count, status):
    answer = Client(Headers(BodyLimit(app, 100))).post("/", content=pieces(count))
    assert answer.status_code == status


@pytest.mark.parametrize("announced", ["-1", "many", "1_0"])
def test_an_announcement_that_is_no_number(announced):
    answer = Client(Headers(BodyLimit(echo, 100))).get("/", headers={"content-length": announced})
    assert answer.status_code == 413
