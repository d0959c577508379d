"""A fleet and a client in simulated time: 15 minutes of waiting take milliseconds, and nothing is patched."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pulumi_hbr_clients.activation.condition import GateMode, parse
from pulumi_hbr_clients.activation.waiter import ActivationResult, Progress, ProgressCallback, pass_gate
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, InMemoryTransport, new_rows
from tests.virtual_clock import VirtualClock

T = TypeVar("T")


@dataclass
class World:
    """A backend on a virtual clock. `at(seconds, action)` plans a change for the next run."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    backend: Backend = field(init=False)
    progress: list[Progress] = field(default_factory=list)
    _plan: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.backend = Backend(new_rows(10, Status="ACTIVATED"), clock=self.clock.time)

    @property
    def instances(self) -> list[str]:
        return [row["InstanceId"] for row in self.backend.rows()]

    def installing(self, count: int = 1, until: float | None = None) -> None:
        """The first instances are installing now, and activated after some seconds."""
        chosen = self.instances[:count]
        self.backend.set_status("INSTALLING", *chosen)
        if until is not None:
            self.at(until, lambda: self.backend.activate(*chosen))

    def at(self, seconds: float, action: Callable[[], object]) -> None:
        self._plan.append((seconds, action))

    def client(self, **options: Any) -> HbrClient:
        settings = {"region": "cn-hangzhou", "credentials": FAKE_CREDENTIALS, "clock": self.clock, **options}
        return HbrClient(transport=self._transport, **settings)

    def _transport(self, _endpoint: str) -> InMemoryTransport:
        return InMemoryTransport(self.backend, sleep=self.clock.sleep)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def planned() -> T:
            for seconds, action in self._plan:
                asyncio.get_running_loop().call_later(seconds, action)
            return await work

        return self.clock.run(planned())

    def run_together(self, *gates: Coroutine[Any, Any, ActivationResult]) -> list[Any]:
        """What each of these gates ended with: a result or an error."""

        async def work() -> list[Any]:
            return list(await asyncio.gather(*gates, return_exceptions=True))

        return self.run(work())

    async def gate(
        self,
        mode: GateMode = "enforce",
        on_progress: ProgressCallback | None = None,
        client: HbrClient | None = None,
        **arguments: Any,
    ) -> ActivationResult:
        """One gate with a client of its own, as every entry point has it."""
        gate = parse({"client_type": "ECS_CLIENT", **arguments})
        async with client or self.client() as own:
            return await pass_gate(gate, own, mode, on_progress or self.progress.append)

    def wait(self, **arguments: Any) -> ActivationResult:
        return self.run(self.gate(**arguments))
