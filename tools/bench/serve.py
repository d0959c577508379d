"""The emulated service of a benchmark, in a process of its own.

    python -m tools.bench.serve '{"count": 10000, "latency": 0.1}'

The argument names the number of clients in each of the regions (one if `regions` is not given), and the emulator's
behaviour. Nine clients in ten match the selections of list_worker.py. Prints the environment in which any program finds
the service; then, for each line on its input, the requests since the last one. Ends with its input.
"""

import json
import sys

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.protocol.endpoints import REGIONS


def main() -> None:
    """Serve until the input ends."""
    behaviour = json.loads(sys.argv[1])
    rows = list(emulator.new_rows(behaviour.pop("count")))
    for row in rows[: len(rows) * 9 // 10]:
        row["Tags"], row["Hostname"] = [{"Key": "bench", "Value": "yes"}], "bench"
    regions = REGIONS[: behaviour.pop("regions", 1)]
    backends = {("bench", region): emulator.Backend(rows, **behaviour) for region in regions}
    for client in (client for backend in backends.values() for client in backend.members):
        client.encoded(0)  # first pages cost no more than later ones
    with emulator.serve(emulator.Cloud(backends)) as running:
        print(json.dumps(dict(running.environment)), flush=True)
        for _ in sys.stdin:
            log = [record for backend in backends.values() for record in backend.log]
            throttled = sum(record.code.startswith("Throttling") for record in log)
            print(json.dumps({"requests": len(log), "throttled": throttled}), flush=True)
            for backend in backends.values():
                backend.clear_log()


if __name__ == "__main__":
    main()
