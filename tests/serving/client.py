"""A service without a socket: ask an app as a program would."""

import asyncio

import httpx


class Client:
    """Asks an ASGI app; each call is one connection."""

    def __init__(self, app):
        self.app = app

    def request(self, method, path, **how):
        async def ask():
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **how)

        return asyncio.run(ask())

    def get(self, path, **how):
        return self.request("GET", path, **how)

    def post(self, path, **how):
        return self.request("POST", path, **how)
