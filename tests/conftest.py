"""Settings for every test: the same examples on every run, and no way out to the network through a proxy."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.fuzz import tally

settings.register_profile("pluis", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pluis")

# gRPC's own way of surviving a fork can wait for ever where another library forks, as the tests' PostgreSQL does.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

for name in ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
    os.environ.pop(name, None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the fuzz tests have seen stands at the end of every run, also of one that passed."""
    for line in tally.LINES:
        terminalreporter.write_line(line)
