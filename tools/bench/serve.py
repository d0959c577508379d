"""The emulated service of a benchmark, in a process of its own.

    python -m tools.bench.serve '{"count": 10000, "latency": 0.1}'

The argument names the number of clients and the emulator's behaviour. Nine clients in ten match the selections of
list_worker.py. Prints the environment in which any program finds the service; then, for each line on its input, the
requests since the last one. Ends with its input.
"""

import json
import sys

from pulumi_hbr_clients import emulator


def main() -> None:
    """Serve until the input ends."""
    behaviour = json.loads(sys.argv[1])
    rows = list(emulator.new_rows(behaviour.pop("count")))
    for row in rows[: len(rows) * 9 // 10]:
        row["Tags"], row["Hostname"] = [{"Key": "bench", "Value": "yes"}], "bench"
    backend = emulator.Backend(rows, **behaviour)
    with emulator.serve(backend) as running:
        print(json.dumps(dict(running.environment)), flush=True)
        for _ in sys.stdin:
            throttled = sum(record.code.startswith("Throttling") for record in backend.log)
            print(json.dumps({"requests": backend.requests, "throttled": throttled}), flush=True)
            backend.clear_log()


if __name__ == "__main__":
    main()
