"""The emulated service of a bench, in a process of its own, so that its work is nobody's figure.

    fleet.py '{"count": 10000, "latency": 0.1}'

Argument: how many clients, and the conditions of `emulator.World`. Says a JSON object a line: first the environment
with which any program finds it; then, for each line that it is told, what it saw since the last one. Ends with its
input.
"""

import json
import sys

from pulumi_hbr_clients import emulator


def main() -> None:
    """Serve until nobody listens."""
    conditions = json.loads(sys.argv[1])
    backend = emulator.Backend(emulator.new_rows(conditions.pop("count")), **conditions)
    with emulator.serve(backend) as running:
        print(json.dumps(dict(running.environment)), flush=True)
        for _ in sys.stdin:
            print(json.dumps(seen(backend)), flush=True)
            backend.clear_log()


def seen(backend: emulator.Backend) -> dict[str, int]:
    """How many requests there were, and how many of them were throttled."""
    throttled = sum(record.code.startswith("Throttling") for record in backend.log)
    return {"requests": backend.requests, "throttled": throttled}


if __name__ == "__main__":
    main()
