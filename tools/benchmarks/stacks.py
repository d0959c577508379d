"""A stack for one measurement: a program on the real engine, and everything it writes in one folder."""

import sys
from collections.abc import Callable
from pathlib import Path

from pulumi import automation as auto


def stack(program: Callable[[], None], folder: Path, **variables: str) -> auto.Stack:
    """A new stack on a backend in the folder. The engine finds these variables too."""
    backend = auto.ProjectBackend(url=f"file://{folder}")
    project = auto.ProjectSettings(name="bench", runtime="python", backend=backend)
    usual = {
        "PULUMI_CONFIG_PASSPHRASE": "FAKE-PASSPHRASE",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_PYTHON_CMD": sys.executable,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    options = auto.LocalWorkspaceOptions(
        project_settings=project, secrets_provider="passphrase", env_vars={**usual, **variables}
    )
    return auto.create_stack("bench", project_name="bench", program=program, opts=options)
