"""The outputs that are made of the clients in the program, from the one text that is in state."""

from typing import Any

import pulumi

from pulumi_hbr_clients.model.backup_client import BackupClient, from_state
from pulumi_hbr_clients.model.outputs import ClientList


class ClientOutputs:
    """A resource with clients."""

    _clients: pulumi.Output[list[BackupClient]]

    def _hold(self, text: pulumi.Output[Any]) -> None:
        """Read the text, once. Pulumi's mocks may give a list, or nothing."""
        self._clients = text.apply(lambda known: [] if known is None else from_state(known))

    @property
    def clients(self) -> pulumi.Output[list[BackupClient]]:
        """The clients, sorted by id. `clients[0].client_id` works; exported, they are plain values."""
        return self._clients

    @property
    def ids(self) -> pulumi.Output[list[str]]:
        """The clients' ids, sorted."""
        return self._clients.apply(lambda found: list(ClientList(clients=tuple(found)).ids))

    @property
    def instance_ids(self) -> pulumi.Output[list[str]]:
        """The instances that have a client, sorted, each once."""
        return self._clients.apply(lambda found: list(ClientList(clients=tuple(found)).instance_ids))

    @property
    def by_instance_id(self) -> pulumi.Output[dict[str, tuple[BackupClient, ...]]]:
        """Instance id → its clients; an instance may have several."""
        return self._clients.apply(lambda found: ClientList(clients=tuple(found)).by_instance_id)

    @property
    def total_count(self) -> pulumi.Output[int]:
        """Number of clients listed."""
        return self._clients.apply(len)
