"""The dynamic provider classes that users' states name. Nothing else is here, and nothing here is ever renamed.

Each is pickled by reference, as its module path and class name. An instance attribute that is set in the program
would be pickled too, so there is none: `configure` sets what the provider's process needs.
Programs import this module to name the classes; what talks to the service is imported where it is called.
"""

from typing import Any

import pulumi
from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from pulumi_hbr_clients.model.configuration import Config
from pulumi_hbr_clients.model.errors import HbrError
from pulumi_hbr_clients.model.outputs import same_but_volatile, to_state
from pulumi_hbr_clients.model.query import query_of


class BackupClientsProvider(ResourceProvider):
    """Reads the list of a `BackupClients` resource."""

    def configure(self, req: ConfigureRequest) -> None:
        """Take the stack's config, for settings and credentials."""
        from pulumi_hbr_clients.client.provider_process import ListReader, show_errors_in_one_line

        self._reader = ListReader(req.config.get)
        show_errors_in_one_line()

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return the current list; on refresh the previous outputs, if only volatile fields differ."""
        query = query_of(id_, props)
        outputs = {**query.to_state(), **to_state(query, self._reader.list(query))}
        return ReadResult(id_, dict(props) if same_but_volatile(props, outputs) else outputs)


class ActivationGateProvider(ResourceProvider):
    """Reads the selection of an `ActivationGate` that its hook has let pass."""

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack's config, for settings and credentials."""
        from pulumi_hbr_clients.client.provider_process import show_errors_in_one_line

        self._config: Config = req.config.get
        show_errors_in_one_line()

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """An update, before which the hook waits, where the gate must wait again."""
        from pulumi_hbr_clients.activation.stack_gate import reasons_to_wait
        from pulumi_hbr_clients.client.blocking import run

        try:
            reasons = run(lambda: reasons_to_wait(olds, news, olds, news.get("bypass", "enforce"), self._config))
        except HbrError as error:
            pulumi.log.warn(f"ActivationGate {id_}: not checked again: {error}")
            return DiffResult(changes=False)
        return DiffResult(changes=bool(reasons))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Return the clients as outputs. It is not judged again whether the gate passes."""
        from pulumi_hbr_clients.activation.stack_gate import read_gate

        return CreateResult(*read_gate(props, {}, self._config))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Return the clients as outputs, as `create` does."""
        from pulumi_hbr_clients.activation.stack_gate import read_gate

        del id_
        return UpdateResult(read_gate(news, olds, self._config)[1])
