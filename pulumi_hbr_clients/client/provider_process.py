"""What a dynamic provider's process does: run a query to its end, and show our errors in one line."""

import sys
import traceback
from dataclasses import replace
from types import SimpleNamespace
from typing import Final

from pulumi_hbr_clients.client.blocking import run
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Config
from pulumi_hbr_clients.model.errors import CredentialsError, HbrError, InputError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

_PROCESS: Final = (
    "The resource is read in another process, Pulumi's dynamic provider: what the program itself puts into os.environ "
    "does not reach it. Pulumi config does, and the environment in which pulumi is started (Automation API: env_vars "
    "of the workspace)"
)


def list_clients(query: Query, config: Config) -> ClientList:
    """Return the clients that match. Blocks; raises `HbrError`, naming this process if a setting is missing."""

    async def work() -> ClientList:
        async with HbrClient(config=config) as client:
            try:
                client.resolve(query)
            except (InputError, CredentialsError) as error:
                raise _naming_this_process(error) from None
            return await client.list(query)

    return run(work)


def _naming_this_process(error: HbrError) -> HbrError:
    if not isinstance(error, InputError):
        return CredentialsError(f"{error}. {_PROCESS}")
    return InputError(
        *(replace(each, reason=f"{each.reason}. {_PROCESS}") if not each.given else each for each in error.faults)
    )


def show_errors_in_one_line() -> None:
    """Make Pulumi's dynamic server answer an `HbrError` with its text, without a traceback.

    The server answers every exception with `traceback.format_exc()` (pulumi 3.272, dynamic/__main__.py). This goes
    away when it can be given a message. Other providers in the same process keep their tracebacks.
    """
    server = sys.modules.get("__main__")
    if getattr(server, "traceback", None) is traceback:
        server.traceback = SimpleNamespace(format_exc=_format_exception)  # type: ignore[union-attr]  # it is loaded


def _format_exception() -> str:
    error = sys.exception()
    return str(error) if isinstance(error, HbrError) else traceback.format_exc()
