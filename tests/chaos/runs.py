"""One run: a backend on a virtual clock, lists and gates under way at it, and everything that came out of them."""

import asyncio
import io
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.activation import condition
from pulumi_hbr_clients.activation.waiter import pass_gate
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, InMemoryTransport
from pulumi_hbr_clients.model.errors import CredentialsError, HbrError, IncompleteListError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.protocol.signing import Credentials
from tests.chaos.judge import History, wrong_gate, wrong_list
from tests.virtual_clock import HangError, VirtualClock

LONGEST: Final = 3_600.0
"""Seconds after which whatever is still under way hangs: longer than every timeout of a run together."""
_SIGNATURE: Final = re.compile(r"Signature=[0-9a-f]{8}")
Arguments = Mapping[str, Any]
Work = Callable[[HbrClient, int, Arguments], Awaitable[None]]
"""Something that is done with a client, the moment at which it started, and its arguments."""


@dataclass
class Vault:
    """A source of credentials: they expire, are odd, or cannot be had for a while."""

    backend: Backend
    life: float | None = None
    """Seconds until a token expires; None: never."""
    suffix: str = ""
    """What hangs at the end of each secret, as where a file with a line break was copied."""
    failures: int = 0
    """The next requests for credentials that fail."""
    label: str = "a vault"
    given: list[Credentials] = field(default_factory=list)

    async def credentials(self, *, renew: bool = False) -> Credentials:
        if self.failures:
            self.failures -= 1
            raise CredentialsError("the vault does not answer")
        if renew or not self.given:
            texts = (f"FAKE-VAULT-{kind}-{len(self.given)}{self.suffix}" for kind in ("ID", "SECRET", "TOKEN"))
            self.given.append(Credentials(*texts))
            self.backend.allow(self.given[-1], seconds=self.life)
        return self.given[-1]


class Run:
    """What a test does with a backend. Lists and gates go on while time passes; `finish` waits for all and judges."""

    def __init__(
        self, backend: Backend, clock: VirtualClock, vault: Vault | None = None, *, client: type[HbrClient] = HbrClient
    ) -> None:
        self.backend, self.clock, self.vault = backend, clock, vault
        self.history = History(backend)
        self.wrong: list[str] = []
        self.texts: list[str] = []
        self.ends: list[str] = []
        """What came out of each list and gate, in the order in which they ended."""
        self.lists: list[ClientList] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._runner = asyncio.Runner(loop_factory=clock.new_loop)
        self._kind = client
        self._shared = self._new_client()
        self._sharing: list[int] = []
        self._log = io.StringIO()
        self._handler = logging.StreamHandler(self._log)
        self._logger = logging.getLogger("pulumi_hbr_clients")
        self._logger.addHandler(self._handler)
        self._logger.setLevel(logging.DEBUG)
        self._logger.propagate = False

    def _new_client(self) -> HbrClient:
        return self._kind(
            region="cn-hangzhou",
            credentials=self.vault or FAKE_CREDENTIALS,
            transport=lambda _: InMemoryTransport(self.backend, sleep=self.clock.sleep),
            clock=self.clock,
        )

    def start_list(self, *, shared: bool = False, **arguments: Any) -> None:
        """Start a list, with a client of its own or with the shared one."""
        self._start(self._list, arguments, shared=shared)

    def start_gate(self, *, shared: bool = False, **arguments: Any) -> None:
        """Start to wait at a gate, with a client of its own or with the shared one."""
        self._start(self._wait, {"timeout": 120.0, **arguments}, shared=shared)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, for everything that is under way."""
        self._runner.run(asyncio.sleep(seconds))

    def finish(self) -> list[str]:
        """Wait for everything that is under way; return all that went wrong."""
        try:
            self._runner.run(self._end())
        except HangError:
            self.wrong.append("hangs: nothing would ever end the wait")
        finally:
            with suppress(HangError):
                self._runner.close()
            self._logger.removeHandler(self._handler)
            self._logger.setLevel(logging.NOTSET)
            self._logger.propagate = True
        texts = [*self.texts, *self._log.getvalue().splitlines()]
        return self.wrong + [f"a secret stands in: {text[:300]}" for text in texts if self._leaks(text)]

    def _start(self, work: Work, arguments: Arguments, *, shared: bool) -> None:
        given = {"client_type": "ECS_CLIENT", **arguments}

        async def start() -> None:
            self._tasks.append(asyncio.create_task(self._use_client(work, given, shared=shared)))

        self._runner.run(start())

    async def _use_client(self, work: Work, arguments: Arguments, *, shared: bool) -> None:
        """Equal queries of one client share a reading: a result may be as old as anything that is under way with it."""
        since = self.history.now()
        if not shared:
            async with self._new_client() as client:
                await work(client, since, arguments)
            return
        since = min([since, *self._sharing])
        self._sharing.append(since)
        try:
            await work(self._shared, since, arguments)
        finally:
            self._sharing.remove(since)

    async def _end(self) -> None:
        if self._tasks:
            done, left = await asyncio.wait(self._tasks, timeout=LONGEST)
            self.wrong += [f"hangs: {task}" for task in left]
            for task in left:
                task.cancel()
            await asyncio.gather(*done)
        await self._shared.aclose()

    async def _list(self, client: HbrClient, since: int, arguments: Arguments) -> None:
        found: Any
        try:
            found = await client.list_backup_clients(**arguments)
        except IncompleteListError as error:
            self._note("list incomplete", error)
            found = error.found
        except Exception as error:  # noqa: BLE001  whatever comes out is what is judged
            self._note(f"list {type(error).__name__}", error)
            return
        else:
            self._note("list complete" if found.complete else "list incomplete", found)
        self.lists.append(found)
        self.wrong += [f"list {arguments}: {text}" for text in wrong_list(arguments, found, self.history, since)]

    async def _wait(self, client: HbrClient, since: int, arguments: Arguments) -> None:
        started = self.clock.monotonic()
        end: ClientList | Exception
        try:
            gate = condition.parse(arguments)
            end = (await pass_gate(gate, client, "enforce", lambda progress: self.texts.append(str(progress)))).found
            self._note("gate passed", end)
        except Exception as error:  # noqa: BLE001  the same
            self._note(f"gate {type(error).__name__}", error)
            end = error
        seconds = self.clock.monotonic() - started
        self.wrong += [f"gate {arguments}: {text}" for text in wrong_gate(arguments, end, self.history, since, seconds)]

    def _note(self, what: str, seen: object) -> None:
        self.ends.append(what)
        self.texts += [str(seen), repr(seen)]
        if isinstance(seen, Exception):
            self.texts += traceback.format_exception(seen)
            if not isinstance(seen, HbrError):
                self.wrong.append(f"an exception that is not ours: {''.join(traceback.format_exception(seen))}")

    def _leaks(self, text: str) -> bool:
        passwords = (client.row.get("Settings", {}).get("ProxyPassword") for client in self.backend.members)
        keys = [FAKE_CREDENTIALS, *(self.vault.given if self.vault else ())]
        secrets = {*passwords, *(part for key in keys for part in (key.access_key_secret, key.security_token))}
        hidden = {secret.strip() for secret in secrets if secret}
        return bool(_SIGNATURE.search(text)) or any(secret in text for secret in hidden)
