"""One contender lists a fleet that makes trouble, and what it gives is held against the fleet itself.

    judging.py ours|verified|sdk|peer

Says whether it ended with an error, and otherwise whether it said that its list is whole, how many of the clients that
were there all along it misses, and how many it lists more than once.
"""

import json
import sys
import time
from collections import Counter

from tools.benchmarks.emulated import call
from tools.benchmarks.listing import CONTENDERS


def fleet() -> set[str]:
    """The ids of the clients that are there now."""
    return {row["ClientId"] for row in call("fleet")["clients"]}


def main() -> None:
    """List between two looks at the fleet, judge, say."""
    lists, before, start = CONTENDERS[sys.argv[1]](), fleet(), time.perf_counter()
    figures: dict[str, float]
    try:
        clients, complete = lists()
    except Exception as error:  # noqa: BLE001  whatever ends it is its answer
        print(f"{sys.argv[1]}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
        figures = {"error": 1, "whole": 0, "missed": 0, "twice": 0}
    else:
        listed = Counter(client.client_id for client in clients)
        missed, twice = len((before & fleet()) - listed.keys()), sum(count > 1 for count in listed.values())
        figures = {"error": 0, "whole": int(complete), "missed": missed, "twice": twice}
    wrong = figures["whole"] and (figures["missed"] or figures["twice"])
    print(json.dumps({**figures, "wrong": int(bool(wrong)), "query": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
