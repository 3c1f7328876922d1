package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/processpooltest"
)

func TestRun(t *testing.T) {
	server, dir := processpooltest.NewServer(t), t.TempDir()
	var keys strings.Builder
	for i := range 300 {
		key := fmt.Sprintf("d%d/%d", i%3, i)
		server.Put("b", key, []byte(key))
		fmt.Fprintln(&keys, key)
	}
	keys.WriteString("missing\n../up\n")
	server.Put("b", "../up", []byte("x"))

	var out bytes.Buffer
	err := run(t.Context(), server.Config(), "b", filepath.Join(dir, "out"), strings.NewReader(keys.String()), &out)
	if err == nil || !strings.HasSuffix(out.String(), "300 complete, 2 failed\n") {
		t.Errorf("got %v, %s", err, &out)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "out", "d2", "299")); err != nil || string(got) != "d2/299" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "up")); err == nil {
		t.Error("a key has led out of the directory")
	}
}
