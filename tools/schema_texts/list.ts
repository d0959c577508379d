import * as hbr from "pulumi-hbr-clients";

const production = hbr.getBackupClientsOutput({
    clientType: "ECS_CLIENT",
    tags: { env: "prod" },
});

export const clients = production.clients;
export const countsByStatus = production.countsByStatus;
