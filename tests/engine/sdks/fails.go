// A gate that cannot pass, and another one behind it.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	hbr "pulumi-hbr-clients/sdk/go/hbrclients"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		all, err := hbr.NewActivationGate(ctx, "all-of-them", &hbr.ActivationGateArgs{
			ClientType: pulumi.String("ECS_CLIENT"),
		})
		if err != nil {
			return err
		}
		_, err = hbr.NewActivationGate(ctx, "behind", &hbr.ActivationGateArgs{
			ClientType:  pulumi.String("ECS_CLIENT"),
			InstanceIds: pulumi.StringArray{},
		}, pulumi.DependsOn([]pulumi.Resource{all}))
		return err
	})
}
