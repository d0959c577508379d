"""A stand-in for `alicloud.ecs.Instance` with a backup client: it asks the emulator to install one."""

import json
import os
import urllib.request
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class NodeProvider(ResourceProvider):
    """Creates an instance; its client needs some seconds to be installed, to register and to activate."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Start the installation, as InstallBackupClients would, and do not wait for it."""
        instance_id = f"i-{props['name']}"
        body = json.dumps({"instances": [instance_id], "seconds": 2}).encode()
        address = f"{os.environ['ALIBABA_CLOUD_ENDPOINT_HBR']}/_emulator/install"
        urllib.request.urlopen(urllib.request.Request(address, body), timeout=10).close()  # noqa: S310  loopback
        return CreateResult(instance_id, {**props, "instance_id": instance_id})


class Node(Resource):
    """A machine that gets a backup client."""

    instance_id: pulumi.Output[str]

    def __init__(self, name: str) -> None:
        """Its id is known once it is created."""
        super().__init__(NodeProvider(), name, {"name": name, "instance_id": None})
