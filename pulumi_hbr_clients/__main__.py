"""The provider, as Pulumi's Python host starts it from a folder with PulumiPlugin.yaml.

`pulumi.run.plugin` would host any component among our names; it finds none because names load on first use.
"""

from pulumi_hbr_clients.plugin import main

main()
