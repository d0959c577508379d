"""`Query`: arguments → a validated query, or every fault with its path and reason, before anything is sent.

`Query` is the source for validation, wire, schema, command line and docs: a new filter is a field here and
nowhere else (its `WireParam` says where it goes). Arguments may be spelled snake_case or camelCase; ids, tags and
filters come out sorted and unique, so equal queries are equal values.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, combinations
from typing import Annotated, Any, Final, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.model import validators
from pulumi_hbr_clients.model.configuration import AssumeRole
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.validators import materialize, optional, snake, unknown_value_warnings, validate


@dataclass(frozen=True, slots=True)
class WireParam:
    """Where a parameter goes and in which form: `plain`, `json` text, or `numbered` (Name.1.Key=…)."""

    name: str
    place: Literal["query", "body"] = "query"
    form: Literal["plain", "json", "numbered"] = "plain"


class Tag(BaseModel):
    """A tag to match: its key, and its value if that matters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: validators.TagText
    value: validators.TagText | None = None


class Filter(BaseModel):
    """A filter of the service: a key and the values it may have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: validators.Word
    values: validators.FilterValues


class Query(BaseModel):
    """One query of DescribeBackupClients, and what its list shall contain."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, loc_by_alias=False
    )

    client_type: Annotated[validators.ClientType, WireParam("ClientType")] = Field(
        description="The type of backup client: ECS_CLIENT, CONTAINER_CLIENT or LOCAL_CLIENT."
    )
    cluster_id: Annotated[validators.Word | None, WireParam("ClusterId")] = optional(
        "The id of the cluster whose clients are listed (container backup)."
    )
    client_ids: Annotated[validators.Ids | None, WireParam("ClientIds", "body", "json")] = optional(
        "Ids of backup clients (c-…). An empty list selects nothing."
    )
    instance_ids: Annotated[validators.Ids | None, WireParam("InstanceIds", "body", "json")] = optional(
        "Ids of ECS instances (i-…). An empty list selects nothing."
    )
    tags: Annotated[
        tuple[Tag, ...],
        validators.at_most(validators.TAGS_MAX, "tags"),
        validators.as_pairs("value"),
        AfterValidator(validators.unique),
        WireParam("Tag", "body", "numbered"),
    ] = optional(f"Tags to match, key and value or key alone; at most {validators.TAGS_MAX}.", default=())
    filters: Annotated[
        tuple[Filter, ...],
        validators.at_most(validators.FILTERS_MAX, "filters"),
        validators.as_pairs("values"),
        AfterValidator(validators.unique),
        WireParam("Filters", "query", "numbered"),
    ] = optional(
        "Further filters of the service, a key and its values each; "
        f"at most {validators.FILTERS_MAX} of at most {validators.FILTER_VALUES_MAX} values.",
        default=(),
    )
    cross_account_type: Annotated[validators.CrossAccountType | None, WireParam("CrossAccountType")] = optional(
        "SELF_ACCOUNT; CROSS_ACCOUNT with the source account's user id and role name; or "
        "CROSS_ACCOUNT_BY_RD (a resource directory) with its user id."
    )
    cross_account_user_id: Annotated[validators.AccountId | None, WireParam("CrossAccountUserId")] = optional(
        "The id of the source account that is backed up."
    )
    cross_account_role_name: Annotated[validators.Word | None, WireParam("CrossAccountRoleName")] = optional(
        "The RAM role in the source account that lets this account in."
    )
    page_number: Annotated[validators.PageNumber | None, WireParam("PageNumber")] = optional(
        "Request this single page only, counted from 1. The result is that page."
    )
    page_size: Annotated[validators.PageSize | None, WireParam("PageSize")] = optional(
        "Clients on the single page, 1 to 99 (the service's default is 10)."
    )
    statuses: validators.Statuses | None = optional(
        "Keep clients with one of these statuses. Applied after the service answered."
    )
    backup_statuses: validators.BackupStatuses | None = optional(
        "Keep PROTECTED or UNPROTECTED clients. Applied after the service answered."
    )
    zone_ids: validators.Ids | None = optional("Keep clients in these zones. Applied after the service answered.")
    os_types: validators.Ids | None = optional("Keep linux or windows clients. Applied after the service answered.")
    outdated: bool | None = optional(
        "Keep clients whose version is known to be below the newest one (true), or known not to be "
        "(false). Applied after the service answered."
    )
    fields: validators.ClientFields | None = optional(
        "Only these fields of each client (client id, instance id and region always stay): "
        "smaller state, faster previews."
    )
    include_heartbeats: bool = optional(
        "Include the heartbeat and update times, which change by themselves: every `up` then shows a change.",
        default=False,
    )
    include_proxy_passwords: bool = optional(
        "Include proxy passwords, as a secret map from client id to password.", default=False
    )
    consistency: Literal["verified", "counted"] = optional(
        "How a list of several pages is checked. `verified`: two consecutive passes return the same "
        "clients. `counted`: one pass whose pages name one total and return that many clients.",
        default="verified",
    )
    allow_incomplete: bool = optional(
        "Accept a list that could not be completed, with a warning. Otherwise that is an error.", default=False
    )
    timeout: validators.Duration | None = optional(
        "Maximum time for the whole query, in seconds or as text like 5m. If left out: 5 minutes."
    )
    region: validators.Word | None = optional("The region, for example cn-hangzhou.")
    endpoint: validators.Word | None = optional("The service's address, if not the region's own.")
    profile: validators.Word | None = optional("The profile of the Alibaba CLI's config file to sign with.")
    assume_role: AssumeRole | None = optional("A RAM role to assume with the credentials that were found.")

    def selects_nothing(self) -> bool:
        """Whether an id list is given and empty: that selects no client, never all of them."""
        return () in (self.client_ids, self.instance_ids)

    def is_single_page(self) -> bool:
        """Whether one raw page is requested."""
        return self.page_number is not None or self.page_size is not None

    def sent(self) -> "Query":
        """The part that decides what is read: equal for queries that one reading can answer."""
        return self.model_copy(update={name: Query.model_fields[name].default for name in _APPLIED_AFTERWARDS})

    def digest(self) -> str:
        """A digest of the arguments that differ from their defaults, as JSON with sorted keys.

        Neither a new argument nor the order of the fields here changes it. A test pins it.
        """
        text = json.dumps(self._given(), sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()[:16]

    def resource_id(self) -> str:
        """The id in state: equal for equal queries, like `cn-hangzhou/ECS_CLIENT/5e0c…`; the region only if given."""
        return "/".join(part for part in (self.region, self.client_type, self.digest()) if part)

    def to_state(self) -> dict[str, Any]:
        """The arguments that differ from their defaults, as state spells them; `parse` reads them back.

        Tags and filters are maps, unless a key stands twice or has no value.
        """
        given = self._given()
        for name in given.keys() & {"tags", "filters"}:
            rows = given[name]
            named = {row["key"]: row.get("value") or row.get("values") for row in rows}
            if len(named) == len(rows) and all(named.values()):
                given[name] = named
        return given

    def _given(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def warnings(self, secret: Collection[str] = ()) -> Iterator[str]:
        """What is allowed and looks wrong, a sentence each; without the values of arguments that are `secret`."""
        return unknown_value_warnings(self, OPEN_SETS, secret)


OPEN_SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "client_type": validators.CLIENT_TYPES,
    "statuses": validators.STATUSES,
    "backup_statuses": validators.BACKUP_STATUSES,
    "os_types": validators.OS_TYPES,
    "cross_account_type": validators.CROSS_ACCOUNT_TYPES,
}
"""Arguments that may have values which this version does not know, and those that it knows."""
_APPLIED_AFTERWARDS: Final = (
    *("statuses", "backup_statuses", "zone_ids", "os_types", "outdated"),
    *("fields", "include_heartbeats", "allow_incomplete", "timeout"),
)


def parse(args: Mapping[str, Any]) -> Query:
    """Validate arguments. Raises `InputError` with all faults."""
    return cast("Query", parse_partial(args, ()))  # without unknown arguments there is a query, or an error


def parse_partial(args: Mapping[str, Any], unknown: Iterable[str]) -> Query | None:
    """Validate the arguments that are known; None while any is `unknown` (a preview). Raises `InputError`."""
    unknown = {snake(name) for name in unknown}
    given = {name: materialize(value) for name, value in args.items() if value is not None}
    query, faults = validate(Query, given)
    faults += _cross_account_issues({snake(name): value for name, value in given.items()}, unknown)
    if faults := [fault for fault in faults if fault.argument not in unknown]:
        raise InputError(*faults)
    return None if unknown else query


_CROSS_ACCOUNT: Final[tuple[str, ...]] = ("cross_account_type", "cross_account_user_id", "cross_account_role_name")
_NEEDED: Final = {"CROSS_ACCOUNT": _CROSS_ACCOUNT, "CROSS_ACCOUNT_BY_RD": _CROSS_ACCOUNT[:2]}


def _cross_account_issues(given: Mapping[str, Any], unknown: Collection[str]) -> list[ValidationIssue]:
    """Which cross-account arguments are missing. A type that is not known may be given alone."""
    present = [name for name in _CROSS_ACCOUNT if name in given or name in unknown]
    if not present or "cross_account_type" in unknown:
        return []
    kind = given.get("cross_account_type")
    if kind == "SELF_ACCOUNT" and len(present) > 1:
        reason = "must be CROSS_ACCOUNT or CROSS_ACCOUNT_BY_RD with the arguments of another account"
        return [ValidationIssue("cross_account_type", reason, repr(kind))]
    needed, reason = _CROSS_ACCOUNT, f"must be given too: {', '.join(_CROSS_ACCOUNT)} go together"
    if isinstance(kind, str):
        needed, reason = _NEEDED.get(kind, ()), f"must be given too with {kind}"
    return [ValidationIssue(name, reason) for name in needed if name not in present]


_ALSO_OUTPUTS: Final = ("region", "profile", "pageNumber", "pageSize")


def query_of(resource_id: str, properties: Mapping[str, Any]) -> Query:
    """The query of a data source from its id and its properties, on refresh its previous outputs.

    Some outputs are named as arguments that need not be given, like the region that was resolved: the id shows which
    were. Raises `InputError` where no part of the properties is the query that the id was made from.
    """
    arguments = {to_camel(name) for name in Query.model_fields}
    given = {name: value for name, value in properties.items() if name in arguments}
    digest = resource_id.rpartition("/")[2]
    present = given.keys() & _ALSO_OUTPUTS
    for outputs in chain.from_iterable(combinations(present, number) for number in range(len(present) + 1)):
        query = parse({**given, **dict.fromkeys(outputs)})
        if query.digest() == digest:
            return query
    reason = (
        "are not those that the resource's id was made from. A transformation of the stack or of the resource changed "
        "them: exclude this resource from it, or give the arguments as they should be"
    )
    raise InputError(ValidationIssue("arguments", reason))
