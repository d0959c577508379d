"""What a dynamic provider's process does: run a query to its end, and show our errors in one line."""

import sys
import traceback
from dataclasses import replace
from types import SimpleNamespace
from typing import Final

from pulumi_hbr_clients.client.blocking import run
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.reading import limit_text
from pulumi_hbr_clients.client.session import Observer
from pulumi_hbr_clients.model.configuration import Config
from pulumi_hbr_clients.model.errors import CredentialsError, HbrError, InputError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

_PROCESS: Final = (
    "The resource is read in another process, Pulumi's dynamic provider: what the program itself puts into os.environ "
    "does not reach it. Pulumi config does, and the environment in which pulumi is started (Automation API: env_vars "
    "of the workspace)"
)


class ListReader:
    """Reads lists for the resources of one stack. Reads at the same time share connections and the account's limit."""

    def __init__(self, config: Config) -> None:
        """Send nothing yet."""
        self._client = HbrClient(config=config)
        self._reads = 0

    def list(self, query: Query) -> ClientList:
        """Return the clients that match. Blocks; raises `HbrError`, naming this process if a setting is missing."""
        try:
            region = self._client.resolve(query).region.value
        except (InputError, CredentialsError) as error:
            raise _naming_this_process(error) from None

        class PrintedWaits(Observer):
            def on_wait(self, seconds: float) -> None:
                print(f"BackupClients in {region}: {limit_text(seconds)}", flush=True)  # noqa: T201  the engine shows it

        async def work() -> ClientList:
            self._reads += 1
            try:
                return await self._client.list(query, PrintedWaits())
            finally:
                self._reads -= 1
                if not self._reads:
                    await self._client.aclose()

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
