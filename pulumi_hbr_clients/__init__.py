"""Alibaba Cloud Backup clients for Pulumi programs.

    arguments → validated query → signed page requests → pages → one complete list → outputs

    BackupClients                a tracked, read-only data source, known in preview
    get_backup_clients           a look-up, in a program, a script or a notebook; nothing in state
    get_backup_clients_output    the same for arguments that are Outputs
    ActivationGate               holds back its dependants until clients are activated
    clients_from_stack           what another stack exported, typed again
    HbrClient                    the query itself, asynchronous
    wait_until_activated         the gate itself, asynchronous
    Query, ActivationCondition   validated arguments
    ClientList, BackupClient, ClientSettings, ActivationResult    results
    HbrError                     the root of all errors, see `model.errors`

A name is loaded when it is first used: `import pulumi_hbr_clients` itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pulumi_hbr_clients._version import __version__ as __version__

if TYPE_CHECKING:
    from pulumi_hbr_clients.activation.condition import ActivationCondition as ActivationCondition
    from pulumi_hbr_clients.activation.waiter import ActivationResult as ActivationResult
    from pulumi_hbr_clients.activation.waiter import wait_until_activated as wait_until_activated
    from pulumi_hbr_clients.client.client import HbrClient as HbrClient
    from pulumi_hbr_clients.model.backup_client import BackupClient as BackupClient
    from pulumi_hbr_clients.model.backup_client import ClientSettings as ClientSettings
    from pulumi_hbr_clients.model.errors import CredentialsError as CredentialsError
    from pulumi_hbr_clients.model.errors import DeadlineError as DeadlineError
    from pulumi_hbr_clients.model.errors import GateError as GateError
    from pulumi_hbr_clients.model.errors import GateFailedError as GateFailedError
    from pulumi_hbr_clients.model.errors import GateTimeoutError as GateTimeoutError
    from pulumi_hbr_clients.model.errors import HbrError as HbrError
    from pulumi_hbr_clients.model.errors import IncompleteListError as IncompleteListError
    from pulumi_hbr_clients.model.errors import InputError as InputError
    from pulumi_hbr_clients.model.errors import InvalidResponseError as InvalidResponseError
    from pulumi_hbr_clients.model.errors import ServiceError as ServiceError
    from pulumi_hbr_clients.model.errors import ThrottledError as ThrottledError
    from pulumi_hbr_clients.model.errors import TransportError as TransportError
    from pulumi_hbr_clients.model.outputs import ClientList as ClientList
    from pulumi_hbr_clients.model.query import Query as Query
    from pulumi_hbr_clients.protocol.signing import Credentials as Credentials
    from pulumi_hbr_clients.resources.activation_gate import ActivationGate as ActivationGate
    from pulumi_hbr_clients.resources.backup_clients import BackupClients as BackupClients
    from pulumi_hbr_clients.resources.functions import clients_from_stack as clients_from_stack
    from pulumi_hbr_clients.resources.functions import get_backup_clients as get_backup_clients
    from pulumi_hbr_clients.resources.functions import get_backup_clients_output as get_backup_clients_output

_MODULES = {
    "activation.condition": ("ActivationCondition",),
    "activation.waiter": ("ActivationResult", "wait_until_activated"),
    "client.client": ("HbrClient",),
    "model.backup_client": ("BackupClient", "ClientSettings"),
    "model.errors": (
        "CredentialsError",
        "DeadlineError",
        "GateError",
        "GateFailedError",
        "GateTimeoutError",
        "HbrError",
        "IncompleteListError",
        "InputError",
        "InvalidResponseError",
        "ServiceError",
        "ThrottledError",
        "TransportError",
    ),
    "model.outputs": ("ClientList",),
    "model.query": ("Query",),
    "protocol.signing": ("Credentials",),
    "resources.activation_gate": ("ActivationGate",),
    "resources.backup_clients": ("BackupClients",),
    "resources.functions": ("clients_from_stack", "get_backup_clients", "get_backup_clients_output"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605  a list of strings, made from the table above


def __getattr__(name: str) -> Any:
    """Load a public name from its module, once (PEP 562)."""
    if name not in _MODULE_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return [*__all__, "__version__"]
