package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The command line and the environment of a worker contain no secrets.
func TestSecretsAreNotVisible(t *testing.T) {
	leak.Check(t)
	const secret, token = "this-is-the-secret", "this-is-the-token"
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_SECRET_KEY", secret)
	t.Setenv("AWS_SESSION_TOKEN", token)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.SetCredentials("AKIDEXAMPLE", secret, token)
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	d := harness.NewDownloader(t, origin) // with the credentials of the origin
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "HEAD")
	workers := harness.Children(t, os.Getpid())
	if len(workers) == 0 {
		t.Error("there are no workers to look at")
	}
	for _, pid := range workers {
		for _, name := range []string{"environ", "cmdline"} {
			p, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
			if errors.Is(err, os.ErrNotExist) {
				continue // lost and replaced
			}
			if err != nil || bytes.Contains(p, []byte(secret)) || bytes.Contains(p, []byte(token)) {
				t.Errorf("%s of a worker: got %q, %v", name, p, err)
			}
		}
	}
	close(gate)
	if err := harness.Result(t, f); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "file")
}
