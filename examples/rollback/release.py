"""A stand-in for what deploys a release."""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult


class ReleaseProvider(ResourceProvider):
    """Does nothing but say that it did."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Deploy the release."""
        return CreateResult("release", props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Deploy another release."""
        return UpdateResult(news)


class Release(Resource):
    """The release that is served."""

    number: pulumi.Output[int]

    def __init__(self, name: str, number: int, opts: pulumi.ResourceOptions | None = None) -> None:
        """Take the number of the release."""
        super().__init__(ReleaseProvider(), name, {"number": number}, opts)
