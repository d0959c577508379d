// A gate that cannot pass, and another one behind it.
import * as hbr from "pulumi-hbr-clients";

const all = new hbr.ActivationGate("all-of-them", { clientType: "ECS_CLIENT" });
new hbr.ActivationGate("behind", { clientType: "ECS_CLIENT", instanceIds: [] }, { dependsOn: [all] });
