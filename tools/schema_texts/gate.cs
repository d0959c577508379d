using System.Collections.Generic;
using Pulumi;
using Hbr = Pulumi.HbrClients;

return await Deployment.RunAsync(() =>
{
    var instanceIds = new Config().RequireObject<string[]>("instanceIds");

    var backedUp = new Hbr.ActivationGate("backed-up", new()
    {
        ClientType = "ECS_CLIENT",
        InstanceIds = instanceIds,
        Timeout = "15m",
        MaxHeartbeatAge = "10m",
    });

    return new Dictionary<string, object?> { ["clientIds"] = backedUp.Ids };
});
