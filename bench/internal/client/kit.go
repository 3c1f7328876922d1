package client

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/s3processpool/processpool/bench/internal/task"
)

// Kit is where the programs are.
type Kit struct {
	Bin   string // of cmd/, as Build has built them
	Work  string // a folder for files that programs need, and their working directory
	Cache string // programs that Install has built; searched after PATH

	python string // "" if there is none with s3transfer
}

// Build builds the programs of cmd/. The working directory must be the module's.
func (k *Kit) Build(ctx context.Context) error {
	for _, dir := range []string{k.Bin, k.Work} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", k.Bin+string(filepath.Separator), "./cmd/...")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the clients, which must be done in the folder of bench: %w\n%s", err, out)
	}
	return nil
}

// installable are tools that are Go modules.
var installable = map[string]string{
	"rclone": "github.com/rclone/rclone@v1.76.0",
}

// Install builds a tool into the cache unless it is there or on PATH.
func (k *Kit) Install(ctx context.Context, name string) error {
	module, known := installable[name]
	if !known {
		return fmt.Errorf("do not know how to build %q", name)
	}
	if _, err := k.find(name); err == nil {
		return nil
	}
	fmt.Fprintf(os.Stderr, "building %s; this takes some minutes\n", module)
	cmd := exec.CommandContext(ctx, "go", "install", "-ldflags", "-s -w", module)
	cmd.Env = append(os.Environ(), "GOBIN="+k.Cache)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", module, err, out)
	}
	return nil
}

func (k *Kit) find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join(k.Cache, name))
}

// environ is the same for all programs: this one's, less what would lead them to another
// server or set Go's runtime, with some credentials.
func (k *Kit) environ(t task.Task) ([]string, error) {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		upper := strings.ToUpper(name)
		switch {
		case strings.HasPrefix(upper, "AWS_"), strings.HasPrefix(upper, "RCLONE_"), strings.HasSuffix(upper, "_PROXY"):
		case upper == "GOGC", upper == "GOMAXPROCS", upper == "GOMEMLIMIT", upper == "GODEBUG":
		default:
			env = append(env, entry)
		}
	}
	config := filepath.Join(k.Work, "aws-config")
	err := os.WriteFile(config, fmt.Appendf(nil, `[default]
region = us-east-1
s3 =
  addressing_style = path
  max_concurrent_requests = %d
  multipart_chunksize = %d
`, t.Workers, t.Chunk), 0o644)
	env = append(env,
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+config, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	if t.CA != "" {
		env = append(env, "AWS_CA_BUNDLE="+t.CA)
	}
	return env, err
}
