//go:build realservers && linux

package realservers

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// The account that every server has.
const (
	accessKey = "AKIDREALSERVERS"
	secretKey = "secret-of-the-real-servers"
)

// Subfolders of the folder with the state of a server.
const (
	data         = "data"
	versions     = "versions"
	certificates = "certificates"
)

// product is an S3 server that can be started.
type product struct {
	name   string // of the binary
	xattrs bool   // the server stores metadata in extended attributes
	// command returns the command that starts the server with its state in dir.
	command func(binary, dir, address string, scheme scheme) *exec.Cmd
}

var products = []*product{versitygw, minio}

var versitygw = &product{
	name:   "versitygw",
	xattrs: true,
	command: func(binary, dir, address string, scheme scheme) *exec.Cmd {
		args := []string{"--port", address, "--access", accessKey, "--secret", secretKey, "--quiet",
			"--keep-alive"} // without it the server closes the connection after each response
		if scheme == secure {
			args = append(args, "--cert", filepath.Join(dir, certificates, certificateFile), "--key", filepath.Join(dir, certificates, keyFile))
		}
		args = append(args, "posix", "--versioning-dir", filepath.Join(dir, versions), filepath.Join(dir, data))
		return command(dir, binary, nil, args...)
	},
}

var minio = &product{
	name: "minio",
	command: func(binary, dir, address string, scheme scheme) *exec.Cmd {
		env := []string{"MINIO_ROOT_USER=" + accessKey, "MINIO_ROOT_PASSWORD=" + secretKey,
			"MINIO_BROWSER=off", "MINIO_UPDATE=off"} // do not look for a newer release
		args := []string{"server", "--address", address}
		if scheme == secure {
			args = append(args, "--certs-dir", filepath.Join(dir, certificates))
		}
		return command(dir, binary, env, append(args, filepath.Join(dir, data))...)
	},
}

// binary returns the path of the server that .ci/servers has installed.
func (p *product) binary(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("PROCESSPOOL_SERVERS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "processpool", "servers")
	}
	name := filepath.Join(dir, p.name)
	if _, err := os.Stat(name); err != nil {
		t.Fatalf("%v: run .ci/servers first", err)
	}
	return name
}

// needs creates the folders for the state of the server. It skips the test if the file system is
// not suitable.
func (p *product) needs(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{data, versions} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if !p.xattrs {
		return
	}
	switch err := unix.Setxattr(dir, "user.processpool", []byte("any"), 0); {
	case err == nil:
	case errors.Is(err, unix.ENOTSUP) && os.Getenv("CI") != "true":
		t.Skipf("%s needs extended attributes, which the file system of %s does not support: set TMPDIR to a folder on another one", p.name, dir)
	default:
		t.Fatalf("%s needs extended attributes in %s: %v", p.name, dir, err)
	}
}
