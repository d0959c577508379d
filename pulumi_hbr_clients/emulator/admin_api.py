"""A backend's commands over HTTP, for whoever cannot reach into the process: a demo, a test in another language.

    POST /_emulator/<command>      a JSON object with the command's arguments
    POST /_emulator/<behaviour>    {"value": ...}; see `Behaviour`
    GET  /_emulator                the commands and behaviours
    GET  /_emulator/fleet          the clients as responses would show them
    GET  /_emulator/log            the requests so far

Where several accounts are served, `?account=A&region=R` names one; otherwise the first one is meant. Not signed: the
emulator listens on loopback only and everything in it is fake.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from pydantic import BaseModel

from pulumi_hbr_clients.emulator.backend import Backend
from pulumi_hbr_clients.emulator.behaviour import BEHAVIOURS
from pulumi_hbr_clients.emulator.cloud import Cloud
from pulumi_hbr_clients.emulator.fleet_file import add_clients
from pulumi_hbr_clients.emulator.responses import ApiResponse
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.protocol.signing import Request

PREFIX: Final = "/_emulator"


def _ids(value: str | list[str]) -> list[str]:
    """A single id may come without its brackets."""
    return [value] if isinstance(value, str) else value


COMMANDS: Final[Mapping[str, Callable[..., Any]]] = {
    "activate": lambda backend, clients: backend.activate(*_ids(clients)),
    "add": lambda backend, clients: add_clients(backend, clients),  # noqa: PLW0108  without its own `name`
    "advance": Backend.advance,
    "change": Backend.change,
    "churn": Backend.churn,
    "clear_log": Backend.clear_log,
    "install": lambda backend, instances, seconds=60.0, fails=False: backend.install(
        _ids(instances), seconds=seconds, fails=fails
    ),
    "remove": lambda backend, clients: backend.remove(*_ids(clients)),
    "set_status": lambda backend, clients, status: backend.set_status(status, *_ids(clients)),
    "stop_heartbeats": lambda backend, clients: backend.stop_heartbeats(*_ids(clients)),
}


def handle(target: Backend | Cloud, request: Request) -> ApiResponse:
    """The response to an admin request."""
    status, document = _answer(target, request)
    return ApiResponse(status, json.dumps(document).encode())


def _answer(target: Backend | Cloud, request: Request) -> tuple[int, Any]:
    """HTTP status and JSON document."""
    try:
        backend = _backend(target, dict(request.query))
        name = request.path.removeprefix(PREFIX).strip("/")
        if request.method == "POST":
            with backend.lock:
                return 200, {"result": _do(backend, name, json.loads(request.body or b"{}"))}
        return (200, _VIEWS[name](backend)) if name in _VIEWS else (404, {"error": f"no such page: {request.path}"})
    except json.JSONDecodeError as error:
        return 400, {"error": f"the body is not JSON: {error}"}
    except (ValueError, TypeError, LookupError, InputError) as error:
        return 400, {"error": str(error.args[0] if error.args else error)}


def _backend(target: Backend | Cloud, query: Mapping[str, str]) -> Backend:
    if isinstance(target, Backend):
        return target
    found = (
        backend
        for (account, region), backend in target.backends.items()
        if query.get("account", account) == account and query.get("region", region) == region
    )
    backend = next(found, None)
    if backend is None:
        raise LookupError(f"no such account and region; one of {[*target.backends]}")
    return backend


def _do(backend: Backend, name: str, body: Any) -> Any:
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    if name in BEHAVIOURS:
        if body.keys() != {"value"}:
            raise ValueError(f'{name} takes {{"value": ...}}')
        return _plain(backend.set(name, body["value"]))
    if name not in COMMANDS:
        raise LookupError(f"no such command: {name}; one of {', '.join((*COMMANDS, *BEHAVIOURS))}")
    inspect.signature(COMMANDS[name]).bind(backend, **body)
    return COMMANDS[name](backend, **body)


def _index(backend: Backend) -> Any:
    names = {name: list(inspect.signature(command).parameters)[1:] for name, command in COMMANDS.items()}
    return {"commands": names, "behaviours": {name: _plain(getattr(backend, name)) for name in BEHAVIOURS}}


_VIEWS: Final[Mapping[str, Callable[[Backend], Any]]] = {
    "": _index,
    "fleet": lambda backend: {"clients": backend.rows(), "totalCount": len(backend.members)},
    "log": lambda backend: {"requests": backend.requests, "log": [asdict(record) for record in list(backend.log)]},
}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return sorted(value) if isinstance(value, frozenset) else value
