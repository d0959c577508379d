// The clients of production; and new instances whose clients are waited for.
//
// The SDK is made once: `pulumi package add hbr-clients` in this folder puts it into sdks/.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
	hbr "pulumi-hbr-clients/sdk/go/hbrclients"
)

func main() {
	pulumi.Run(program)
}

func program(ctx *pulumi.Context) error {
	production := hbr.GetBackupClientsOutput(ctx, hbr.GetBackupClientsOutputArgs{
		ClientType: pulumi.String("ECS_CLIENT"),
		Tags:       pulumi.StringMap{"env": pulumi.String("prod")},
	})
	ctx.Export("clients", production.Clients())
	ctx.Export("countsByStatus", production.CountsByStatus())

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

	// What depends on the gate waits for it: this is asked when all of them are activated.
	atLast := hbr.GetBackupClientsOutput(ctx, hbr.GetBackupClientsOutputArgs{
		ClientType:  pulumi.String("ECS_CLIENT"),
		InstanceIds: pulumi.ToStringArray(instanceIds),
	}, pulumi.DependsOn([]pulumi.Resource{backedUp}))
	ctx.Export("countsBehindTheGate", atLast.CountsByStatus())
	return nil
}
