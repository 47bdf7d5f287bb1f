"""Airflow's REST API, as the stack's administrator."""

from __future__ import annotations

from typing import NamedTuple

import httpx

from oneo.errors import InfrastructureError
from oneo_app.stack import state
from oneo_app.stack.layout import Layout, layout
from oneo_app.stack.ports import HOST
from oneo_app.stack.secrets import login


class ApiClient(NamedTuple):
    """Where the API is and what opens it.

    Attributes:
        base_url: Address of the api-server, without a slash at its end.
        token: Bearer token, valid for a day.
    """

    base_url: str
    token: str

    def connect(self, *, timeout: float = 30) -> httpx.Client:
        """A client that is logged in; paths begin at `/api/v2/…`."""
        return httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=timeout,
            trust_env=False,  # the server is on this machine: no proxy between
        )


def api_client(home: Layout | None = None) -> ApiClient:
    """Log in to the running stack's Airflow.

    Args:
        home: The stack; the settings' by default.

    Raises:
        InfrastructureError: It does not run, or does not let us in.
    """
    where = home or layout()
    running = state.running(where)
    if running is None or "api" not in running.ports:
        raise InfrastructureError(
            f"the local stack of {where.home} does not run", hint="start it with `oneo up`"
        )
    return log_in(f"http://{HOST}:{running.ports['api']}", where)


def log_in(base_url: str, where: Layout) -> ApiClient:
    """Fetch a token with the login that the stack made for itself."""
    known = login(where)
    if known is None:
        raise InfrastructureError(
            f"{where.login_file} is missing", hint="restart: `oneo down`, then `oneo up`"
        )
    user, password = known
    try:
        answer = httpx.post(
            f"{base_url}/auth/token",
            json={"username": user, "password": password},
            timeout=30,
            trust_env=False,
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise InfrastructureError(
            f"Airflow at {base_url} does not let us in: {error}",
            hint="see `oneo status` and logs/api-server.log",
        ) from error
    return ApiClient(base_url, str(answer.json()["access_token"]))
