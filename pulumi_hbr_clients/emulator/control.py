"""The world's commands over HTTP, for whoever cannot reach into the process: a demo, a test in another language.

    POST /_emulator/<command>      a JSON object with the command's arguments
    POST /_emulator/<condition>    {"value": …}; see `Conditions`
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

from pulumi_hbr_clients.core.errors import InputError
from pulumi_hbr_clients.emulator.conditions import CONDITIONS
from pulumi_hbr_clients.emulator.fleet import admit
from pulumi_hbr_clients.emulator.world import World


def _activate(world: World, clients: Iterable[str]) -> None:
    world.activate(*_texts(clients))


def _add(world: World, clients: Any) -> None:
    admit(world, clients)


def _advance(world: World, seconds: float) -> None:
    world.advance(seconds)


def _change(world: World, client: str, fields: Mapping[str, Any]) -> None:
    world.change(client, fields)


def _churn(world: World, every: float, stay: float) -> None:
    world.churn(every, stay)


def _clear_log(world: World) -> None:
    world.clear_log()


def _install(world: World, instances: Iterable[str], seconds: float = 60.0, *, fails: bool = False) -> list[str]:
    return world.install(_texts(instances), seconds=seconds, fails=fails)


def _remove(world: World, clients: Iterable[str]) -> None:
    world.remove(*_texts(clients))


def _set_status(world: World, clients: Iterable[str], status: str) -> None:
    world.set_status(status, *_texts(clients))


def _stop_heartbeats(world: World, clients: Iterable[str]) -> None:
    world.stop_heartbeats(*_texts(clients))


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


def routes(world: World) -> list[Route]:
    """The control surface of a world."""

    async def index(_: Request) -> Response:
        names = {name: list(_arguments(command)) for name, command in COMMANDS.items()}
        values = {name: _plain(getattr(world, name)) for name in CONDITIONS}
        return JSONResponse({"commands": names, "conditions": values})

    async def fleet(_: Request) -> Response:
        rows = world.rows()
        return JSONResponse({"clients": rows, "totalCount": len(rows)})

    async def log(_: Request) -> Response:
        records = [asdict(record) for record in list(world.log)]
        return JSONResponse({"requests": world.requests, "log": records})

    async def command(request: Request) -> Response:
        try:
            body = await request.json() if await request.body() else {}
            with world.lock:
                result = _do(world, request.path_params["command"], body)
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


def _do(world: World, name: str, body: Any) -> Any:
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    if name in CONDITIONS:
        if body.keys() != {"value"}:
            raise ValueError(f'{name} takes {{"value": ...}}')
        setattr(world, name, body["value"])
        return _plain(getattr(world, name))
    if name not in COMMANDS:
        raise LookupError(f"no such command: {name}; one of {', '.join((*COMMANDS, *CONDITIONS))}")
    signature = inspect.signature(COMMANDS[name])
    signature.bind(world, **body)
    return COMMANDS[name](world, **body)


def _arguments(command: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(command).parameters)[1:]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
