"""`python -m pulumi_hbr_clients.cli`, where the command itself is not on PATH."""

from pulumi_hbr_clients.cli import main

main()
