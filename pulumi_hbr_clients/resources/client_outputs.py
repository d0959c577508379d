"""What both resources give of their clients, made in the program from the one JSON text that stands in state."""

from collections.abc import Sequence

import pulumi

from pulumi_hbr_clients.model.backup_client import BackupClient, from_state
from pulumi_hbr_clients.model.outputs import ClientList


class ClientOutputs:
    """A resource with clients."""

    _clients: pulumi.Output[list[BackupClient]]

    def _hold(self, text: pulumi.Output[str]) -> None:
        """Take the text, once."""
        self._clients = text.apply(from_state)

    @property
    def clients(self) -> pulumi.Output[list[BackupClient]]:
        """The clients, sorted by id. `clients[0].client_id` works; exported, they are plain values."""
        return self._clients

    @property
    def ids(self) -> pulumi.Output[list[str]]:
        """The clients' ids, sorted."""
        return self._clients.apply(lambda rows: list(_listed(rows).ids))

    @property
    def instance_ids(self) -> pulumi.Output[list[str]]:
        """The instances that have a client, sorted, each once."""
        return self._clients.apply(lambda rows: list(_listed(rows).instance_ids))


def _listed(rows: Sequence[BackupClient]) -> ClientList:
    return ClientList(clients=tuple(rows))
