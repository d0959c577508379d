// Makes SDKs of a package schema, as `pulumi package add` makes them, without the language hosts that it needs.
//
//	main SCHEMA VERSION FOLDER  →  FOLDER/nodejs, FOLDER/go
//
// It has no module of its own: generate.py builds it inside tools/go/engine's, so the generators are those of the engine
// that the tests run on, and one list of versions serves both.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// The comment at the top of every file that is made.
const tool = "tools/sdks/generate.py"

func main() {
	if len(os.Args) != 4 {
		fail("usage: main SCHEMA VERSION FOLDER")
	}
	if err := generate(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fail(err)
	}
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}

func generate(path, version, folder string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	makers := map[string]func(*schema.Package) (map[string][]byte, error){
		"nodejs": func(pkg *schema.Package) (map[string][]byte, error) {
			return nodejs.GeneratePackage(tool, pkg, nil, nil, true, nil)
		},
		"go": func(pkg *schema.Package) (map[string][]byte, error) {
			return golang.GeneratePackage(tool, pkg, nil)
		},
	}
	for language, maker := range makers {
		pkg, err := bind(raw, version) // anew for each: a generator leaves its marks on the package
		if err != nil {
			return err
		}
		files, err := maker(pkg)
		if err != nil {
			return fmt.Errorf("%s: %w", language, err)
		}
		if err := write(filepath.Join(folder, language), files); err != nil {
			return err
		}
	}
	return nil
}

func bind(raw []byte, version string) (*schema.Package, error) {
	var spec schema.PackageSpec
	if err := json.Unmarshal(raw, &spec); err != nil {
		return nil, err
	}
	spec.Version = version
	pkg, complaints, err := schema.BindSpec(spec, schema.NewPluginLoader(nil), schema.ValidationOptions{})
	if err != nil {
		return nil, err
	}
	if len(complaints) > 0 { // warnings too: there shall be none
		return nil, complaints
	}
	// "We _always_ want SupportPack turned on for `package add`": pkg/v3, cmd/pulumi/packages/packages.go
	pkg.SupportPack = true
	return pkg, nil
}

func write(folder string, files map[string][]byte) error {
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
