package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/manual"
)

// man/s3get.1 is made of what --help prints.
func TestManPage(t *testing.T) {
	leak.Check(t)
	var b strings.Builder
	b.WriteString(".\\\" Generated from s3get --help: go test -run ManPage -update\n.TH S3GET 1\n.SH NAME\ns3get \\- download S3 objects with a pool of worker processes\n")
	manual.Section(&b, "SYNOPSIS AND COMMON FLAGS", helpOf(t))
	for _, name := range []string{"get", "sync", "run", "ls", "cat", "clean", "version", "completion"} {
		if name == "get" {
			continue // its flags are those without a command
		}
		manual.Section(&b, "s3get "+name, helpOf(t, name))
	}
	b.WriteString(".SH SEE ALSO\nThe README of s3get has the events of \\-\\-json and the file of defaults.\n")
	wantGenerated(t, "man/s3get.1", []byte(b.String()))
}

func helpOf(t *testing.T, command ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), append(command, "--help"), &stdout, &stderr); status != 0 {
		t.Fatalf("%q: got status %d, %q", command, status, &stderr)
	}
	return stdout.String()
}
