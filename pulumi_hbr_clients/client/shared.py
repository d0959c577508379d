"""What all clients of one process share: the rate of requests, TLS contexts, and equal queries under way."""

import ssl
from collections.abc import Hashable
from typing import Final

from pulumi_hbr_clients.client.single_flight import SingleFlight
from pulumi_hbr_clients.protocol.rate_limiter import RateLimiter


class Shared:
    """Owns the registries. `PROCESS` is the one of this process."""

    def __init__(self) -> None:
        """Start empty."""
        self.flights = SingleFlight()
        self.tls_contexts: dict[Hashable, ssl.SSLContext] = {}
        """By the certificate authorities they trust: one takes 20 ms to load."""
        self._limiters: dict[object, RateLimiter] = {}

    def rate_limiter(self, *key: object) -> RateLimiter:
        """The limiter of one account and region. None is ever dropped: that would fork an account's limit."""
        return self._limiters.setdefault(key, RateLimiter())


PROCESS: Final = Shared()
