"""What may be asked: arguments → Query, or every fault with its path and reason, before anything is sent.

`Query` is the truth for validation, wire, schema, command line and docs: a new filter is a field here and
nowhere else (its `WireParam` says where it goes). Arguments may be spelled snake_case or camelCase; ids, tags and
filters come out sorted and unique, so equal questions are equal values.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, TypedDict

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.model import validators
from pulumi_hbr_clients.model.configuration import AssumeRole
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.validation import snake, unknown_value_warnings, validate
from pulumi_hbr_clients.model.validators import BACKUP_STATUSES, CLIENT_TYPES, STATUSES


@dataclass(frozen=True, slots=True)
class WireParam:
    """Where a parameter goes and in which form: `plain`, `json` text, or `numbered` (Name.1.Key=…)."""

    name: str
    place: Literal["query", "body"] = "query"
    form: Literal["plain", "json", "numbered"] = "plain"


class Tag(BaseModel):
    """A tag to match: its key, and its value if that matters."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: validators.TagText
    value: validators.TagText | None = None


class Filter(BaseModel):
    """A filter of the service that is newer than its document: a key and the values it may have."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: validators.Word
    values: validators.FilterValues


class Query(BaseModel):
    """One question to DescribeBackupClients, and how its answer shall be shown."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        loc_by_alias=False,
    )

    client_type: Annotated[validators.ClientType, WireParam("ClientType")] = Field(
        description="The type of backup client: ECS_CLIENT, CONTAINER_CLIENT or LOCAL_CLIENT."
    )
    cluster_id: Annotated[validators.Word | None, WireParam("ClusterId")] = Field(
        default=None, description="The id of the cluster whose clients are listed (container backup)."
    )
    client_ids: Annotated[validators.Ids | None, WireParam("ClientIds", "body", "json")] = Field(
        default=None, description="Ids of backup clients (c-…). Given and empty asks for nothing."
    )
    instance_ids: Annotated[validators.Ids | None, WireParam("InstanceIds", "body", "json")] = Field(
        default=None, description="Ids of ECS instances (i-…). Given and empty asks for nothing."
    )
    tags: Annotated[
        tuple[Tag, ...],
        BeforeValidator(validators.at_most_20),
        BeforeValidator(validators.as_rows),
        AfterValidator(validators.unique),
        WireParam("Tag", "body", "numbered"),
    ] = Field(default=(), description="Tags to match, key and value or key alone; at most 20.")
    filters: Annotated[
        tuple[Filter, ...],
        BeforeValidator(validators.as_rows),
        AfterValidator(validators.unique),
        WireParam("Filters", "query", "numbered"),
    ] = Field(default=(), description="Further filters of the service, a key and its values each.")
    cross_account_type: Annotated[Literal["SELF_ACCOUNT", "CROSS_ACCOUNT"] | None, WireParam("CrossAccountType")] = (
        Field(
            default=None, description="SELF_ACCOUNT, or CROSS_ACCOUNT with the source account's user id and role name."
        )
    )
    cross_account_user_id: Annotated[validators.AccountId | None, WireParam("CrossAccountUserId")] = Field(
        default=None, description="The id of the source account that is backed up."
    )
    cross_account_role_name: Annotated[validators.Word | None, WireParam("CrossAccountRoleName")] = Field(
        default=None, description="The RAM role in the source account that lets this account in."
    )
    page_number: Annotated[validators.PageNumber | None, WireParam("PageNumber")] = Field(
        default=None, description="Ask for this single page only, counted from 1. The result is that page."
    )
    page_size: Annotated[validators.PageSize | None, WireParam("PageSize")] = Field(
        default=None, description="Clients on the single page, 1 to 99 (the service's default is 10)."
    )
    statuses: validators.Statuses | None = Field(
        default=None, description="Keep clients with one of these statuses. Applied after the service answered."
    )
    backup_statuses: validators.BackupStatuses | None = Field(
        default=None, description="Keep PROTECTED or UNPROTECTED clients. Applied after the service answered."
    )
    zone_ids: validators.Ids | None = Field(
        default=None, description="Keep clients in these zones. Applied after the service answered."
    )
    os_types: validators.Ids | None = Field(
        default=None, description="Keep linux or windows clients. Applied after the service answered."
    )
    outdated: bool | None = Field(
        default=None,
        description="Keep clients whose version is below (true) or at (false) the newest one. "
        "Applied after the service answered.",
    )
    fields: validators.ClientFields | None = Field(
        default=None,
        description="Only these fields of each client (clientId and instanceId always stay). "
        "Smaller state, faster previews.",
    )
    include_heartbeats: bool = Field(
        default=False,
        description="Show lastHeartBeatTime and updatedTime, which move by themselves, in the resource "
        "too. Every `up` then shows a change.",
    )
    include_proxy_passwords: bool = Field(
        default=False, description="Give proxy passwords, as a secret map from client id to password."
    )
    consistency: Literal["verified", "counted"] = Field(
        default="counted",
        description="How a list of several pages is checked. `verified`: two consecutive passes return the same "
        "clients. `counted`: one pass whose pages name one total and return that many clients.",
    )
    allow_incomplete: bool = Field(
        default=False,
        description="Accept a list that could not be completed, with a warning. Without it that is an error.",
    )
    timeout: validators.Duration | None = Field(
        default=None, description="Longest time for the whole query. The default is 5 minutes."
    )
    region: validators.Word | None = Field(default=None, description="The region, for example cn-hangzhou.")
    endpoint: validators.Word | None = Field(
        default=None, description="The service's address, in place of the region's own."
    )
    profile: validators.Word | None = Field(
        default=None, description="The profile of the Alibaba CLI's config file to sign with."
    )
    assume_role: AssumeRole | None = Field(
        default=None, description="A RAM role to assume with the credentials that were found."
    )

    def selects_nothing(self) -> bool:
        """An id list that is given and empty selects nothing: never the whole fleet."""
        return () in (self.client_ids, self.instance_ids)

    def sent(self) -> "Query":
        """The part that reaches the service: equal for questions that one reading can answer."""
        return self.model_copy(update=dict.fromkeys(_OWN) | {"include_heartbeats": False})

    def identity(self) -> str:
        """Equal questions, equal ids, for state: `cn-hangzhou/ECS_CLIENT/5e0c…`."""
        digest = sha256(self.model_dump_json(exclude_defaults=True).encode()).hexdigest()[:16]
        return f"{self.region}/{self.client_type}/{digest}"

    def state(self) -> dict[str, Any]:
        """The arguments that were given, as state spells them (`clientType`); `parse` reads them back."""
        given = self.model_dump(by_alias=True, exclude_defaults=True)
        return {name: _plain(name, value) for name, value in given.items()}


def _plain(name: str, value: Any) -> Any:
    """Tuples become lists; tags and filters with different keys become maps."""
    if name in {"tags", "filters"}:
        rows = [(row["key"], row.get("value") or list(row.get("values") or ())) for row in value]
        named = dict(rows)
        if len(named) == len(rows) and all(named.values()):
            return named
        return [{k: list(v) if isinstance(v, tuple) else v for k, v in row.items() if v} for row in value]
    return list(value) if isinstance(value, tuple) else value


_OWN: Final = ("statuses", "backup_statuses", "zone_ids", "os_types", "outdated", "fields")


class QueryArgs(TypedDict, total=False):
    """The arguments of `Query` as keywords of a function. A test holds the two together."""

    client_type: str
    cluster_id: str | None
    client_ids: Iterable[str] | None
    instance_ids: Iterable[str] | None
    tags: Mapping[str, str | None] | Iterable[Mapping[str, str]] | None
    filters: Mapping[str, Iterable[str]] | Iterable[Mapping[str, Any]] | None
    cross_account_type: str | None
    cross_account_user_id: int | str | None
    cross_account_role_name: str | None
    page_number: int | None
    page_size: int | None
    statuses: Iterable[str] | None
    backup_statuses: Iterable[str] | None
    zone_ids: Iterable[str] | None
    os_types: Iterable[str] | None
    outdated: bool | None
    fields: Iterable[str] | None
    include_heartbeats: bool | None
    include_proxy_passwords: bool | None
    consistency: str | None
    allow_incomplete: bool | None
    timeout: float | str | None
    region: str | None
    endpoint: str | None
    profile: str | None
    assume_role: Mapping[str, Any] | None


def parse(args: Mapping[str, Any], unknown: Iterable[str] = ()) -> Query | None:
    """Validate arguments. Raises `InputError` with all faults.

    `unknown` names arguments that have no value yet (a preview): they are no fault, and with any of them
    there is no query yet: None.
    """
    given = {name: value for name, value in args.items() if value is not None}
    query, faults = validate(Query, given)
    unknown = {snake(name) for name in unknown}
    faults += cross_account_faults({snake(name) for name in given} | unknown, given)
    faults = [fault for fault in faults if fault.argument not in unknown]
    if faults:
        raise InputError(*faults)
    return None if unknown else query


def cross_account_faults(names: set[str], given: Mapping[str, Any]) -> list[ValidationIssue]:
    """CROSS_ACCOUNT needs a user id and a role name; neither stands without it."""
    parts = ("cross_account_type", "cross_account_user_id", "cross_account_role_name")
    kind = given.get(parts[0], given.get(to_camel(parts[0])))
    present = names & set(parts)
    if not present or (kind == "SELF_ACCOUNT" and present == {parts[0]}):
        return []
    reason = f"must be given too: {', '.join(parts)} go together"
    return [ValidationIssue(name, reason) for name in parts if name not in present]


def warnings_of(query: Query, secret: Collection[str] = ()) -> Iterator[str]:
    """What is allowed and yet looks odd, a sentence each; without the values of arguments that are `secret`."""
    # types differ in the part before _CLIENT only, so that any two of them are alike
    yield from unknown_value_warnings("client_type", [query.client_type], CLIENT_TYPES, secret, alike=0.85)
    yield from unknown_value_warnings("statuses", query.statuses or (), STATUSES, secret)
    yield from unknown_value_warnings("backup_statuses", query.backup_statuses or (), BACKUP_STATUSES, secret)
