"""Alibaba Cloud Backup clients for Pulumi programs.

    filters → validated query → signed page requests → pages → one complete list → outputs

    BackupClients                a tracked, read-only data source, known in preview
    get_backup_clients           an untracked look-up, in a program, a script or a notebook
    get_backup_clients_output    the same for arguments that are Outputs
    clients_from_stack           what another stack exported, typed again
    ActivationGate               holds back its dependants until clients are activated
    HbrClient                    the query itself, asynchronous
    wait_until_activated         the gate itself, asynchronous
    Query, Condition             what goes in
    ClientList, BackupClient, ClientSettings, Passed    what comes out
    HbrError                     the root of all errors, see `core.errors`

Every name is loaded when it is first used: `import pulumi_hbr_clients` itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pulumi_hbr_clients.api import HbrClient as HbrClient
    from pulumi_hbr_clients.core.clients import BackupClient as BackupClient
    from pulumi_hbr_clients.core.clients import ClientList as ClientList
    from pulumi_hbr_clients.core.clients import ClientSettings as ClientSettings
    from pulumi_hbr_clients.core.errors import AnswerError as AnswerError
    from pulumi_hbr_clients.core.errors import CredentialsError as CredentialsError
    from pulumi_hbr_clients.core.errors import DeadlineError as DeadlineError
    from pulumi_hbr_clients.core.errors import GateError as GateError
    from pulumi_hbr_clients.core.errors import GateFailedError as GateFailedError
    from pulumi_hbr_clients.core.errors import GateTimeoutError as GateTimeoutError
    from pulumi_hbr_clients.core.errors import HbrError as HbrError
    from pulumi_hbr_clients.core.errors import InputError as InputError
    from pulumi_hbr_clients.core.errors import ServiceError as ServiceError
    from pulumi_hbr_clients.core.errors import ThrottledError as ThrottledError
    from pulumi_hbr_clients.core.errors import TransportError as TransportError
    from pulumi_hbr_clients.core.gate import Condition as Condition
    from pulumi_hbr_clients.core.query import Query as Query
    from pulumi_hbr_clients.core.signing import Keys as Keys
    from pulumi_hbr_clients.dynamic import BackupClients as BackupClients
    from pulumi_hbr_clients.functions import get_backup_clients as get_backup_clients
    from pulumi_hbr_clients.functions import get_backup_clients_output as get_backup_clients_output
    from pulumi_hbr_clients.gate import ActivationGate as ActivationGate
    from pulumi_hbr_clients.stacks import clients_from_stack as clients_from_stack
    from pulumi_hbr_clients.waiting import Passed as Passed
    from pulumi_hbr_clients.waiting import wait_until_activated as wait_until_activated

_HOMES = {
    "api": ("HbrClient",),
    "core.clients": ("BackupClient", "ClientList", "ClientSettings"),
    "core.errors": (
        "AnswerError",
        "CredentialsError",
        "DeadlineError",
        "GateError",
        "GateFailedError",
        "GateTimeoutError",
        "HbrError",
        "InputError",
        "ServiceError",
        "ThrottledError",
        "TransportError",
    ),
    "core.gate": ("Condition",),
    "core.query": ("Query",),
    "core.signing": ("Keys",),
    "dynamic": ("BackupClients",),
    "functions": ("get_backup_clients", "get_backup_clients_output"),
    "gate": ("ActivationGate",),
    "stacks": ("clients_from_stack",),
    "waiting": ("Passed", "wait_until_activated"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605  a list of strings, made from the table above


def __getattr__(name: str) -> Any:
    """Load a public name from its module, once (PEP 562)."""
    if name not in _HOME_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return [*__all__, "__version__"]
