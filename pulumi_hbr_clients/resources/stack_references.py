"""Door: what another stack exported, typed again."""

import pulumi

from pulumi_hbr_clients.model.backup_client import BackupClient, from_state


def clients_from_stack(
    stack_reference: pulumi.StackReference, name: str = "clients"
) -> pulumi.Output[list[BackupClient]]:
    """The clients that a stack exported under this name, by whichever language.

    Raises, when it is resolved, what `StackReference.require_output` raises if there is no such export.
    """
    return stack_reference.require_output(name).apply(from_state)
