// The clients of production; and new instances whose clients are waited for.
//
// The SDK is made once: `pulumi package add hbr-clients` in this folder puts it into sdks/.

import * as pulumi from "@pulumi/pulumi";
import * as hbr from "pulumi-hbr-clients";

const production = hbr.getBackupClientsOutput({
    clientType: "ECS_CLIENT",
    tags: { env: "prod" },
});

export const clients = production.clients;
export const countsByStatus = production.countsByStatus;

const instanceIds = new pulumi.Config().requireObject<string[]>("instanceIds");

const backedUp = new hbr.ActivationGate("backed-up", {
    clientType: "ECS_CLIENT",
    instanceIds: instanceIds,
    timeout: "15m",
    maxHeartbeatAge: "10m",
});

export const clientIds = backedUp.ids;

// What depends on the gate waits for it: this is asked when all of them are activated.
const atLast = hbr.getBackupClientsOutput({ clientType: "ECS_CLIENT", instanceIds }, { dependsOn: [backedUp] });

export const countsBehindTheGate = atLast.countsByStatus;
