"""Every kind of property value that the engine may send, and those that go back."""

from typing import Any

import grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2

from pulumi_hbr_clients.plugin import values as properties
from tests.plugin.calls import BAD_CODES, FUNCTION, SECRET, SENTINELS, URN, bag


def nested(leaves: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values, lists and maps of them."""
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
    )


TEXT = st.text(max_size=8)
VALUES = nested(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXT | st.sampled_from(SENTINELS),
    TEXT | st.sampled_from([*SECRET, "value"]),
)
NAMES = st.sampled_from(["clientType", "instanceIds", "tags", "filters", "timeout", "minClients", "region", "__x"])
BAGS = st.dictionaries(NAMES, VALUES, max_size=4)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(values=BAGS)
def test_malformed_values(provider: Any, values: dict[str, Any]) -> None:
    """Whatever comes over the wire, the answer is an answer or a clean error."""
    given_bag = bag(**values)
    requests = (
        (provider.Check, provider_pb2.CheckRequest(urn=URN, news=given_bag)),
        (provider.CheckConfig, provider_pb2.CheckRequest(urn=URN, news=given_bag)),
        (provider.Create, provider_pb2.CreateRequest(urn=URN, properties=given_bag, preview=True)),
        (provider.Diff, provider_pb2.DiffRequest(urn=URN, olds=bag(), news=given_bag)),
        (provider.Invoke, provider_pb2.InvokeRequest(tok=FUNCTION, args=given_bag)),
    )
    for call, request in requests:
        try:
            call(request)
        except grpc.RpcError as error:
            assert error.code() not in BAD_CODES, (values, error.details())


WHOLE, FRACTIONS = st.integers(-(2**53), 2**53), st.floats(allow_nan=False).filter(lambda n: not n.is_integer())


@given(
    st.dictionaries(TEXT, nested(st.booleans() | WHOLE | FRACTIONS | st.text(), TEXT), max_size=5),
    st.sets(st.integers(0, 5)),
)
def test_properties_round_trip(values: dict[str, Any], marked: set[int]) -> None:
    """What is written reads back, with its types; names that are secret or unknown are found by name."""
    names = list(values)
    secret = {names[i] for i in marked if i < len(names) and i % 2}
    unknown = {f"unknown-{i}" for i in marked}
    found = properties.read(properties.write(values, secret=secret, unknown=unknown))
    assert found.known() == values
    assert [type(found.values[name]) for name in names] == [type(values[name]) for name in names]
    assert (found.secret, found.unknown) == (secret, unknown)
    assert "FAKE" not in repr(properties.read(bag(name="FAKE")))
