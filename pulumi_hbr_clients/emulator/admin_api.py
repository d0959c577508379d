"""The backend's commands over HTTP, for whoever cannot reach into the process: a demo, a test in another language.

    POST /_emulator/<command>      a JSON object with the command's arguments
    POST /_emulator/<condition>    {"value": …}; see `Behaviour`
    GET  /_emulator                the commands and conditions
    GET  /_emulator/fleet          the clients as answers would show them
    GET  /_emulator/log            the requests so far

Not signed: the emulator listens on loopback only and everything in it is fake.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from json import JSONDecodeError
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pulumi_hbr_clients.emulator.backend import Backend
from pulumi_hbr_clients.emulator.behaviour import CONDITIONS
from pulumi_hbr_clients.emulator.fleet_file import admit
from pulumi_hbr_clients.model.errors import InputError


def _activate(backend: Backend, clients: Iterable[str]) -> None:
    backend.activate(*_texts(clients))


def _add(backend: Backend, clients: Any) -> None:
    admit(backend, clients)


def _advance(backend: Backend, seconds: float) -> None:
    backend.advance(seconds)


def _change(backend: Backend, client: str, fields: Mapping[str, Any]) -> None:
    backend.change(client, fields)


def _churn(backend: Backend, every: float, stay: float) -> None:
    backend.churn(every, stay)


def _clear_log(backend: Backend) -> None:
    backend.clear_log()


def _install(backend: Backend, instances: Iterable[str], seconds: float = 60.0, *, fails: bool = False) -> list[str]:
    return backend.install(_texts(instances), seconds=seconds, fails=fails)


def _remove(backend: Backend, clients: Iterable[str]) -> None:
    backend.remove(*_texts(clients))


def _set_status(backend: Backend, clients: Iterable[str], status: str) -> None:
    backend.set_status(status, *_texts(clients))


def _stop_heartbeats(backend: Backend, clients: Iterable[str]) -> None:
    backend.stop_heartbeats(*_texts(clients))


def _texts(value: Iterable[str]) -> list[str]:
    """One id may come without its brackets."""
    return [value] if isinstance(value, str) else list(value)


COMMANDS: Final[Mapping[str, Callable[..., Any]]] = {
    function.__name__.lstrip("_"): function
    for function in (
        _activate,
        _add,
        _advance,
        _change,
        _churn,
        _clear_log,
        _install,
        _remove,
        _set_status,
        _stop_heartbeats,
    )
}


def routes(backend: Backend) -> list[Route]:
    """The control surface of a backend."""

    async def index(_: Request) -> Response:
        names = {name: list(_arguments(command)) for name, command in COMMANDS.items()}
        values = {name: _plain(getattr(backend, name)) for name in CONDITIONS}
        return JSONResponse({"commands": names, "conditions": values})

    async def fleet(_: Request) -> Response:
        rows = backend.rows()
        return JSONResponse({"clients": rows, "totalCount": len(rows)})

    async def log(_: Request) -> Response:
        records = [asdict(record) for record in list(backend.log)]
        return JSONResponse({"requests": backend.requests, "log": records})

    async def command(request: Request) -> Response:
        try:
            body = await request.json() if await request.body() else {}
            with backend.lock:
                result = _do(backend, request.path_params["command"], body)
        except JSONDecodeError as error:
            return JSONResponse({"error": f"the body is not JSON: {error}"}, 400)
        except (ValueError, TypeError, LookupError, InputError) as error:
            return JSONResponse({"error": str(error.args[0] if error.args else error)}, 400)
        return JSONResponse({"result": result})

    return [
        Route("/_emulator", index),
        Route("/_emulator/fleet", fleet),
        Route("/_emulator/log", log),
        Route("/_emulator/{command}", command, methods=["POST"]),
    ]


def _do(backend: Backend, name: str, body: Any) -> Any:
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    if name in CONDITIONS:
        if body.keys() != {"value"}:
            raise ValueError(f'{name} takes {{"value": ...}}')
        setattr(backend, name, body["value"])
        return _plain(getattr(backend, name))
    if name not in COMMANDS:
        raise LookupError(f"no such command: {name}; one of {', '.join((*COMMANDS, *CONDITIONS))}")
    signature = inspect.signature(COMMANDS[name])
    signature.bind(backend, **body)
    return COMMANDS[name](backend, **body)


def _arguments(command: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(command).parameters)[1:]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
