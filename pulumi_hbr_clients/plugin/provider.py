"""The provider that the engine starts for TypeScript, Go, YAML, C#, Java and Python programs.

    engine → Struct → properties → checked query → list → Struct → engine

Translates only: `handlers` and `gate_handler` do the work. One event loop serves everything, so hundreds of gates may
wait and Cancel is still answered at once. Errors are one clean line with a fitting code.
"""

import json
from collections.abc import Awaitable, Mapping
from importlib.resources import files
from typing import Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN, GATE_TOKEN
from pulumi_hbr_clients.plugin import values as properties
from pulumi_hbr_clients.plugin.engine_log import Engine
from pulumi_hbr_clients.plugin.protos import ResourceProviderServicer, plugin_pb2, provider_pb2

T = TypeVar("T")
_SAME, _DIFFERENT = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME


class Provider(ResourceProviderServicer):
    """The provider. Nothing heavy is loaded before it is asked something."""

    def __init__(self, engine: Engine) -> None:
        """Not configured yet."""
        self.engine = engine
        self.settings: dict[str, Any] = {}
        self.gates: Any = None

    def config(self, key: str) -> Any:
        """The provider's own configuration, under Pulumi's full keys."""
        return self.settings.get(key.removeprefix("hbr-clients:"))

    async def Handshake(self, request: Any, _: Any) -> Any:
        """What this provider understands."""
        self.engine.connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    async def Attach(self, request: Any, _: Any) -> Empty:
        """An engine comes to a provider that runs already, under a debugger."""
        self.engine.connect(request.address)
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
        from pulumi_hbr_clients.plugin.handlers import SECRET_KEYS, configuration_faults  # noqa: PLC0415  0.4 s

        faults = configuration_faults(properties.read(request.news))
        kept = properties.hide(request.news, SECRET_KEYS)
        return provider_pb2.CheckResponse(inputs=kept, failures=_check_failures(faults))

    async def DiffConfig(self, request: Any, _: Any) -> Any:
        """Another configuration asks elsewhere; nothing has to be replaced for it."""
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
            await context.abort(
                grpc.StatusCode.NOT_FOUND, f"there is no function {request.tok}; there is {FUNCTION_TOKEN}"
            )
        from pulumi_hbr_clients.plugin.handlers import list_clients  # noqa: PLC0415  httpx and pydantic: 0.4 s

        found = properties.read(request.args)
        answer, faults = await _clean(context, list_clients(found, self.config, self.engine))
        # passwords always; everything, where an argument was secret
        result = properties.write(answer, secret=answer if found.secret else {"proxyPasswords"} & answer.keys())
        return provider_pb2.InvokeResponse(**{"return": result, "failures": _check_failures(faults)})

    async def Check(self, request: Any, context: Any) -> Any:
        """Refuse inputs of a gate, all faults at once, each with its path; unknown ones are no fault."""
        gates = await self._gates(request, context)
        faults = gates.check(properties.read(request.news))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_check_failures(faults))

    async def Diff(self, request: Any, context: Any) -> Any:
        """An update where the gate must wait again."""
        gates = await self._gates(request, context)
        state = properties.read(request.olds)
        old = properties.read(request.old_inputs) if request.old_inputs.fields else state
        changed = await _clean(context, gates.diff(request.urn, state.values, old, properties.read(request.news)))
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
        """The record of a passed gate stays as it is: a refresh neither waits nor asks."""
        await self._gates(request, context)
        if not request.properties.fields:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "a gate cannot be imported: declare it, and it waits")
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    async def Delete(self, *_: Any) -> Empty:
        """There is nothing to delete."""
        return Empty()

    async def Cancel(self, *_: Any) -> Empty:
        """End every wait."""
        if self.gates:
            self.gates.cancel()
        return Empty()

    async def _pass(self, struct: Any, previous: Mapping[str, Any], request: Any, context: Any) -> tuple[str, Any]:
        gates = await self._gates(request, context)
        inputs = properties.read(struct)
        work = gates.pass_(request.urn, inputs, preview=request.preview, at_most=request.timeout, previous=previous)
        identity, outputs, unknown = await _clean(context, work)
        echoed = {**inputs.known(), **outputs}
        # ids that were given as a secret stand in these outputs again
        secret = inputs.secret | ({"clients", "ids", "instanceIds"} if inputs.secret else set())
        return identity, properties.write(echoed, secret=secret, unknown=unknown | inputs.unknown)

    async def _gates(self, request: Any, context: Any) -> Any:
        kind = request.type or request.urn.split("::")[2].rpartition("$")[2]
        if kind != GATE_TOKEN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no resource {kind}; there is {GATE_TOKEN}")
        if self.gates is None:
            from pulumi_hbr_clients.plugin.gate_handler import Gates  # noqa: PLC0415  httpx and pydantic: 0.4 s

            self.gates = Gates(self.config, self.engine)
        return self.gates


async def _clean(context: Any, work: Awaitable[T]) -> T:
    """The result of work; an error of ours aborts the call with its text and its code."""
    from pulumi_hbr_clients.model.errors import HbrError  # noqa: PLC0415  only where something failed
    from pulumi_hbr_clients.plugin.grpc_errors import code  # noqa: PLC0415  the same

    try:
        return await work
    except HbrError as error:
        await context.abort(code(error), str(error))
        raise AssertionError from None  # abort does not return


def _check_failures(faults: list[tuple[str, str]]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in faults]
