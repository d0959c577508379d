"""What a stack of clients leaves in clear text in its state, after an `up` on the real engine.

    stating.py ours|sdk|peer FOLDER

A tenth of the fleet gets a proxy password; each program exports the clients it reads. Then every file of the backend
is searched for each password and for the access key's secret, by value.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi

from tools.benchmarks.emulated import call
from tools.benchmarks.listing import PEER_PAGE, page_of
from tools.benchmarks.stacks import stack


def ours() -> None:
    """The data source with passwords asked for, everything exported."""
    from pulumi_hbr_clients import BackupClients  # noqa: PLC0415  a program's own

    fleet = BackupClients("fleet", client_type="ECS_CLIENT", include_proxy_passwords=True)
    pulumi.export("clients", fleet.clients)
    pulumi.export("proxyPasswords", fleet.proxy_passwords)


def sdk() -> None:
    """The official SDK's clients as they come."""
    pulumi.export("clients", [client.to_map() for client in page_of(99)(1).clients])


def peer() -> None:
    """The outputs of the alicloud data source that hold settings: plain texts all (reference/hbr-api.md, 6.2)."""
    pulumi.export("clients", [_peer_output(client.to_map()) for client in page_of(PEER_PAGE)(1).clients])


def _peer_output(row: Mapping[str, Any]) -> dict[str, str]:
    settings = {name: str(value) for name, value in (row.get("Settings") or {}).items()}
    return {"id": row["ClientId"], "proxyHost": settings["ProxyHost"], "proxyPassword": settings["ProxyPassword"]}


PROGRAMS: Final[Mapping[str, Callable[[], None]]] = {program.__name__: program for program in (ours, sdk, peer)}


def given_passwords() -> list[str]:
    """Give a tenth of the fleet a password each."""
    rows = call("fleet")["clients"]
    passwords = {row["ClientId"]: f"FAKE-PROXY-PASSWORD-{number}-" for number, row in enumerate(rows[::10])}
    for row in rows[::10]:
        fields = {"Settings": {**row["Settings"], "ProxyPassword": passwords[row["ClientId"]]}}
        call("change", {"client": row["ClientId"], "fields": fields})
    return list(passwords.values())


def main() -> None:
    """Deploy, search, say."""
    folder, passwords = Path(sys.argv[2]), given_passwords()
    stack(PROGRAMS[sys.argv[1]], folder).up(color="never")
    texts = [
        path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file() and "stacks" in path.parts
    ]
    secret = os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
    figures = {
        "passwords": len(passwords),
        "seen": sum(any(password in text for text in texts) for password in passwords),
        "keys": int(any(secret in text for text in texts)),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
