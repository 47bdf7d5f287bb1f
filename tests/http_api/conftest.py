"""The HTTP application on a real server on loopback, with the run's database behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from oneo import settings as oneo_settings
from oneo.database import database as product_database
from tests.dispatcher.conftest import crm
from tests.nodes.bench import TestVault

__all__ = ["crm"]


@pytest.fixture(scope="module")
def shared_vault() -> TestVault:
    """The server's secrets, of all tenants."""
    return TestVault("")


@pytest.fixture
def vault(shared_vault: TestVault, tenant: str) -> TestVault:
    """The server's secrets, with the test's tenant as the one whose they are."""
    shared_vault.tenant = tenant
    return shared_vault


@pytest.fixture(scope="module")
def served(database_url: str, shared_vault: TestVault) -> Iterator[str]:
    """The server's address, e.g. `http://127.0.0.1:40001`; the application stands at its root."""
    from oneo_app.http.app import make_app

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ONEO_DATABASE_URL", database_url)
        oneo_settings.settings.cache_clear()
        product_database.cache_clear()
        # As Airflow starts it: who stands before a proxy is our own business.
        config = uvicorn.Config(
            make_app(shared_vault), host="127.0.0.1", port=0, log_level="warning", proxy_headers=False
        )
        server = uvicorn.Server(config)
        started = threading.Event()
        thread = threading.Thread(target=_run, args=(server, started), daemon=True)
        thread.start()
        assert started.wait(30)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(30)
        product_database().dispose()
    oneo_settings.settings.cache_clear()
    product_database.cache_clear()


def _run(server: uvicorn.Server, started: threading.Event) -> None:
    startup = server.startup

    async def then_tell(sockets: object = None) -> None:
        await startup(sockets)  # type: ignore[arg-type]
        started.set()

    server.startup = then_tell  # type: ignore[method-assign,assignment]
    server.run()


@pytest.fixture
def http(served: str) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=served, timeout=30) as client:
        yield client
