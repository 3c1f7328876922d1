package client

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// installable maps the tools that Install can build to their modules, whose root is the program.
var installable = map[string]struct{ module, version string }{
	"rclone": {"github.com/rclone/rclone", "v1.76.0"},
	"s5cmd":  {"github.com/peak/s5cmd/v2", "v2.3.0"},
}

// Installable returns the names of the tools that Install can build.
func Installable() string {
	return strings.Join(slices.Sorted(maps.Keys(installable)), ", ")
}

// Install builds a tool into the cache, unless it is already there. It makes a module that requires
// the tool's, because go install refuses a module with a replace.
func (k *Kit) Install(ctx context.Context, name string) error {
	tool, known := installable[name]
	if !known {
		return fmt.Errorf("cannot build %q: -build supports %s", name, Installable())
	}
	if _, err := os.Stat(filepath.Join(k.Cache, name)); err == nil {
		return nil
	}
	fmt.Fprintf(os.Stderr, "building %s %s (some minutes) ...\n", tool.module, tool.version)
	dir, err := os.MkdirTemp("", "processpool-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	mod := fmt.Sprintf("module build\n\ngo 1.26.0\n\nrequire %s %s\n", tool.module, tool.version)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
		return err
	}
	if err := os.MkdirAll(k.Cache, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-ldflags", "-s -w", "-o", filepath.Join(k.Cache, name), tool.module)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", tool.module, err, out)
	}
	return nil
}

// find returns the path of a tool: the one that Install has built, or else the one in PATH.
func (k *Kit) find(name string) (string, error) {
	if path, err := exec.LookPath(filepath.Join(k.Cache, name)); err == nil {
		return path, nil
	}
	return exec.LookPath(name)
}

// builtVersion returns the version of a tool that Install has built, or "".
func (k *Kit) builtVersion(name, path string) string {
	if tool, known := installable[name]; known && filepath.Dir(path) == k.Cache {
		return strings.TrimPrefix(tool.version, "v")
	}
	return ""
}
