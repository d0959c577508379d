import * as pulumi from "@pulumi/pulumi";
import * as hbr from "pulumi-hbr-clients";

const instanceIds = new pulumi.Config().requireObject<string[]>("instanceIds");

const backedUp = new hbr.ActivationGate("backed-up", {
    clientType: "ECS_CLIENT",
    instanceIds: instanceIds,
    timeout: "15m",
    maxHeartbeatAge: "10m",
});

export const clientIds = backedUp.ids;
