"""The tags of a client: as the service sends them → a read-only map that clients share."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

from pydantic import PlainSerializer, PlainValidator


class TagMap(dict[str, str]):
    """Tags by key. Read-only, since clients with equal tags share one; a real dict, since `pulumi.export` needs one."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # dict has none, for it can change
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type["TagMap"], tuple[dict[str, str]]]:
        return TagMap, (dict(self),)

    def _read_only(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("the tags of a client are read-only; dict(client.tags) makes a copy")

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _read_only


NO_TAGS: Final = TagMap()


def _tags(value: Any) -> TagMap:
    """`[{"Key": k, "Value": v}]`, the same wrapped as `{"Tag": […]}`, or a map → map by key, sorted."""
    if isinstance(value, dict):
        if not isinstance(value.get("Tag"), list):
            return _tag_map(*[text for key, item in value.items() for text in (key, _text(item))])
        value = value["Tag"]
    if not isinstance(value, list) or not value:
        return NO_TAGS
    try:
        return _tag_map(*[text for row in value for text in (row["Key"], row["Value"])])
    except (KeyError, TypeError):  # a row or a value of another form
        rows = [row for row in value if isinstance(row, dict)]
        return _tag_map(*[text for row in rows for text in (str(row.get("Key")), _text(row.get("Value")))])


@lru_cache(maxsize=4096, typed=True)  # typed: 1, true and 1.0 are different texts
def _tag_map(*texts: Any) -> TagMap:
    """The tags of keys and values, given in turn.

    Fleets repeat their tags: equal ones are kept once (100,000 clients: 1.35 KB each, so 0.85).
    """
    return TagMap(sorted(zip(map(str, texts[::2]), map(_text, texts[1::2]), strict=True)))


def _text(value: Any) -> str:
    """A value as the response spells it: true, 3."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


Tags = Annotated[Mapping[str, str], PlainValidator(_tags), PlainSerializer(dict, dict[str, str])]
