"""What it looks like when a client cannot be activated; nothing behind the gate is created.

error: before hook "hbr-clients:ActivationGate" failed: 2 of 12 backup clients will not be activated by waiting:
  c-4d5d77d7ea9c38581821 (i-b9c66a8430d6c67d6004): DEACTIVATED since …. Its activation failed or has expired: …
  c-641ba09407db840e0c08 (i-a472d094b6521ee568f2): INSTALL_FAILED since …. Check Cloud Assistant and that …
"""

import pulumi

from pulumi_hbr_clients import ActivationGate

gate = ActivationGate("all-of-them", client_type="ECS_CLIENT", timeout="5m")

pulumi.export("backedUp", gate.instance_ids)
