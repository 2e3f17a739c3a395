"""What several rooms of the tests share because it takes long to start."""

import shutil
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright

from fleet_simulation.postgres import ServerError
from tests.clusters import ClusterBench

# How long an example takes says how busy this machine is; the time limit of a test (pytest-timeout) is limit enough.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
# Likewise for what a page is waited for.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def broker_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterBench]:
    """Three RabbitMQ nodes, started once, as they were provisioned; a test that ends a node starts it again."""
    try:
        bench = ClusterBench(tmp_path_factory.mktemp("site"))
    except ServerError as error:
        pytest.skip(str(error))
    with bench.cluster:
        yield bench


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests: Playwright can be started once in a process."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield launched
        launched.close()
