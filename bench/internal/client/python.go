package client

import (
	_ "embed"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/s3processpool/processpool/bench/internal/task"
)

//go:embed s3transfer.py
var script string

const originalName = "s3transfer processpool"

// S3Transfer returns the client that uses the original, Python's s3transfer.processpool.
func (k *Kit) S3Transfer() (Client, error) {
	c := Client{Name: originalName, Kind: Other}
	if !k.pythonHas("s3transfer", "boto3") {
		return c, errors.New("no python3 with s3transfer and boto3")
	}
	out, err := exec.Command(k.python, "-c", "import s3transfer; print(s3transfer.__version__)").Output()
	if err != nil {
		return c, err
	}
	c.Version = strings.TrimSpace(string(out))
	name := filepath.Join(k.Work, "s3transfer_client.py") // not s3transfer.py, which it imports
	c.args = func(t task.Task) ([]string, error) { return append([]string{k.python, name}, t.Args()...), nil }
	return c, os.WriteFile(name, []byte(script), 0o644)
}

// pythonHas reports whether python3 is installed and has the modules. It sets k.python to the path
// that Python itself reports, because the command in PATH may be a shell script that selects a
// version at every start.
func (k *Kit) pythonHas(modules ...string) bool {
	if k.python == "" {
		out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
		if err != nil {
			return false
		}
		k.python = strings.TrimSpace(string(out))
	}
	return exec.Command(k.python, "-c", "import "+strings.Join(modules, ", ")).Run() == nil
}
