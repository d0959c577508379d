"""One run of a plan: the backend is served, lists are read and gates wait on one event loop, and all is judged.

    plan → backend, service → lists ∥ gates → outcome

It runs in a thread of its own, so that one that blocks its event loop is seen too. Everything that comes out, that is
logged or printed is searched for secrets, by value.

    error      one of our own errors came out of a list
    foreign    an exception came out that is not ours                               must not be
    hang       not everything came out in time                                      must not be
    leak       a key, token, signature or password stands in a text that came out   must not be
"""

import asyncio
import io
import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Thread
from typing import Any, Final

from pulumi_hbr_clients import HbrClient, emulator, wait_until_activated
from pulumi_hbr_clients.activation import condition as gating
from pulumi_hbr_clients.activation.waiter import ActivationResult, Progress, wait
from pulumi_hbr_clients.emulator import Backend
from pulumi_hbr_clients.model.backup_client import ClientList, to_dicts
from pulumi_hbr_clients.model.errors import HbrError
from pulumi_hbr_clients.protocol.signing import Credentials
from tools.storms import gates, lists
from tools.storms.gates import Wait
from tools.storms.groups import NOW, Event, Gate
from tools.storms.lists import Reading
from tools.storms.past import Past
from tools.storms.plans import Plan

TIMEOUT: Final = 20.0
"""Seconds that a list may take: its own deadline."""
HANG: Final = 30.0
"""Seconds after which a run hangs."""
REGION: Final = "cn-hangzhou"
BAD: Final = frozenset({"wrong", "early", "unjust", "foreign", "hang", "leak"})
_SIGNATURE: Final = re.compile(r"Signature=[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict, and why."""

    verdict: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of a run: a verdict on each list and gate, and on the whole run if it is bad."""

    findings: tuple[Finding, ...]
    requests: int

    @property
    def verdicts(self) -> list[str]:
        """All verdicts."""
        return [finding.verdict for finding in self.findings]

    @property
    def bad(self) -> list[Finding]:
        """Those that must not be."""
        return [finding for finding in self.findings if finding.verdict in BAD]


@dataclass
class Vault:
    """A source of keys whose tokens expire: it hands out a new one whenever it is asked to renew."""

    backend: Backend
    life: float
    label: str = "vault"
    answered: str = "vault"
    given: list[Credentials] = field(default_factory=list)

    @property
    def identity(self) -> int:
        """One source, one caller."""
        return id(self)

    async def keys(self, *, renew: bool = False) -> Credentials:
        """The keys as of now."""
        if renew or not self.given:
            texts = [f"FAKE-VAULT-{kind}-{self.backend.seed}-{len(self.given)}" for kind in ("ID", "SECRET", "TOKEN")]
            self.given.append(Credentials(*texts))
            self.backend.allow(self.given[-1], seconds=self.life)
        return self.given[-1]


@dataclass
class Run:
    """A plan under way, and what has come out so far."""

    plan: Plan
    backend: Backend
    vault: Vault | None = None
    results: list[Reading | Wait] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    async def work(self, endpoint: str) -> None:
        """Everything at once."""
        async with HbrClient(region=REGION, endpoint=endpoint, credentials=self.plan.keys, timeout=TIMEOUT) as client:
            if self.plan.token_life:
                client.source = self.vault = Vault(self.backend, self.plan.token_life)
            reading = (self._list(client, asked) for asked in self.plan.lists)
            waiting = (self._gate(client, gate, endpoint) for gate in self.plan.gates)
            await asyncio.gather(*reading, *waiting)

    async def _list(self, client: HbrClient, asked: Any) -> None:
        since = self.backend.now()
        try:
            found = await client.list_backup_clients(**asked)
        except Exception as error:  # noqa: BLE001  whatever comes out is what is looked at
            self._raised(error, "error")
        else:
            self._say(found)
            self.results.append(Reading(asked, found, since, self.backend.now()))

    async def _gate(self, client: HbrClient, gate: Gate, endpoint: str) -> None:
        await asyncio.sleep(gate.after)
        since = self.backend.now()
        try:
            passed = await self._wait(client, gate, endpoint)
        except HbrError as error:
            self._raised(error)
            self.results.append(Wait(gate, since, self.backend.now(), error))
        except Exception as error:  # noqa: BLE001  the same
            self._raised(error)
        else:
            self._say(passed.found)
            self.results.append(Wait(gate, since, self.backend.now(), passed.found))

    async def _wait(self, client: HbrClient, gate: Gate, endpoint: str) -> ActivationResult:
        """Through the public function, which finds keys and address by itself, or with the client at hand."""

        def told(progress: Progress) -> None:
            self.texts.append(str(progress))

        if gate.public and not self.vault:
            where: dict[str, Any] = {"region": REGION, "endpoint": endpoint}
            config = partial(_config, self.plan.keys)
            return await wait_until_activated(on_progress=told, config=config, **where, **gate.arguments)
        asked = gating.parse(gate.arguments)
        assert asked is not None  # noqa: S101  nothing of it is unknown
        return await wait(*asked, client, told)

    def _raised(self, error: Exception, verdict: str = "") -> None:
        self.texts += [str(error), repr(error), *traceback.format_exception(error)]
        ours = isinstance(error, HbrError)
        if verdict or not ours:
            self.findings.append(Finding(verdict if ours else "foreign", f"{type(error).__name__}: {error}"))

    def _say(self, found: ClientList) -> None:
        self.texts += [str(found), repr(found), str(to_dicts(found.clients))]


def observe(plan: Plan) -> Outcome:
    """Run it, and judge."""
    backend = Backend(plan.rows, seed=plan.seed, **plan.conditions)
    for event in plan.events:
        backend.later(event.after, partial(_happen, backend, event))
    backend.tick()
    run = Run(plan, backend)
    with emulator.serve(backend) as running, _heard(run.texts):
        thread = Thread(target=lambda: asyncio.run(run.work(running.endpoint)), daemon=True)
        thread.start()
        thread.join(HANG)
        findings = [*run.findings, *judged(run), *([Finding("hang")] if thread.is_alive() else [])]
    findings += [Finding("leak", text) for text in _leaks(run)][:1]
    return Outcome(tuple(findings), backend.requests)


def judged(run: Run) -> Iterator[Finding]:
    """The verdict on everything that ended as it may."""
    past = Past(run.plan.rows, list(run.backend.history))
    for result in list(run.results):
        if isinstance(result, Wait):
            yield Finding(*gates.verdict(result, past))
        elif faults := lists.faults(run.plan, result, past):
            yield Finding("wrong", "; ".join(faults))
        else:
            yield Finding("complete" if result.found.complete else "incomplete")


def _happen(backend: Backend, event: Event) -> None:
    """An event, unless its client has left: pages may shift."""
    if event.arrives:
        backend.add(event.fields)
        return
    fields = dict(event.fields)
    if fields.get("LastHeartBeatTime") == NOW:
        fields["LastHeartBeatTime"] = int(backend.now())
    with suppress(LookupError):
        backend.change(event.client_id, fields)


def _config(keys: Credentials, name: str) -> str | None:
    """Pulumi's config, as far as it holds keys."""
    given = {"accessKey": keys.access_key_id, "secretKey": keys.access_key_secret, "securityToken": keys.security_token}
    return given.get(name.removeprefix("hbr-clients:"))


def _leaks(run: Run) -> Iterator[str]:
    """Secrets in what came out, searched for by value."""
    passwords = {row["Settings"]["ProxyPassword"] for row in run.plan.rows}
    keys = [run.plan.keys, *(run.vault.given if run.vault else ())]
    secrets = {*passwords, *(text for key in keys for text in (key.access_key_secret, key.security_token or ""))} - {""}
    for text in list(run.texts):
        if _SIGNATURE.search(text) or any(secret in text for secret in secrets):
            yield f"a secret stands in: {text[:200]}"


@contextmanager
def _heard(texts: list[str]) -> Iterator[None]:
    """Everything that is printed, or logged at any level, but for the service's own."""
    handler, root, printed = logging.Handler(), logging.getLogger(), io.StringIO()
    handler.emit = lambda record: texts.append(record.getMessage())  # type: ignore[method-assign]
    handler.addFilter(lambda record: not record.name.startswith("uvicorn"))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        texts.append(printed.getvalue())
