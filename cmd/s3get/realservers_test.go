//go:build realservers && linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The commands against S3 servers of other projects, which .ci/servers installs:
//
//	go test -tags realservers -run RealServers
func TestRealServers(t *testing.T) {
	for name, args := range map[string]func(dir, address string) []string{
		"versitygw": func(dir, address string) []string {
			return []string{"--port", address, "--access", "AKIDEXAMPLE", "--secret", "anysecret", "--quiet", "--keep-alive", "posix", dir}
		},
		"minio": func(dir, address string) []string { return []string{"server", "--address", address, dir} },
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			t.Setenv("AWS_SECRET_ACCESS_KEY", "anysecret")
			endpoint, client := startServer(t, name, args)
			try(t, endpoint, client)
		})
	}
}

// startServer starts a server, which is killed at the end of the test, and creates a bucket.
func startServer(t *testing.T, name string, args func(dir, address string) []string) (endpoint string, client *s3.Client) {
	t.Helper()
	servers := os.Getenv("PROCESSPOOL_SERVERS")
	if servers == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		servers = filepath.Join(cache, "processpool", "servers")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	cmd := exec.Command(filepath.Join(servers, name), args(t.TempDir(), address)...)
	cmd.Env = []string{"HOME=" + t.TempDir(), "MINIO_ROOT_USER=AKIDEXAMPLE", "MINIO_ROOT_PASSWORD=anysecret", "MINIO_BROWSER=off", "MINIO_UPDATE=off"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run .ci/servers first", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, &log)
		}
	})

	a := newArguments()
	a.endpoint = "http://" + address
	cfg, err := a.awsConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.DisableKeepAlives = true })
	client = s3.NewFromConfig(cfg, a.clientOptions)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("s3get")}, func(o *s3.Options) { o.RetryMaxAttempts = 1 })
		if err == nil {
			return a.endpoint, client
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%s was not ready: %v", name, err)
		}
	}
}

// try runs the main commands.
func try(t *testing.T, endpoint string, client *s3.Client) {
	put := func(key string, data []byte) {
		t.Helper()
		if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String("s3get"), Key: &key, Body: bytes.NewReader(data), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		}); err != nil {
			t.Fatal(err)
		}
	}
	s3get := func(status int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		got := run(t.Context(), slices.Concat(args[:1], []string{"--endpoint", endpoint}, args[1:]), &stdout, &stderr)
		if got != status {
			t.Errorf("%q: got status %d, want %d: %s", args, got, status, &stderr)
		}
		return stdout.String() + stderr.String()
	}
	large := s3test.PatternBytes(1, 20<<20+3)
	put("p/large", large)
	for i := range 5 {
		put(fmt.Sprintf("p/d %d/+ü.txt", i), fmt.Append(nil, "object ", i))
	}
	dir, out := t.TempDir(), t.TempDir()
	wantText(t, "get", s3get(0, "get", "--verify", "required", "s3://s3get/p/large", filepath.Join(dir, "large")), "1 object, 20.0 MiB in ", "verified: 1 by ")
	wantContent(t, filepath.Join(dir, "large"), string(large))
	if got := s3get(0, "cat", "s3://s3get/p/large"); got != string(large) {
		t.Errorf("cat: got %d other bytes", len(got))
	}
	wantText(t, "sync", s3get(0, "sync", "s3://s3get/p/", out), "6 objects, ")
	wantText(t, "sync again", s3get(0, "sync", "s3://s3get/p/", out), "0 objects, ", "; 6 unchanged")
	put("p/d 0/+ü.txt", []byte("OBJECT 0"))
	write(t, filepath.Join(out, "extra"), "x")
	wantText(t, "sync --delete", s3get(0, "sync", "--delete", "s3://s3get/p/", out), "1 object, ", "; 5 unchanged", "; 1 file deleted")
	wantContent(t, filepath.Join(out, "d 0", "+ü.txt"), "OBJECT 0")
	s3get(0, "get", "s3://s3get/p/d ?/*.txt", "-d", filepath.Join(dir, "wild"))
	wantFiles(t, filepath.Join(dir, "wild"), "d 0/+ü.txt", "d 1/+ü.txt", "d 2/+ü.txt", "d 3/+ü.txt", "d 4/+ü.txt")
	s3get(0, "get", "--range", "5-9", "s3://s3get/p/large", filepath.Join(dir, "range"))
	wantContent(t, filepath.Join(dir, "range"), string(large[5:10]))

	wantText(t, "ls", s3get(0, "ls", "--total", "s3://s3get/p/"), " DIR p/d 0/\n", " 20971523 p/large\n", "1 object, 20971523\n")
	list := filepath.Join(dir, "list.jsonl")
	write(t, list, s3get(0, "ls", "--json", "--recursive", "s3://s3get/p/"))
	wantText(t, "run", s3get(0, "run", "--resume", list, "-d", filepath.Join(dir, "run")), "6 objects, ")
	wantText(t, "run again", s3get(0, "run", "--resume", list, "-d", filepath.Join(dir, "run")), "; 6 unchanged")
	wantText(t, "missing", s3get(1, "get", "s3://s3get/missing", filepath.Join(dir, "missing")), "s3get: s3://s3get/missing: there is no such object")
	wantText(t, "no bucket", s3get(1, "ls", "s3://no-such-bucket/"), "no such bucket")
	if text := s3get(1, "get", "--checksum", "sha256:"+strings.Repeat("0", 64), "s3://s3get/p/large", filepath.Join(dir, "wrong")); !strings.Contains(text, "checksum") {
		t.Errorf("got %q", text)
	}
}
