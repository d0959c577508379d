"""A backend's commands over HTTP, for whoever cannot reach into the process: a demo, a test in another language.

    POST /_emulator/<command>      a JSON object with the command's arguments
    POST /_emulator/<behaviour>    {"value": ...}; see `Behaviour`
    GET  /_emulator                the commands and behaviours
    GET  /_emulator/fleet          the clients as responses would show them
    GET  /_emulator/log            the requests so far

Where several accounts are served, `?account=A&region=R` names one; otherwise the first is used. Not signed: the
emulator listens on loopback only and everything in it is fake.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic_core import to_jsonable_python

from pulumi_hbr_clients.emulator.backend import Backend, Cloud
from pulumi_hbr_clients.emulator.behaviour import BEHAVIOURS
from pulumi_hbr_clients.emulator.fleet_file import add_clients
from pulumi_hbr_clients.emulator.responses import ApiResponse
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.protocol.signing import Request

PREFIX: Final = "/_emulator"


def _ids(clients: str | list[str]) -> list[str]:
    """A single id may come without its brackets."""
    return [clients] if isinstance(clients, str) else clients


COMMANDS: Final[Mapping[str, Callable[..., Any]]] = {
    "activate": lambda backend, clients: backend.activate(*_ids(clients)),
    "add": lambda backend, clients: add_clients(backend, clients),  # noqa: PLW0108  without its own `name`
    "advance": Backend.advance,
    "change": Backend.change,
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
    status = 200
    try:
        document = _answer(_backend(target, dict(request.query)), request)
    except (ValueError, TypeError, LookupError, InputError) as error:
        what = "the body is not JSON: " if isinstance(error, json.JSONDecodeError) else ""
        status, document = 400, {"error": f"{what}{error.args[0] if error.args else error}"}
    return ApiResponse(status, json.dumps(document, default=to_jsonable_python).encode())


def _backend(target: Backend | Cloud, query: Mapping[str, str]) -> Backend:
    if isinstance(target, Backend):
        return target
    for (account, region), backend in target.backends.items():
        if query.get("account", account) == account and query.get("region", region) == region:
            return backend
    raise LookupError(f"no such account and region; one of {[*target.backends]}")


def _answer(backend: Backend, request: Request) -> Any:
    name = request.path.removeprefix(PREFIX).strip("/")
    if request.method != "POST":
        if name not in _VIEWS:
            raise LookupError(f"no such page: {request.path}")
        return _VIEWS[name](backend)
    body = json.loads(request.body or b"{}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    if name not in COMMANDS and name not in BEHAVIOURS:
        raise LookupError(f"no such command: {name}; one of {', '.join((*COMMANDS, *BEHAVIOURS))}")
    if name in BEHAVIOURS and body.keys() != {"value"}:
        raise ValueError(f'{name} takes {{"value": ...}}')
    with backend.lock:
        if name in BEHAVIOURS:
            return {"result": backend.set(name, body["value"])}
        inspect.signature(COMMANDS[name]).bind(backend, **body)
        return {"result": COMMANDS[name](backend, **body)}


def _index(backend: Backend) -> Any:
    names = {name: list(inspect.signature(command).parameters)[1:] for name, command in COMMANDS.items()}
    return {"commands": names, "behaviours": {name: getattr(backend, name) for name in BEHAVIOURS}}


_VIEWS: Final[Mapping[str, Callable[[Backend], Any]]] = {
    "": _index,
    "fleet": lambda backend: {"clients": backend.rows(), "totalCount": len(backend.members)},
    "log": lambda backend: {"requests": backend.requests, "log": list(backend.log)},
}
