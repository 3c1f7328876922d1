package cli

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/manual"
)

var update = flag.Bool("update", false, "write the manual page anew")

// man/s3fleet.1 is made of what --help prints.
func TestManPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(".\\\" Generated from s3fleet --help: go test ./internal/cli -run ManPage -update\n" +
		".TH S3FLEET 1\n.SH NAME\ns3fleet \\- have many machines download one list of S3 objects\n")
	manual.Section(&b, "SYNOPSIS", said(t, "--help"))
	for _, name := range []string{"run", "plan", "work", "status", "dead", "serve", "remove"} {
		manual.Section(&b, "s3fleet "+name, said(t, name, "--help"))
	}
	name := filepath.Join("..", "..", "man", "s3fleet.1")
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil || string(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))) != b.String() {
		t.Errorf("%s is not up to date, %v: run go test ./internal/cli -update in fleet", name, err)
	}
}

func TestVersion(t *testing.T) {
	defer func(old string) { released = old }(released)
	released = "v1.2.3"
	if got := said(t, "--version"); !strings.HasPrefix(got, "s3fleet version v1.2.3, messages of version ") {
		t.Errorf("got %q", got)
	}
}

// said returns what a command line that succeeds prints.
func said(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := execute(newInterruption(context.Background()), args, nil, &stdout, &stderr); status != 0 {
		t.Fatalf("%q: got status %d, %q", args, status, &stderr)
	}
	return stdout.String()
}
