"""Names that are a contract: Pulumi type and function tokens."""

from typing import Final

PACKAGE: Final = "hbr-clients"
FUNCTION_TOKEN: Final = f"{PACKAGE}:index:getBackupClients"
"""The plugin's function."""
GATE_TOKEN: Final = f"{PACKAGE}:index:ActivationGate"
"""The plugin's gate."""
BACKUP_CLIENTS_TYPE: Final = f"pulumi-python:dynamic/{PACKAGE}:BackupClients"
"""The Python data source. Pulumi's dynamic provider serves types of the package `pulumi-python`."""
ACTIVATION_GATE_TYPE: Final = f"pulumi-python:dynamic/{PACKAGE}:ActivationGate"
"""The Python gate."""
