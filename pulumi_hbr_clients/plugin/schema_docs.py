"""What people read of the function and the gate in the schema: what it does, and a program in each language.

The same programs stand in docs/, and tests hold the two together. Texts only: what an argument is, its model says.
"""

from collections.abc import Mapping
from typing import Final

LISTING_TEXT: Final = """\
Lists the backup clients that match, sorted by id. Every client is counted against the service's total, and a list
that moved while it was read is read again; `complete` is false if it never held still.

It runs in every preview and leaves nothing in state. What the service did not say of a client is absent. Proxy
passwords are given only with `includeProxyPasswords`, and then the whole result is a secret.

All arguments are checked before anything is sent, and all faults are told at once. Every value of a result costs the
engine time: 1,000 whole clients took it 0.7 s on two cores. Of a large fleet, ask for the `fields` that you need."""

GATE_TEXT: Final = """\
Holds back everything that depends on it, through `dependsOn` or its outputs, until the selected backup clients are
activated.

Asked by `clientIds` or `instanceIds`, every one of them must have a client that is ACTIVATED; asked by filters, at
least `minClients` must match and all that match must be ACTIVATED. An id list that is given and empty selects nothing
and passes. The gate fails at once, naming each client, on INSTALL_FAILED, DEACTIVATED, UNINSTALL_FAILED and
UPGRADE_FAILED, if it is not told to `tolerate` that; a client that is UNKNOWN (disconnected) has `unknownGrace` to
come back.

In a preview the gate looks once and never waits. In every later preview it looks again, and a selection that fell
behind shows as an update, which waits. Its outputs are the clients as it saw them when it passed, without their
heartbeats, which move by themselves."""

PROVIDER_TEXT: Final = """\
Where to ask, and who signs. The first that is set wins: what is given here or as Pulumi config `hbr-clients:<key>`, the
environment, the profile of the Alibaba CLI. Credentials are never put together from two of these."""

LANGUAGES: Final[Mapping[str, str]] = {
    "typescript": "TypeScript",
    "python": "Python",
    "go": "Go",
    "yaml": "YAML",
    "csharp": "C#",
    "java": "Java",
}
"""As Pulumi's documentation calls them: in a fence, and to people."""

LISTING: Final[Mapping[str, str]] = {
    "typescript": """\
import * as hbr from "pulumi-hbr-clients";

const production = hbr.getBackupClientsOutput({
    clientType: "ECS_CLIENT",
    tags: { env: "prod" },
});

export const clients = production.clients;
export const countsByStatus = production.countsByStatus;
""",
    "python": """\
import pulumi
import pulumi_hbr_clients as hbr

production = hbr.get_backup_clients_output(client_type="ECS_CLIENT", tags={"env": "prod"})

pulumi.export("clients", production.clients)
pulumi.export("countsByStatus", production.counts_by_status)
""",
    "go": """\
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	hbr "pulumi-hbr-clients/sdk/go/hbrclients"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		production := hbr.GetBackupClientsOutput(ctx, hbr.GetBackupClientsOutputArgs{
			ClientType: pulumi.String("ECS_CLIENT"),
			Tags:       pulumi.StringMap{"env": pulumi.String("prod")},
		})
		ctx.Export("clients", production.Clients())
		ctx.Export("countsByStatus", production.CountsByStatus())
		return nil
	})
}
""",
    "yaml": """\
name: production-clients
runtime: yaml
variables:
  production:
    fn::invoke:
      function: hbr-clients:index:getBackupClients
      arguments:
        clientType: ECS_CLIENT
        tags:
          env: prod
outputs:
  clients: ${production.clients}
  countsByStatus: ${production.countsByStatus}
""",
    "csharp": """\
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
""",
    "java": """\
package app;

import com.pulumi.Pulumi;
import com.pulumi.hbrclients.HbrclientsFunctions;
import com.pulumi.hbrclients.inputs.GetBackupClientsArgs;
import java.util.Map;

public class App {
    public static void main(String[] args) {
        Pulumi.run(ctx -> {
            var production = HbrclientsFunctions.getBackupClients(GetBackupClientsArgs.builder()
                .clientType("ECS_CLIENT")
                .tags(Map.of("env", "prod"))
                .build());

            ctx.export("clients", production.applyValue(found -> found.clients()));
            ctx.export("countsByStatus", production.applyValue(found -> found.countsByStatus()));
        });
    }
}
""",
}
"""The clients of production: the same function in each language."""

GATE: Final[Mapping[str, str]] = {
    "typescript": """\
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
""",
    "python": """\
import pulumi
import pulumi_hbr_clients as hbr

instance_ids = pulumi.Config().require_object("instanceIds")

backed_up = hbr.ActivationGate(
    "backed-up",
    client_type="ECS_CLIENT",
    instance_ids=instance_ids,
    timeout="15m",
    max_heartbeat_age="10m",
)

pulumi.export("clientIds", backed_up.ids)
""",
    "go": """\
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
	hbr "pulumi-hbr-clients/sdk/go/hbrclients"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		var instanceIds []string
		config.New(ctx, "").RequireObject("instanceIds", &instanceIds)

		backedUp, err := hbr.NewActivationGate(ctx, "backed-up", &hbr.ActivationGateArgs{
			ClientType:      pulumi.String("ECS_CLIENT"),
			InstanceIds:     pulumi.ToStringArray(instanceIds),
			Timeout:         pulumi.String("15m"),
			MaxHeartbeatAge: pulumi.String("10m"),
		})
		if err != nil {
			return err
		}
		ctx.Export("clientIds", backedUp.Ids)
		return nil
	})
}
""",
    "yaml": """\
name: backup-gate
runtime: yaml
config:
  instanceIds:
    type: array
    items:
      type: string
resources:
  backed-up:
    type: hbr-clients:index:ActivationGate
    properties:
      clientType: ECS_CLIENT
      instanceIds: ${instanceIds}
      timeout: 15m
      maxHeartbeatAge: 10m
outputs:
  clientIds: ${backed-up.ids}
""",
    "csharp": """\
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
""",
    "java": """\
package app;

import com.pulumi.Pulumi;
import com.pulumi.core.TypeShape;
import com.pulumi.hbrclients.ActivationGate;
import com.pulumi.hbrclients.ActivationGateArgs;
import java.util.List;

public class App {
    public static void main(String[] args) {
        Pulumi.run(ctx -> {
            List<String> instanceIds = ctx.config().requireObject("instanceIds", TypeShape.list(String.class));

            var backedUp = new ActivationGate("backed-up", ActivationGateArgs.builder()
                .clientType("ECS_CLIENT")
                .instanceIds(instanceIds)
                .timeout("15m")
                .maxHeartbeatAge("10m")
                .build());

            ctx.export("clientIds", backedUp.ids());
        });
    }
}
""",
}
"""New instances, and what waits for their clients."""


def described(text: str, title: str, programs: Mapping[str, str]) -> str:
    """A description whose example each SDK's documentation shows in its own language."""
    fences = "\n".join(f"```{language}\n{programs[language]}```" for language in LANGUAGES)
    example = f"{{{{% example %}}}}\n### {title}\n\n{fences}\n{{{{% /example %}}}}"
    return f"{text}\n\n{{{{% examples %}}}}\n## Example Usage\n\n{example}\n{{{{% /examples %}}}}\n"
