//go:build realservers && linux

// Package realservers tests downloads from S3 servers that others wrote, versitygw and
// MinIO, on loopback. .ci/servers installs them.
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

// bucket is there when a server has started.
const bucket = "realservers"

// server is a running S3 server with an empty bucket.
type server struct {
	*product
	url    string
	caPEM  []byte // nil: plain HTTP
	pid    int
	client *s3.Client // to put objects there
}

// scheme is how a server is reached.
type scheme string

const (
	plain  scheme = "http"
	secure scheme = "https"
)

// each runs a test against every server, in every one of the schemes.
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

// startTimeout is for a machine with much else to do.
const startTimeout = time.Minute

// start starts a server that is killed, and reaped, at the test's end.
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
	// Cleanups do not run when go test's timeout ends this process.
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
			t.Logf("what %s wrote:\n%s", p.name, text)
		}
	})
	s.await(t, exited)
	return s
}

// await returns when the server has made the bucket.
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

// freeAddress returns a loopback address where nobody listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// command is a server's, with no more of this process's environment than HOME and PATH,
// and HOME is a folder of the test's: what a developer has set must not reach it.
func command(dir, binary string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}
