"""The guard against server-side request forgery: which hosts a workflow may call.

A name is resolved once, every address it has is checked, and the connection goes to a checked address
(`transport.py`). No second look-up can give another answer.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from ipaddress import ip_address

from oneo.errors import ConfigError, TransientNodeError
from oneo.http.addresses import IPAddress, is_metadata, refusal
from oneo.http.allow import AllowList

__all__ = ["AllowList", "Guard", "Resolver", "resolve"]

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system's resolver gives them, each once."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class Guard:
    """Decides which addresses may be connected to.

    Args:
        allow: Exceptions; None means those of the setting `ONEO_HTTP_ALLOW`.
        resolver: How names become addresses; tests give their own.
        denied_ports: Ports no request may go to, whatever the allow-list says.
    """

    def __init__(
        self,
        allow: AllowList | None = None,
        *,
        resolver: Resolver = resolve,
        denied_ports: Collection[int] = (),
    ) -> None:
        self._allow = _allow_of_settings() if allow is None else allow
        self._resolver = resolver
        self._denied_ports = frozenset(denied_ports)

    async def addresses(self, host: str, port: int) -> list[IPAddress]:
        """Resolve a host once and check every address.

        Args:
            host: In the normal form of `target.normalise_host`.
            port: The port that will be connected to.

        Returns:
            The addresses in the resolver's order; all of them may be connected to.

        Raises:
            ConfigError: At least one address is refused. One bad address refuses the host: a name that is
                public and private at once is either an attack or a mistake.
            TransientNodeError: The host cannot be resolved.
        """
        if port in self._denied_ports:
            raise ConfigError(f"the host {host} was not called: port {port} is closed for workflows")
        found = await self._look_up(host, port)
        for address in found:
            why = refusal(address)
            if why is not None and not self._allow.permits(host, address, port):
                raise _refused(host, address, port, why)
        return found

    async def _look_up(self, host: str, port: int) -> list[IPAddress]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            found = [ip_address(answer) for answer in await self._resolver(host, port)]
        except (OSError, UnicodeError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise TransientNodeError(
                f"the host {host} could not be resolved: {reason}", "check the spelling of the host name"
            ) from error
        if not found:
            raise TransientNodeError(f"the host {host} has no address")
        return found


def _refused(host: str, address: IPAddress, port: int, why: str) -> ConfigError:
    is_name = host != str(address)
    subject = f"the host {host} resolves to {address}, which is {why}" if is_name else f"{address} is {why}"
    # A metadata service opens by its address only; see `NetworkEntry.permits`.
    entry = host if is_name and not is_metadata(address) else str(address)
    entry = f"[{entry}]" if ":" in entry else entry
    return ConfigError(
        f"the host {host} was not called: {subject}; workflows may not reach it",
        f"if they should, an operator adds {entry}:{port} to ONEO_HTTP_ALLOW",
    )


def _allow_of_settings() -> AllowList:
    from oneo.settings import settings  # noqa: PLC0415 - pydantic-settings is heavy

    return AllowList.parse(settings().http_allow)
