"""`clients_from_stack`: the clients that another stack exported, typed again."""

from typing import Any

import pulumi

from pulumi_hbr_clients.model.backup_client import BackupClient, from_state
from pulumi_hbr_clients.resources.inputs import in_one_line


def clients_from_stack(
    stack_reference: pulumi.StackReference, name: str = "clients"
) -> pulumi.Output[list[BackupClient]]:
    """Return the clients that a stack exported, by whichever language.

    Args:
        stack_reference: The reference to the other stack.
        name: The name of its output.

    Returns:
        An Output of the clients. Whole numbers are int again, though the engine's are floats.

    Raises:
        Exception: When it is resolved, as `StackReference.require_output` where there is no such output.
        pulumi.RunError: When it is resolved, where the output is something else than a list of clients.
    """

    def read(exported: Any) -> list[BackupClient]:
        with in_one_line(f"clients_from_stack {name!r}"):
            return from_state(exported)

    return stack_reference.require_output(name).apply(read)
