"""The Pulumi program that this process runs, if any: its config, its warnings, what its values depend on, its mocks.

The only module that uses private names of the SDK (tests run it with 3.200 and with 3.272). It never imports pulumi
when it is imported itself (0.6 s): where that is not loaded, no program runs.
"""

import logging
import pickle
import sys
from base64 import b64encode
from collections.abc import Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from pulumi_hbr_clients.model.backup_client import from_state
from pulumi_hbr_clients.model.configuration import CONFIG_KEYS, Config, no_config
from pulumi_hbr_clients.model.outputs import ClientList, counts_by_status

if TYPE_CHECKING:
    import pulumi
    from pulumi.dynamic import ResourceProvider

_log = logging.getLogger("pulumi_hbr_clients")


def config() -> Config:
    """The program's Pulumi config, read now; empty outside a program."""
    pulumi = sys.modules.get("pulumi")
    if pulumi is None:
        return no_config
    names = [(key, *key.split(":")) for key in CONFIG_KEYS]
    return {full: pulumi.Config(space).get(key) for full, space, key in names}.get


def contains_output(value: Any) -> bool:
    """Whether a value is an Output or an awaitable, or holds one: it is not known yet."""
    pulumi = sys.modules.get("pulumi")
    if (pulumi is not None and isinstance(value, pulumi.Output)) or isawaitable(value):
        return True
    if isinstance(value, Mapping):
        return any(contains_output(item) for item in value.values())
    return isinstance(value, list | tuple) and any(contains_output(item) for item in value)


def warn(message: str, resource: Any = None) -> None:
    """Warn in the program's display, on the resource's row if one is given; outside a program, in the log."""
    pulumi = sys.modules.get("pulumi")
    if pulumi is None:
        _log.warning(message)
    else:
        pulumi.log.warn(message, resource=resource)  # noqa: G010  Pulumi's name for it


def by_reference(provider: type["ResourceProvider"]) -> str:
    """A provider as state holds it: its module and its name.

    `pulumi.dynamic.Resource` would let dill do the same, and wrap pickle's class once more at each call (pulumi 3.272,
    dynamic.py): after some 300 dynamic resources in a program, the next one exceeds Python's recursion limit.
    """
    return b64encode(pickle.dumps(provider(), protocol=4)).decode()


def dependency_ids(
    options: "pulumi.InvokeOptions | pulumi.ResourceOptions | None", inputs: "pulumi.Output[Any]"
) -> "pulumi.Output[list[str]]":
    """The ids of all resources that a look-up must wait for; unknown in a preview while one is still to be created.

    As the SDK's own output-form invoke decides it (pulumi 3.272, runtime/invoke.py): what `depends_on` names, be it
    components, Outputs or lists of Outputs, and the resources that the inputs come from, with components' children.
    """
    import pulumi
    from pulumi.runtime._depends_on import _resolve_depends_on
    from pulumi.runtime.rpc import _expand_dependencies

    named: Any = []
    if isinstance(options, pulumi.InvokeOutputOptions | pulumi.ResourceOptions):  # plain InvokeOptions name none
        named = options._depends_on_list()  # noqa: SLF001  as the SDK does

    async def ids() -> list[Any]:
        resources = await _resolve_depends_on(named) | await inputs.resources()
        expanded = await _expand_dependencies(resources, None)
        # a DependencyResource is a CustomResource without an id
        return [r.id for r in expanded.values() if isinstance(r, pulumi.CustomResource) and r.__dict__.get("id")]

    return pulumi.Output.from_input(ids())


def is_mocked() -> bool:
    """Whether the program runs under `pulumi.runtime.set_mocks`."""
    if "pulumi.runtime.mocks" not in sys.modules:
        return False
    from pulumi.runtime import mocks, settings

    return isinstance(settings.SETTINGS.monitor, mocks.MockMonitor)


def mocked_list(outputs: Mapping[str, Any] | None) -> ClientList:
    """What `Mocks.call` returned for the plugin's function, as a list; what it left out follows from the clients.

    `clients` may be a list, or text as in state. Resources need nothing of their own: Pulumi asks `Mocks.new_resource`.
    """
    outputs = outputs or {}
    clients = tuple(from_state(outputs.get("clients") or []))
    return ClientList(
        clients=clients,
        service_total_count=int(outputs.get("serviceTotalCount", len(clients))),
        counts_by_status=outputs.get("countsByStatus") or counts_by_status(clients),
        missing_client_ids=tuple(outputs.get("missingClientIds") or ()),
        missing_instance_ids=tuple(outputs.get("missingInstanceIds") or ()),
        complete=bool(outputs.get("complete", True)),
        region=outputs.get("region"),
    )
