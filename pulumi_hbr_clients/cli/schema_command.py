"""`hbr-clients schema`: the Pulumi package schema as JSON on stdout."""

import click

from pulumi_hbr_clients.plugin.schema import text


@click.command("schema")
def command() -> None:
    """Print the Pulumi package schema, from which Pulumi generates SDKs.

    It is generated from the models that also validate queries.
    """
    click.echo(text(), nl=False)
