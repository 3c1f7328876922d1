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

// Kit finds, builds and configures the programs.
type Kit struct {
	Bin   string // folder of the programs of cmd/, which Build builds
	Work  string // working directory of the programs, also for files that they need
	Cache string // folder of the programs that Install builds; searched after PATH

	python string // path of python3; "": not yet known
}

// Build builds the programs of cmd/, s3get and s3fleet. The working directory must be the folder of the
// module.
func (k *Kit) Build(ctx context.Context) error {
	for _, dir := range []string{k.Bin, k.Work} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for dir, packages := range map[string]string{".": "./cmd/...", "../cmd/s3get": ".", "../fleet": "./cmd/s3fleet"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", k.Bin+string(filepath.Separator), packages)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build the clients (bench must run in its own folder): %w\n%s", err, out)
		}
	}
	return nil
}

// environ returns the environment of all programs: that of this process, without the variables that
// select another server or configure Go's runtime, and with credentials.
func (k *Kit) environ(t task.Task) ([]string, error) {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		upper := strings.ToUpper(name)
		switch {
		case strings.HasPrefix(upper, "AWS_"), strings.HasPrefix(upper, "RCLONE_"), strings.HasSuffix(upper, "_PROXY"):
		case strings.HasPrefix(upper, "S3GET_"), upper == "S3_ENDPOINT_URL":
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
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+config, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"S3GET_CONFIG="+os.DevNull)
	if t.CA != "" {
		env = append(env, "AWS_CA_BUNDLE="+t.CA)
	}
	return env, err
}
