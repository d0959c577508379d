// Two providers with a region each, everything that a look-up gives, and secrets.
import * as hbr from "pulumi-hbr-clients";

const found = ["cn-beijing", "cn-shanghai"].map((region) => {
    const keys = { accessKey: "FAKE-AK-ID-EMULATOR", secretKey: "FAKE-AK-SECRET-EMULATOR" };
    const provider = new hbr.Provider(region, { region, ...keys });
    const clientType = hbr.types.enums.ClientType.EcsClient;
    return hbr.getBackupClientsOutput({ clientType }, { provider });
});

export const beijing = found[0];
export const shanghai = found[1];
export const passwords = hbr.getBackupClientsOutput({
    clientType: "ECS_CLIENT",
    includeProxyPasswords: true,
}).proxyPasswords;
