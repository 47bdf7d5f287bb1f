"""The ASGI application: one module of routes each under `routes`, and errors as the product says them."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from oneo_operators.services import Vault

logger = logging.getLogger(__name__)

PREFIX = "/oneo"


class LazyApp:
    """The application, built with its first request.

    Every process of Airflow imports the plugin's module, and FastAPI costs more than all our node types.
    """

    def __init__(self) -> None:
        self._app: FastAPI | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""
        if self._app is None:
            self._app = make_app()
        await self._app(scope, receive, send)


def make_app(vault: Vault | None = None) -> FastAPI:
    """The application with the `router` of every module under `routes`.

    Args:
        vault: Where secrets are; Airflow's by default.
    """
    from fastapi import FastAPI  # noqa: PLC0415 - see LazyApp
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415

    from oneo.errors import (  # noqa: PLC0415
        InfrastructureError,
        NotAllowedError,
        NotFoundError,
        OverError,
        UserError,
    )
    from oneo_app.http import routes  # noqa: PLC0415
    from oneo_app.http.intake import Intake  # noqa: PLC0415
    from oneo_app.http.refusal_notes import RefusalNotes  # noqa: PLC0415
    from oneo_app.http.refusals import RequestRefusedError  # noqa: PLC0415
    from oneo_app.http.triggers import CurrentTriggers  # noqa: PLC0415
    from oneo_app.http.vault import airflow_vault  # noqa: PLC0415

    app = FastAPI(title="Oneo Workflows", docs_url="/docs", openapi_url="/openapi.json", redoc_url=None)
    app.state.vault = vault if vault is not None else airflow_vault()
    app.state.triggers, app.state.intake, app.state.refusals = CurrentTriggers(), Intake(), RefusalNotes()
    for module in pkgutil.iter_modules(routes.__path__):
        app.include_router(importlib.import_module(f"{routes.__name__}.{module.name}").router)
    app.add_exception_handler(RequestRefusedError, _refused)
    app.add_exception_handler(NotAllowedError, _refuse(403))
    app.add_exception_handler(NotFoundError, _refuse(404))
    app.add_exception_handler(OverError, _refuse(409))
    app.add_exception_handler(UserError, _refuse(400))
    for unavailable in (InfrastructureError, OperationalError):
        app.add_exception_handler(unavailable, _unavailable)
    return app


def _refuse(status: int) -> Any:
    from starlette.responses import JSONResponse  # noqa: PLC0415 - see LazyApp

    def answer(_: Request, error: Any) -> Response:
        return JSONResponse({"error": {"message": error.message, "hint": error.hint}}, status)

    return answer


def _unavailable(_: Request, error: Any) -> Response:
    """Strangers need not know which database does not answer, and where."""
    from starlette.responses import JSONResponse  # noqa: PLC0415 - see LazyApp

    logger.warning("a request could not be served: %s", error)
    told = {"message": "this cannot be done now", "hint": "try again later"}
    return JSONResponse({"error": told}, 503, {"Retry-After": "5"})


def _refused(_: Request, error: Any) -> Response:
    from starlette.responses import JSONResponse  # noqa: PLC0415 - see LazyApp

    return JSONResponse({"error": error.as_json()}, error.status, error.headers)
