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
