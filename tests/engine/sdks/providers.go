// Two providers with a region each, everything that a look-up gives, and secrets.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	hbr "pulumi-hbr-clients/sdk/go/hbrclients"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		for name, region := range map[string]string{"beijing": "cn-beijing", "shanghai": "cn-shanghai"} {
			provider, err := hbr.NewProvider(ctx, region, &hbr.ProviderArgs{
				Region:    pulumi.String(region),
				AccessKey: pulumi.String("FAKE-AK-ID-EMULATOR"),
				SecretKey: pulumi.String("FAKE-AK-SECRET-EMULATOR"),
			})
			if err != nil {
				return err
			}
			ctx.Export(name, hbr.GetBackupClientsOutput(ctx, hbr.GetBackupClientsOutputArgs{
				ClientType: pulumi.String(hbr.ClientTypeEcsClient),
			}, pulumi.Provider(provider)))
		}
		withPasswords := hbr.GetBackupClientsOutput(ctx, hbr.GetBackupClientsOutputArgs{
			ClientType:            pulumi.String("ECS_CLIENT"),
			IncludeProxyPasswords: pulumi.Bool(true),
		})
		ctx.Export("passwords", withPasswords.ProxyPasswords())
		return nil
	})
}
