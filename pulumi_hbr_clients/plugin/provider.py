"""The provider that the engine starts for TypeScript, Go, YAML, C#, Java and Python programs.

    engine → Struct → properties → checked query → list → Struct → engine

Translates only: `handlers` does the work. One event loop serves everything, so hundreds of gates may wait and Cancel is
still answered at once. Errors are one clean line with a fitting code.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty

from pulumi_hbr_clients import __version__
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
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN, GATE_TOKEN
from pulumi_hbr_clients.plugin import values as properties
from pulumi_hbr_clients.plugin.engine import CHANNEL, EngineLog, plugin_pb2, provider_pb2, provider_pb2_grpc

if TYPE_CHECKING:
    from pulumi_hbr_clients.plugin.handlers import Handlers

T = TypeVar("T")
GATE_OUTPUTS: Final = frozenset(
    {"clients", "ids", "instanceIds", "totalCount", "countsByStatus", "bypassed", "settingsDigest"}
)
_SAME, _DIFFERENT = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME
Code = grpc.StatusCode
_BY_STATUS: Final[Mapping[int, grpc.StatusCode]] = {
    HTTPStatus.UNAUTHORIZED: Code.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: Code.PERMISSION_DENIED,
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND,
}
_BY_KIND: Final = (
    (InputError, Code.INVALID_ARGUMENT),
    (CredentialsError, Code.UNAUTHENTICATED),
    (ThrottledError, Code.RESOURCE_EXHAUSTED),
    (DeadlineError, Code.DEADLINE_EXCEEDED),
    (GateTimeoutError, Code.DEADLINE_EXCEEDED),
    (TransportError, Code.UNAVAILABLE),
)


async def serve(engine_address: str | None = None) -> None:
    """Serve on a free port, which is printed, until SIGINT or SIGTERM."""
    server, stopped = grpc.aio.server(options=CHANNEL), asyncio.Event()
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(EngineLog(engine_address)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wanted, stopped.set)
    await stopped.wait()
    await server.stop(grace=None)


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider. Pydantic and httpx are loaded by the first call that needs them."""

    def __init__(self, log: EngineLog) -> None:
        """Not configured yet."""
        self.log = log
        self.settings: dict[str, Any] = {}
        self._loaded: Handlers | None = None

    @property
    def _handlers(self) -> "Handlers":
        if self._loaded is None:
            from pulumi_hbr_clients.plugin.handlers import Handlers  # noqa: PLC0415  pydantic and httpx: 0.4 s

            self._loaded = Handlers(lambda key: self.settings.get(key.removeprefix("hbr-clients:")), self.log)
        return self._loaded

    async def Handshake(self, request: Any, _: Any) -> Any:
        """What this provider understands."""
        self.log.connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    async def Attach(self, request: Any, _: Any) -> Empty:
        """An engine comes to a provider that runs already, under a debugger."""
        self.log.connect(request.address)
        return Empty()

    async def GetPluginInfo(self, *_: Any) -> Any:
        """The version."""
        return plugin_pb2.PluginInfo(version=__version__)

    async def GetSchema(self, *_: Any) -> Any:
        """The package schema, as `make schema` wrote it."""
        found = json.loads(files(__package__).joinpath("schema.json").read_text())
        return provider_pb2.GetSchemaResponse(schema=json.dumps({**found, "version": __version__}))

    async def CheckConfig(self, request: Any, _: Any) -> Any:
        """Refuse a configuration that cannot work, property by property. What is kept of the keys is secret."""
        given = properties.read(request.news)
        faults = self._handlers.check_config(given)
        secret = given.secret | self._handlers.SECRET_KEYS
        kept = properties.write(given.known(), secret=secret, unknown=given.unknown)
        return provider_pb2.CheckResponse(inputs=kept, failures=_check_failures(faults))

    async def DiffConfig(self, request: Any, _: Any) -> Any:
        """A change of the configuration is an update: nothing has to be replaced for it."""
        changed = properties.read(request.olds).values != properties.read(request.news).values
        return provider_pb2.DiffResponse(changes=_DIFFERENT if changed else _SAME)

    async def Configure(self, request: Any, _: Any) -> Any:
        """Take the configuration. Secrets stay in this process."""
        self.settings = properties.read(request.args).known()
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    async def Invoke(self, request: Any, context: Any) -> Any:
        """`getBackupClients`: the list as it is now."""
        if request.tok != FUNCTION_TOKEN:
            await context.abort(Code.NOT_FOUND, f"there is no function {request.tok}; there is {FUNCTION_TOKEN}")
        found = properties.read(request.args)
        answer, faults = await _clean(context, self._handlers.list_clients(found))
        # passwords always; everything, where an argument was secret
        result = properties.write(answer, secret=answer if found.secret else {"proxyPasswords"} & answer.keys())
        return provider_pb2.InvokeResponse(**{"return": result, "failures": _check_failures(faults)})

    async def Check(self, request: Any, context: Any) -> Any:
        """Refuse inputs of a gate, all faults at once, each with its path; unknown ones are no fault."""
        await _refuse_others(request, context)
        faults = self._handlers.check_gate(properties.read(request.news))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_check_failures(faults))

    async def Diff(self, request: Any, context: Any) -> Any:
        """An update where the gate must wait again."""
        await _refuse_others(request, context)
        state, new = properties.read(request.olds), properties.read(request.news)
        old = properties.read(request.old_inputs) if request.old_inputs.fields else state
        changed = await _clean(context, self._handlers.diff_gate(request.urn, state.values, old, new))
        details = {
            name: provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.UPDATE, inputDiff=is_input)
            for name, is_input in changed.items()
        }
        some = _DIFFERENT if details else _SAME
        return provider_pb2.DiffResponse(changes=some, diffs=list(details), detailedDiff=details, hasDetailedDiff=True)

    async def Create(self, request: Any, context: Any) -> Any:
        """Wait until the clients are activated; look once in a preview."""
        identity, outputs = await self._pass(request.properties, {}, request, context)
        return provider_pb2.CreateResponse(id=identity, properties=outputs)

    async def Update(self, request: Any, context: Any) -> Any:
        """Wait again, with the new inputs."""
        _, outputs = await self._pass(request.news, properties.read(request.olds).values, request, context)
        return provider_pb2.UpdateResponse(properties=outputs)

    async def Read(self, request: Any, context: Any) -> Any:
        """The record of a passed gate stays as it is: a refresh neither waits nor sends a request."""
        await _refuse_others(request, context)
        if not request.properties.fields:
            await context.abort(Code.UNIMPLEMENTED, "a gate cannot be imported: declare it, and it waits")
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    async def Delete(self, *_: Any) -> Empty:
        """There is nothing to delete."""
        return Empty()

    async def Cancel(self, *_: Any) -> Empty:
        """End every wait."""
        if self._loaded:
            self._loaded.cancel()
        return Empty()

    async def _pass(self, struct: Any, previous: Mapping[str, Any], request: Any, context: Any) -> tuple[str, Any]:
        await _refuse_others(request, context)
        inputs = properties.read(struct)
        options = {"preview": request.preview, "at_most": request.timeout, "previous": previous}
        passed = await _clean(context, self._handlers.pass_gate(request.urn, inputs, **options))
        # ids that were given as a secret stand in these outputs again
        secret = inputs.secret | ({"clients", "ids", "instanceIds"} if inputs.secret else set())
        if passed is None:
            return "", properties.write(inputs.known(), secret=secret, unknown=inputs.unknown | GATE_OUTPUTS)
        identity, outputs = passed
        echoed = {**inputs.known(), **{name: outputs[name] for name in GATE_OUTPUTS}}
        return identity, properties.write(echoed, secret=secret, unknown=inputs.unknown)


async def _refuse_others(request: Any, context: Any) -> None:
    """End a call for another resource than a gate."""
    kind = request.type or request.urn.split("::")[2].rpartition("$")[2]
    if kind != GATE_TOKEN:
        await context.abort(Code.NOT_FOUND, f"there is no resource {kind}; there is {GATE_TOKEN}")


async def _clean(context: Any, work: Awaitable[T]) -> T:
    """The result of work; an error of ours ends the call with its text and its code."""
    try:
        return await work
    except HbrError as error:
        await context.abort(code(error), str(error))
        raise AssertionError from None  # abort does not return


def code(error: HbrError) -> grpc.StatusCode:
    """The code of an error: never UNKNOWN, INTERNAL or DATA_LOSS.

    The engine calls the update maybe corrupt then, and shows a traceback.
    """
    kind = next((found for kind, found in _BY_KIND if isinstance(error, kind)), None)
    if kind is None and isinstance(error, ServiceError):
        is_down = error.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return _BY_STATUS.get(error.http_status, Code.UNAVAILABLE if is_down else Code.FAILED_PRECONDITION)
    return kind or Code.FAILED_PRECONDITION


def _check_failures(faults: list[tuple[str, str]]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in faults]
