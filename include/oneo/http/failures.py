"""What a failed exchange means for a node: mend, give up, try again, or find out first."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpcore

from oneo.errors import ConfigError, NodeError, PermanentNodeError, TransientNodeError
from oneo.http.compose import Hop
from oneo.http.errors import OutcomeUnknownError
from oneo.http.progress import Progress


def translate(error: Exception, hop: Hop, progress: Progress) -> NodeError | None:
    """The product's error for one of httpcore's; None for an error that is none of httpcore's."""
    where = f"{hop.method} {hop.target}"
    if isinstance(error, httpcore.LocalProtocolError | httpcore.UnsupportedProtocol):
        return ConfigError(f"{where}: the request cannot be sent ({type(error).__name__})")
    if not isinstance(error, httpcore.TimeoutException | httpcore.NetworkError | httpcore.ProtocolError):
        return None
    if isinstance(error, httpcore.PoolTimeout | httpcore.ConnectTimeout):
        message = f"{where}: no connection in time"
    elif isinstance(error, httpcore.ConnectError):
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return PermanentNodeError(
                    f"{where}: the certificate of {hop.target.host} is not trusted: {cause.verify_message}",
                    "mend the certificate; for an authority of your own, an operator sets SSL_CERT_FILE",
                )
        reasons = [
            cause.strerror for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror
        ]
        message = f"{where}: could not connect: {reasons[-1] if reasons else error or 'connection refused'}"
    elif isinstance(error, httpcore.TimeoutException):
        message = f"{where}: the server did not go on in time"
    else:
        message = f"{where}: the connection broke: {error or type(error).__name__}"
    return OutcomeUnknownError(message) if progress.sent else TransientNodeError(message)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
