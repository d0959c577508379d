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
