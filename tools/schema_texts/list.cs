using System.Collections.Generic;
using Pulumi;
using Hbr = Pulumi.HbrClients;

return await Deployment.RunAsync(() =>
{
    var production = Hbr.GetBackupClients.Invoke(new()
    {
        ClientType = "ECS_CLIENT",
        Tags = { { "env", "prod" } },
    });

    return new Dictionary<string, object?>
    {
        ["clients"] = production.Apply(found => found.Clients),
        ["countsByStatus"] = production.Apply(found => found.CountsByStatus),
    };
});
