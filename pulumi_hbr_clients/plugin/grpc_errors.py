"""What goes wrong, as gRPC says it: one clean line and a fitting code, or a property's path and a reason.

Never UNKNOWN, INTERNAL or DATA_LOSS: the engine then calls the update maybe corrupt and shows a traceback.
"""

from collections.abc import Collection, Iterator
from typing import Final

import grpc
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.model.errors import (
    CredentialsError,
    DeadlineError,
    GateTimeoutError,
    HbrError,
    InputError,
    ServiceError,
    ThrottledError,
    TransportError,
)

Code = grpc.StatusCode
_BY_STATUS: Final = {401: Code.UNAUTHENTICATED, 403: Code.PERMISSION_DENIED, 404: Code.NOT_FOUND}
_BY_KIND: Final = (
    (InputError, Code.INVALID_ARGUMENT),
    (CredentialsError, Code.UNAUTHENTICATED),
    (ThrottledError, Code.RESOURCE_EXHAUSTED),
    (DeadlineError, Code.DEADLINE_EXCEEDED),
    (GateTimeoutError, Code.DEADLINE_EXCEEDED),
    (TransportError, Code.UNAVAILABLE),
)


def code(error: HbrError) -> grpc.StatusCode:
    """The code of an error."""
    kind = next((found for kind, found in _BY_KIND if isinstance(error, kind)), None)
    if kind is None and isinstance(error, ServiceError):
        server = error.http_status >= 500  # noqa: PLR2004  RFC 9110, server errors
        return _BY_STATUS.get(error.http_status, Code.UNAVAILABLE if server else Code.FAILED_PRECONDITION)
    return kind or Code.FAILED_PRECONDITION


def reasons(error: InputError, hidden: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Property path in the engine's spelling (`tags[2].key`) and the reason, of every fault.

    The engine prints the value of a property that is named, secret or not: a `hidden` one is named in the reason only.
    """
    for fault in error.faults:
        head, *rest = fault.path.split(".")
        path = ".".join([to_camel(head), *rest])
        if to_camel(fault.argument) in hidden:
            yield "", f"{path}: {fault.redacted().account}"
        else:
            yield path, fault.account
