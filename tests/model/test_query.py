"""Bad input is refused, all faults at once, with the argument, what was given and what is allowed."""

import inspect
import re
from collections.abc import Callable
from enum import Enum, StrEnum
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.resources.backup_clients import BackupClients
from pulumi_hbr_clients.resources.functions import get_backup_clients, get_backup_clients_output

ECS = {"client_type": "ECS_CLIENT"}
TRIPLE = ("cross_account_type", "cross_account_user_id", "cross_account_role_name")


def faults(**arguments: Any) -> dict[str, str]:
    """Path → reason, of what `parse` refuses."""
    with pytest.raises(InputError) as caught:
        queries.parse(arguments)
    return {fault.path: f"{fault.reason} | {fault.given}" for fault in caught.value.faults}


def parsed(**arguments: Any) -> Query:
    return queries.parse({**ECS, **arguments})


class Text(str, Enum):  # noqa: UP042  that it is none is the point
    """A str enum as programs declare it; StrEnum is another."""

    ECS = "ECS_CLIENT"
    TEN = "10"


class Kind(StrEnum):
    ECS = "ECS_CLIENT"


@pytest.mark.parametrize(
    ("arguments", "path", "says"),
    [
        ({}, "client_type", "is required; one of ECS_CLIENT, CONTAINER_CLIENT, LOCAL_CLIENT"),
        ({"client_type": "ecs_client"}, "client_type", "did you mean ECS_CLIENT? | 'ecs_client'"),
        ({**ECS, "page_size": 100}, "page_size", "must be 1 to 99 | 100"),
        ({**ECS, "page_number": 0}, "page_number", "must be 1 or more | 0"),
        ({**ECS, "tags": {f"k{i}": "v" for i in range(21)}}, "tags", "must be at most 20 tags, not 21"),
        ({**ECS, "tags": {"": "v"}}, "tags[0].key", "must not be empty"),
        ({**ECS, "tags": {"aliyunX": "v"}}, "tags[0].key", "must not start with aliyun or acs:"),
        ({**ECS, "tags": {"k": "http://x"}}, "tags[0].value", "must not contain http://"),
        ({**ECS, "instance_ids": [" "]}, "instance_ids[0]", "must not be empty or hold white space"),
        ({**ECS, "instance_ids": "i-1"}, "instance_ids", "must be a list of strings | 'i-1'"),
        ({**ECS, "filters": {"InstanceId": []}}, "filters[0].values", "must hold at least one value"),
        ({**ECS, "filters": {f"k{n}": ["v"] for n in range(6)}}, "filters", "must be at most 5 filters, not 6"),
        ({**ECS, "tags": [{"key": "env", "Value": "prod"}]}, "tags[0].Value", "no such argument; did you mean value?"),
        ({**ECS, "tags": [{"key": "env", "worth": 1}]}, "tags[0].worth", "no such argument; allowed here: key, value"),
        ({**ECS, "cross_account_type": "both"}, "cross_account_type", "must be in capitals"),
        ({**ECS, "timeout": 10**400}, "timeout", "must be a time"),
        ({**ECS, "timeout": "9" * 400 + "d"}, "timeout", "at most 365 days"),
        ({**ECS, "timeout": float("nan")}, "timeout", "must be a time"),
        ({**ECS, "timeout": 0}, "timeout", "must be longer than 0 s"),
        ({**ECS, "page_size": 10**5000}, "page_size", "a int that cannot be shown"),
        ({**ECS, "cross_account_user_id": 10**5000}, "cross_account_user_id", "at most 19 digits"),
        ({**ECS, "cross_account_user_id": True}, "cross_account_user_id", "a number"),
        ({**ECS, "statuses": ["activated"]}, "statuses[0]", "did you mean ACTIVATED?"),
        ({**ECS, "fields": ["statu"]}, "fields[0]", "did you mean status?"),
        ({**ECS, "consistency": "x"}, "consistency", "'verified' or 'counted'"),
        ({**ECS, "regon": "cn-hangzhou"}, "regon", "did you mean region?"),
    ],
)
def test_refused(arguments: dict[str, Any], path: str, says: str) -> None:
    """Each fault names its argument, what was given and what is allowed."""
    assert says in faults(**arguments)[path]


@pytest.mark.parametrize("present", [1, 2, 3, 4, 5, 6])
def test_half_a_cross_account(present: int) -> None:
    """Whatever part of the triple is there, exactly what is missing is named."""
    values = dict(zip(TRIPLE, ("CROSS_ACCOUNT", "1293746723820001", "role"), strict=True))
    chosen = {name for bit, name in enumerate(TRIPLE) if present & (1 << bit)}
    assert faults(**ECS, **{name: values[name] for name in chosen}).keys() == set(TRIPLE) - chosen


def test_a_resource_directory_needs_no_role() -> None:
    """CROSS_ACCOUNT_BY_RD stands with the account's id; the role may be named. One's own account needs neither."""
    own = {"cross_account_type": "SELF_ACCOUNT"}
    assert parsed(**own).cross_account_user_id is None
    assert faults(**ECS, **own, cross_account_user_id=1).keys() == {"cross_account_type"}
    kind = {"cross_account_type": "CROSS_ACCOUNT_BY_RD"}
    assert faults(**ECS, **kind).keys() == {"cross_account_user_id"}
    assert parsed(**kind, cross_account_user_id=1293746723820001).cross_account_role_name is None
    assert parsed(**kind, cross_account_user_id=1, cross_account_role_name="role").cross_account_user_id == "1"


@pytest.mark.parametrize(
    ("arguments", "hidden"),
    [
        ({"client_type": "ecs_klient"}, "ecs_klient"),
        ({"tags": {"http://key": "v"}}, "http://key"),
        ({"fields": ["stattus"]}, "status"),
        ({"page_size": "fourty"}, "fourty"),
    ],
)
def test_a_secret_value_is_not_shown(arguments: dict[str, Any], hidden: str) -> None:
    """Of a secret argument only the rule is shown, not the value nor what it resembles; of the others all."""
    with pytest.raises(InputError) as caught:
        queries.parse({**ECS, **arguments, "consistency": "maybe"})
    text = str(caught.value.without(arguments.keys()))
    assert hidden in str(caught.value)
    assert hidden not in text
    assert text.count("(given: [secret])") == 1
    assert "consistency: must be 'verified' or 'counted' (given: 'maybe')" in text.splitlines()


def test_new_values_pass_with_a_warning() -> None:
    """The set of client types is open; so are those of statuses."""
    query = parsed(client_type="NAS_CLIENT", statuses=["ASLEEP", "ACTIVATED"], backup_statuses=["HALF_WAY"])
    assert list(query.warnings()) == [
        "client_type: NAS_CLIENT is not known to this version and is used unchanged",
        "statuses: ASLEEP is not known to this version and is used unchanged",
        "backup_statuses: HALF_WAY is not known to this version and is used unchanged",
    ]


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        ({"client_type": "ECSS_CLIENT"}, "ECS_CLIENT"),
        ({"statuses": ["INSTAL_FAILED"]}, "INSTALL_FAILED"),
        ({"statuses": ["ACTIVE"]}, "ACTIVATED"),
        ({"backup_statuses": ["UNPROTECTET"]}, "UNPROTECTED"),
        ({"os_types": ["Linux"]}, "linux"),
        ({"cross_account_type": "CROSS_ACCOUNT_BY_RDS"}, "CROSS_ACCOUNT_BY_RD"),
    ],
)
def test_a_warning_names_the_nearest(arguments: dict[str, Any], near: str) -> None:
    """A value that may be a typing error is shown with the nearest known one; of a secret argument neither is."""
    query = parsed(**arguments)
    (text,) = query.warnings()
    (redacted,) = query.warnings(arguments.keys())
    (name,) = arguments
    assert text.endswith(f" is not known to this version and is used unchanged; did you mean {near}?")
    assert redacted == f"{name}: [secret] is not known to this version and is used unchanged"


@pytest.mark.parametrize("number", [1293746723820001, "1293746723820001", 1293746723820001.0], ids=repr)
def test_account_id(number: Any) -> None:
    """An account id survives JSON and protobuf numbers."""
    triple = dict(zip(TRIPLE, ("CROSS_ACCOUNT", number, "role"), strict=True))
    assert parsed(**triple).cross_account_user_id == "1293746723820001"


def test_empty_list_is_not_no_list() -> None:
    """An id list that is given and empty selects nothing; without one all are selected."""
    assert parsed(instance_ids=[]).selects_nothing()
    assert parsed(client_ids=[]).selects_nothing()
    assert not parsed().selects_nothing()


def test_unknown_is_no_fault() -> None:
    """In a preview an unknown argument is neither missing nor wrong, and there is no query yet."""
    assert queries.parse_partial({}, ["clientType"]) is None
    assert queries.parse_partial({**ECS, "cross_account_type": "CROSS_ACCOUNT"}, TRIPLE[1:]) is None
    assert queries.parse_partial({**ECS, "cross_account_user_id": 1}, TRIPLE[:1]) is None
    assert queries.parse_partial(ECS, TRIPLE[:1]) is None
    assert queries.parse_partial(ECS, ()) == parsed()
    with pytest.raises(InputError, match="page_size"):
        queries.parse_partial({"page_size": 100}, ["client_type"])


def test_iterators_sets_and_enums() -> None:
    """Whatever a program hands over as a list or a text is read once and taken for what it means."""
    ids = ["i-1", "i-2"]
    expected = parsed(instance_ids=ids, filters={"k": ids}, page_size=10)
    for made in (lambda: iter(ids), lambda: (i for i in ids), lambda: set(ids), lambda: dict.fromkeys(ids).keys()):
        assert parsed(instance_ids=made(), filters={"k": made()}, page_size=Text.TEN) == expected
    assert parsed(client_type=Text.ECS) == parsed(client_type=Kind.ECS) == parsed()
    assert parsed(tags=({"key": key, "value": Text.TEN} for key in "ab")) == parsed(tags={"a": "10", "b": "10"})


CANONICAL: list[tuple[dict[str, Any], str, str]] = [
    ({}, '{"clientType":"ECS_CLIENT"}', "ECS_CLIENT/"),
    (
        {"region": "cn-hangzhou", "tags": {"b": "2", "a": "é"}, "instance_ids": ["i-2", "i-1", "i-2"], "timeout": "5m"},
        (
            '{"clientType":"ECS_CLIENT","instanceIds":["i-1","i-2"],"region":"cn-hangzhou",'
            '"tags":[{"key":"a","value":"\\u00e9"},{"key":"b","value":"2"}],"timeout":300.0}'
        ),
        "cn-hangzhou/ECS_CLIENT/",
    ),
    (
        {"filters": {"k": ["b", "a"]}, "assume_role": {"role_arn": "acs:ram::1:role/r"}, "outdated": False},
        (
            '{"assumeRole":{"roleArn":"acs:ram::1:role/r"},"clientType":"ECS_CLIENT",'
            '"filters":[{"key":"k","values":["a","b"]}],"outdated":false}'
        ),
        "ECS_CLIENT/",
    ),
]


@pytest.mark.parametrize(("arguments", "text", "head"), CANONICAL)
def test_the_id_is_a_contract(arguments: dict[str, Any], text: str, head: str) -> None:
    """Ids are in users' states: they change neither with the order of the model's fields nor with new ones."""
    assert parsed(**arguments).resource_id() == head + sha256(text.encode()).hexdigest()[:16]


def test_one_reading_serves_narrower_queries() -> None:
    """What is applied after the service answered, and how long one waits, is not part of what is sent."""
    narrow = parsed(statuses=["ACTIVATED"], outdated=True, fields=["status"], timeout=5, allow_incomplete=True)
    assert narrow.sent() == parsed().sent() == parsed()
    assert parsed(profile="prod").sent() != parsed()


ENTRY_POINTS: dict[str, Callable[..., Any]] = {
    "HbrClient.list_backup_clients": HbrClient.list_backup_clients,
    "BackupClients": BackupClients.__init__,
    "get_backup_clients": get_backup_clients,
    "get_backup_clients_output": get_backup_clients_output,
}


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_signatures_are_the_model(name: str) -> None:
    """Every argument is a keyword of its own, so that editors and `help()` show it; the required have no default."""
    parameters = inspect.signature(ENTRY_POINTS[name]).parameters.values()
    keywords = {
        each.name: each.default is inspect.Parameter.empty for each in parameters if each.kind is each.KEYWORD_ONLY
    }
    assert keywords == {field: info.is_required() for field, info in Query.model_fields.items()}
    assert list(keywords) == list(Query.model_fields)


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_docstrings_are_the_models_descriptions(name: str) -> None:
    """The text of each argument in `help()` is its description in the model, or a reference to where it stands."""
    text = inspect.getdoc(ENTRY_POINTS[name]) or ""
    if name in {"HbrClient.list_backup_clients", "get_backup_clients_output"}:
        assert "those of `get_backup_clients`" in text
        return
    section = re.search(r"^Args:\n(.*?)\n\n", text, flags=re.DOTALL | re.MULTILINE)
    assert section
    documented = dict(re.findall(r"^    (\w+): (.*(?:\n        .*)*)", section[1], flags=re.MULTILINE))
    texts = {field: " ".join(line.split()) for field, line in documented.items() if field in Query.model_fields}
    assert texts == {field: info.description for field, info in Query.model_fields.items()}
    assert "\nRaises:\n" in text


RESOLVED = {"region": "cn-hangzhou", "profile": "prod", "pageNumber": 1.0, "pageSize": 10.0}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"instance_ids": [], "outdated": False, "page_size": 5},
        {"tags": {"a": "1"}, "filters": {"InstanceId": ["i-1", "i-2"]}, "region": "cn-hangzhou"},
        {"tags": [{"key": "a"}, {"key": "a", "value": "1"}], "filters": [{"key": "k", "values": ["b", "a"]}]},
        {"statuses": ["ACTIVATED"], "fields": ["status", "privateIpV4"], "include_heartbeats": True},
        {"timeout": "5m", "allow_incomplete": True, "profile": "prod", "assume_role": {"roleArn": "acs:ram::1:role/r"}},
    ],
)
def test_state_reads_back(arguments: dict[str, Any]) -> None:
    """A query is read from its inputs, and at refresh from outputs that also hold the region that was resolved, say."""
    query = parsed(**arguments)
    assert queries.parse(query.to_state()) == query
    for resolved in ({}, {"region": "cn-hangzhou"}, RESOLVED):
        properties = {**resolved, **query.to_state(), "clients": "…", "totalCount": 3.0}
        for identity in (query.resource_id(), query.resource_id().rpartition("/")[2]):  # of a secret query
            assert queries.query_of(identity, properties) == query


def test_a_changed_query_is_refused() -> None:
    """A transformation that changes the arguments behind the id's back is an error, not another list."""
    query = parsed(tags={"env": "prod"})
    changed = {**query.to_state(), "tags": {"env": "prod", "owner": "me"}}
    with pytest.raises(InputError, match="A transformation of the stack or of the resource changed them"):
        queries.query_of(query.resource_id(), changed)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.sampled_from(sorted(Query.model_fields)), ANYTHING))
def test_anything_goes_in_only_our_errors_come_out(arguments: dict[str, Any]) -> None:
    """Whatever is given, the answer is a query or an InputError."""
    try:
        queries.parse(arguments)
    except InputError as error:
        assert error.faults
