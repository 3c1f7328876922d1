//go:build realservers && linux

// Package realservers tests downloads from S3 servers of other projects, versitygw and MinIO, on
// loopback. .ci/servers installs them.
//
//	go test -tags realservers ./internal/test/realservers
package realservers

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/test/leak"
)

// bucket exists on every server after its start.
const bucket = "realservers"

// server is a running S3 server with an empty bucket.
type server struct {
	*product
	url    string
	caPEM  []byte // nil: plain HTTP
	pid    int
	client *s3.Client // for uploads
}

// scheme is the URL scheme of a server.
type scheme string

const (
	plain  scheme = "http"
	secure scheme = "https"
)

// each runs a test with every server and every one of the schemes.
func each(t *testing.T, run func(*testing.T, *server), schemes ...scheme) {
	for _, p := range products {
		for _, scheme := range schemes {
			t.Run(p.name+"/"+string(scheme), func(t *testing.T) {
				leak.Check(t)
				run(t, start(t, p, scheme))
			})
		}
	}
}

// startTimeout is long enough for a heavily loaded machine.
const startTimeout = time.Minute

// start starts a server, which is killed and reaped at the end of the test.
func start(t *testing.T, p *product, scheme scheme) *server {
	t.Helper()
	dir := t.TempDir()
	p.needs(t, dir)
	address := freeAddress(t)
	s := &server{product: p, url: string(scheme) + "://" + address}
	if scheme == secure {
		s.caPEM = writeCertificate(t, filepath.Join(dir, certificates))
	}
	s.client = newClient(s)

	output, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd := p.command(p.binary(t), dir, address, scheme)
	cmd.Stdout, cmd.Stderr = output, output
	// Cleanups do not run if the timeout of go test ends this process.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.pid = cmd.Process.Pid
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-exited
		if text, err := os.ReadFile(output.Name()); err == nil && t.Failed() {
			t.Logf("output of %s:\n%s", p.name, text)
		}
	})
	s.await(t, exited)
	return s
}

// await waits until the server has created the bucket.
func (s *server) await(t *testing.T, exited <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		_, err := s.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)}, once)
		if err == nil {
			return
		}
		select {
		case <-exited:
			t.Fatalf("%s ended before it was ready: %v", s.name, err)
		case <-ctx.Done():
			t.Fatalf("%s was not ready within %v: %v", s.name, startTimeout, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func once(o *s3.Options) { o.RetryMaxAttempts = 1 }

// freeAddress returns a loopback address on which no process listens at the time of the call.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// command returns the command of a server. Its environment contains PATH, a HOME in the folder of
// the test, and env, so that the settings of a developer do not affect the server.
func command(dir, binary string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}
