"""The admin API of the emulated service that this process finds in its environment."""

import json
import os
import urllib.request
from typing import Any


def call(path: str, body: Any = None) -> Any:
    """What the admin API answers; with a body it is a command."""
    address = f"{os.environ['ALIBABA_CLOUD_ENDPOINT_HBR']}/_emulator/{path}"
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data), timeout=60) as response:  # noqa: S310  loopback
        return json.load(response)
