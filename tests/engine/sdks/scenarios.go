package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	hbr "pulumi-hbr-clients/sdk/go/hbrclients"
)

// Two providers with a region each, everything that a look-up gives, and secrets.
func providers(ctx *pulumi.Context) error {
	for _, region := range []string{"cn-beijing", "cn-shanghai"} {
		provider, err := hbr.NewProvider(ctx, region, &hbr.ProviderArgs{
			Region:    pulumi.String(region),
			AccessKey: pulumi.String("FAKE-AK-ID-EMULATOR"),
			SecretKey: pulumi.String("FAKE-AK-SECRET-EMULATOR"),
		})
		if err != nil {
			return err
		}
		found := hbr.GetBackupClientsOutput(ctx, hbr.GetBackupClientsOutputArgs{
			ClientType: pulumi.String(hbr.ClientTypeEcsClient),
		}, pulumi.Provider(provider))
		ctx.Export(region, found)
	}
	withPasswords := hbr.GetBackupClientsOutput(ctx, hbr.GetBackupClientsOutputArgs{
		ClientType:            pulumi.String("ECS_CLIENT"),
		IncludeProxyPasswords: pulumi.Bool(true),
	})
	ctx.Export("passwords", withPasswords.ProxyPasswords())
	return nil
}

// A gate that cannot pass, and another one behind it.
func fails(ctx *pulumi.Context) error {
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
}
