// What tests/engine/test_sdks.py puts beside an example's main.go: runs programs through Go's Automation API.
//
//	driver VERB PROGRAM FOLDER CONFIG
//
// FOLDER holds a Pulumi.yaml, CONFIG is JSON: path → value. All that the engine says goes to stdout.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var programs = map[string]pulumi.RunFunc{
	"example":   program, // of main.go, whose main never runs: this does, before it
	"providers": providers,
	"fails":     fails,
}

func init() {
	if err := drive(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		os.Exit(1) // what happened, the engine has said
	}
	os.Exit(0)
}

func drive(verb, name, folder, config string) error {
	ctx := context.Background()
	stack, err := prepared(ctx, name, folder, config)
	if err != nil {
		fmt.Println(err)
		return err
	}
	if verb == "preview" {
		_, err = stack.Preview(ctx, optpreview.Color("never"),
			optpreview.ProgressStreams(os.Stdout), optpreview.ErrorProgressStreams(os.Stdout))
	} else {
		_, err = stack.Up(ctx, optup.Color("never"),
			optup.ProgressStreams(os.Stdout), optup.ErrorProgressStreams(os.Stdout))
	}
	return err
}

func prepared(ctx context.Context, name, folder, config string) (auto.Stack, error) {
	var values map[string]string
	if err := json.Unmarshal([]byte(config), &values); err != nil {
		return auto.Stack{}, err
	}
	stack, err := auto.UpsertStackInlineSource(ctx, "dev", "", programs[name], auto.WorkDir(folder))
	if err != nil {
		return stack, err
	}
	settings := auto.ConfigMap{}
	for path, value := range values {
		settings[path] = auto.ConfigValue{Value: value}
	}
	return stack, stack.SetAllConfigWithOptions(ctx, settings, &auto.ConfigOptions{Path: true})
}
