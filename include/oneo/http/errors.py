"""The one error this package adds."""

from __future__ import annotations

from oneo.errors import TransientNodeError


class OutcomeUnknownError(TransientNodeError):
    """The request went out and no complete answer came back: the server may or may not have acted on it.

    A plain `TransientNodeError` of the client means that nothing was sent, or that the server answered. Nodes
    with external effects tell the two apart before they send again.
    """
