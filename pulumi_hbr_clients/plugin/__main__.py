"""`python -m pulumi_hbr_clients.plugin`: what an installed plugin starts."""

from pulumi_hbr_clients.plugin import main

main()
