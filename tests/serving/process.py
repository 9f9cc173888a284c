"""`lnrisk serve` in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """A running service; its address is there once it answers."""

    def __init__(self, model, *options, cwd=None, **environment):
        self.address = f"http://127.0.0.1:{(port := free_port())}"
        command = [sys.executable, "-m", "lnrisk", "serve", str(model), "--port", str(port)]
        self.process = subprocess.Popen(
            [*command, *map(str, options)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env={**os.environ, **environment},
        )
        for _ in range(1200):
            try:
                httpx.get(f"{self.address}/healthz")
                return
            except httpx.TransportError:
                assert self.process.poll() is None, self.process.stderr.read()
                time.sleep(0.05)
        raise AssertionError("the service did not start")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=60)
        return said
