"""Pulumi's options of a resource or a look-up: each is honoured, or refused with what to use instead.

`ResourceOptions` and `InvokeOptions` that have no effect here would list another region or account than was meant, or
show in clear text what was to be a secret. docs/settings.md has the table; a test holds the two together. Options that
ask for what is true anyway pass: a data source is never deleted, so `protect` and `retain_on_delete` are kept.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Literal

import pulumi

from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN, PACKAGE
from pulumi_hbr_clients.model.validators import snake
from pulumi_hbr_clients.resources import pulumi_runtime

_PROVIDER: Final = (
    "does not choose the region or the account here: a Python program uses no provider plugin of hbr-clients. "
    "Use the arguments region, profile and assume_role"
)
_ONLY_READ: Final = "has no effect on a data source: it is only read, never created, changed or replaced"
_REFUSED: Final[Mapping[str, str]] = {
    "provider": _PROVIDER,
    "providers": _PROVIDER,
    "version": "chooses a plugin's version, and there is no plugin here: install that version of pulumi-hbr-clients",
    "plugin_download_url": "names a plugin, and there is no plugin here: remove it",
    "id": "is made from the query: remove it",
    "urn": "names a resource that exists already: export its outputs and use clients_from_stack",
    "import_": "is not possible, since there is nothing to import: remove it",
}
REFUSED: Final[Mapping[str, Mapping[str, str]]] = {
    "BackupClients": {
        **_REFUSED,
        "custom_timeouts": "do not apply to a data source: use the argument timeout",
        "ignore_changes": f"{_ONLY_READ}. To leave out what changes, use the argument fields",
        "hide_diffs": f"{_ONLY_READ}. To leave out what changes, use the argument fields",
        "replace_on_changes": _ONLY_READ,
        "replacement_trigger": _ONLY_READ,
        "replace_with": _ONLY_READ,
        "transforms": f"{_ONLY_READ}, and Pulumi runs transforms on what it registers alone. Use transformations",
        "hooks": f"{_ONLY_READ}, so that no hook would run. To wait for clients, use ActivationGate",
    },
    "ActivationGate": _REFUSED,
    "get_backup_clients_output": {name: _REFUSED[name] for name in ("provider", "version", "plugin_download_url")},
}
"""For each class and look-up: the options that are refused, and what to use instead. All others are honoured."""

Kind = Literal["BackupClients", "ActivationGate", "get_backup_clients_output"]


def check_options(
    kind: Kind,
    opts: pulumi.ResourceOptions | pulumi.InvokeOptions | None,
    arguments: Mapping[str, Any],
    outputs: Collection[str] = (),
) -> None:
    """Refuse options that would have no effect, all at once. Sends nothing.

    Args:
        kind: the class or look-up.
        opts: as the program gave them, before any of our own are merged.
        arguments: the program's arguments; a region or an endpoint among them is what was meant.
        outputs: the names in state that `additional_secret_outputs` may have.

    Raises:
        InputError: with an issue `opts.<option>` for each.
    """
    if opts is None:
        return
    if issues := list(_issues(kind, opts, outputs)):
        raise InputError(*issues)
    if opts.parent and not arguments.keys() & {"region", "endpoint", "profile"} and _provider_of(opts, "alicloud"):
        pulumi_runtime.warn(
            f"{kind}: the parent has a provider of alicloud, whose region and account are not used here. Use the "
            "arguments region, profile and assume_role"
        )


def _issues(kind: Kind, opts: Any, outputs: Collection[str]) -> Iterator[ValidationIssue]:
    for name, reason in REFUSED[kind].items():
        if getattr(opts, name, None):
            yield ValidationIssue(f"opts.{name}", reason)
    if opts.parent and not opts.provider and _provider_of(opts, PACKAGE):
        yield ValidationIssue("opts.parent", f"has a provider of {PACKAGE}, which {_PROVIDER}")
    known = {*outputs, *map(snake, outputs)}
    for name in getattr(opts, "additional_secret_outputs", None) or ():
        if outputs and name not in known:
            names = ", ".join(sorted(map(snake, outputs)))
            yield ValidationIssue("opts.additional_secret_outputs", f"must be of {names}", repr(name))


def _provider_of(opts: Any, package: str) -> Any:
    """The provider that the parent hands down for a package, if any."""
    return opts.parent.get_provider(FUNCTION_TOKEN.replace(PACKAGE, package, 1))
