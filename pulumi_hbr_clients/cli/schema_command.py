"""`hbr-clients schema`: the Pulumi package schema as JSON on stdout."""

from importlib.resources import files

import click


@click.command("schema")
def command() -> None:
    """Print the Pulumi package schema, from which Pulumi generates SDKs.

    It was generated from the models that also validate queries.
    """
    click.echo(files("pulumi_hbr_clients.plugin").joinpath("schema.json").read_text(), nl=False)
