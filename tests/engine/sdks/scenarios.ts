import * as hbr from "pulumi-hbr-clients";

// Two providers with a region each, everything that a look-up gives, and secrets.
export async function providers(): Promise<Record<string, unknown>> {
    const found = ["cn-beijing", "cn-shanghai"].map((region) => {
        const keys = { accessKey: "FAKE-AK-ID-EMULATOR", secretKey: "FAKE-AK-SECRET-EMULATOR" };
        const provider = new hbr.Provider(region, { region, ...keys });
        const clientType = hbr.types.enums.ClientType.EcsClient;
        return [region, hbr.getBackupClientsOutput({ clientType }, { provider })];
    });
    const withPasswords = hbr.getBackupClientsOutput({ clientType: "ECS_CLIENT", includeProxyPasswords: true });
    return { ...Object.fromEntries(found), passwords: withPasswords.proxyPasswords };
}

// A gate that cannot pass, and another one behind it.
export async function fails(): Promise<void> {
    const all = new hbr.ActivationGate("all-of-them", { clientType: "ECS_CLIENT" });
    new hbr.ActivationGate("behind", { clientType: "ECS_CLIENT", instanceIds: [] }, { dependsOn: [all] });
}
