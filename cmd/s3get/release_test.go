package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// go install ./cmd/s3get works in a clone, and go install PATH@VERSION once the modules are tagged. The test installs s3get
// and s3fleet outside the workspace, from a module proxy that has this checkout as the versions that go.mod asks for. All
// other modules come from this machine's cache.
func TestInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles everything anew the first time")
	}
	clone := exec.Command("go", "build", "-o", t.TempDir(), "./cmd/s3get", "./fleet/cmd/s3fleet")
	clone.Dir = filepath.Join("..", "..")
	output(t, clone)

	const library, version = "github.com/s3processpool/processpool", "v0.1.0"
	proxy, temp := t.TempDir(), t.TempDir()
	publish(t, proxy, filepath.Join("..", ".."), module.Version{Path: library, Version: version})
	publish(t, proxy, ".", module.Version{Path: library + "/cmd/s3get", Version: version})
	publish(t, proxy, filepath.Join("..", "..", "fleet"), module.Version{Path: library + "/fleet", Version: version})

	cache := strings.TrimSpace(output(t, exec.Command("go", "env", "GOMODCACHE")))
	others := strings.TrimSpace(output(t, exec.Command("go", "env", "GOPROXY")))
	for _, tool := range []string{"/cmd/s3get", "/fleet/cmd/s3fleet"} {
		install := exec.Command("go", "install", "-trimpath", library+tool+"@"+version)
		install.Dir = temp // in no module and no workspace
		install.Env = append(os.Environ(),
			"GOPROXY="+fileURL(proxy)+","+fileURL(filepath.Join(cache, "cache", "download"))+","+others,
			"GOMODCACHE="+filepath.Join(temp, "mod"), "GOFLAGS=-modcacherw", "GOSUMDB=off", "GOWORK=", "GO111MODULE=",
			"GOBIN="+temp, "GOTOOLCHAIN=local", "CGO_ENABLED=0")
		output(t, install)
	}

	wantText(t, "s3fleet", output(t, exec.Command(filepath.Join(temp, "s3fleet"), "--help")), "s3fleet plan s3://")
	got := output(t, exec.Command(filepath.Join(temp, "s3get"), "version"))
	wantText(t, "version", got, "s3get "+version+", processpool "+version+", go1.")
}

// publish adds a module to a directory that is a module proxy
// (https://go.dev/ref/mod#goproxy-protocol).
func publish(t *testing.T, proxy, dir string, m module.Version) {
	t.Helper()
	to := filepath.Join(proxy, filepath.FromSlash(m.Path), "@v")
	if err := os.MkdirAll(to, 0o777); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains("\n"+string(mod), "\nreplace") {
		t.Errorf("%s: go.mod has a replace, which go install refuses", m.Path)
	}
	write(t, filepath.Join(to, m.Version+".mod"), string(mod))
	write(t, filepath.Join(to, m.Version+".info"), fmt.Sprintf(`{"Version":%q,"Time":"2026-01-02T03:04:05Z"}`, m.Version))
	write(t, filepath.Join(to, "list"), m.Version+"\n")
	archive, err := os.Create(filepath.Join(to, m.Version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if err := zip.CreateFromDir(archive, m, dir); err != nil {
		t.Fatal(err)
	}
}

func fileURL(dir string) string { return "file://" + filepath.ToSlash(dir) }

// output returns the standard output of a command that must succeed.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, &stderr)
	}
	return string(out)
}
