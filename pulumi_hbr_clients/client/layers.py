"""What was set: arguments, then the two namespaces of Pulumi config, each a layer; and the environment."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

NAMESPACES: Final = ("hbr-clients", "alicloud")

Config = Callable[[str], Any]
"""Pulumi's config: a full key (`hbr-clients:region`) → its value, or None."""


def no_config(_key: str) -> None:
    """The config of a program that has none."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One place that may name any setting, asked by the keys of Pulumi config (`assumeRole`)."""

    name: str
    prefix: str
    read: Callable[[str], Any] = field(repr=False)

    def get(self, key: str) -> Any:
        """The value, None if it is not set. White space around a text means nothing."""
        value = self.read(key)
        return (value.strip() or None) if isinstance(value, str) else value

    def source(self, key: str) -> str:
        """Where this key is set, in words."""
        return f"{self.prefix}{key}"


@dataclass(frozen=True)
class Layers:
    """Everything that settings are made from. Iterates over arguments and config; reads the environment when asked."""

    config: Config = field(default=no_config, repr=False)
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def __iter__(self) -> Iterator[Layer]:
        """Arguments, then each namespace of Pulumi config."""
        names = {_camel(name): name for name in self.arguments}
        yield Layer("arguments", "argument ", lambda key: self.arguments.get(names.get(key, key)))
        for namespace in NAMESPACES:
            yield Layer(f"Pulumi config {namespace}:", f"Pulumi config {namespace}:", _reader(self.config, namespace))


def _reader(config: Config, namespace: str) -> Callable[[str], Any]:
    return lambda key: config(f"{namespace}:{key}")


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def as_object(value: Any) -> Any:
    """Structured Pulumi config arrives as JSON text or as an object, depending on the entry point."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
