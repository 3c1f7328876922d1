package fence_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/fence"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func sandbox(mode processpool.SandboxMode) func(*processpool.Config) {
	return func(c *processpool.Config) { c.Sandbox = mode }
}

// TestSystems: SandboxAuto takes what a system has, and says once what that is. SandboxRequired
// refuses to start where a part is missing, and names it.
func TestSystems(t *testing.T) {
	for _, c := range []struct {
		pretend fence.Pretend
		force   string
		missing string
	}{
		{fence.Pretend{Landlock: -1, NoSeccomp: true}, "none", "Landlock: the kernel has none"},
		{fence.Pretend{Landlock: -1}, "seccomp", "Landlock: the kernel has none"},
		{fence.Pretend{NoSeccomp: true, Landlock: 6}, "landlock 6", "seccomp: the kernel has none"},
		{fence.Pretend{Landlock: 1}, "landlock 1, seccomp", "no rules for TCP ports and no scopes"},
		{fence.Pretend{Landlock: 2}, "landlock 2, seccomp", "no rules for TCP ports and no scopes"},
		{fence.Pretend{Landlock: 3}, "landlock 3, seccomp", "no rules for TCP ports and no scopes"},
		{fence.Pretend{Landlock: 4}, "landlock 4, seccomp", "no scopes for signals"},
		{fence.Pretend{Landlock: 5}, "landlock 5, seccomp", "no scopes for signals"},
		{fence.Pretend{Landlock: 6}, "landlock 6, seccomp", ""},
		{fence.Pretend{Landlock: 7}, "landlock 7, seccomp", ""},
	} {
		t.Run(fmt.Sprintf("landlock=%d,noSeccomp=%v", c.pretend.Landlock, c.pretend.NoSeccomp), func(t *testing.T) {
			leak.Check(t)
			if system := fence.New(fence.Options{Ports: []uint16{1}}); system.Missing() != "" {
				t.Skipf("this system lacks a part itself: %s", system.Missing())
			}
			c.pretend.Kill = true
			harness.Pretend(t, c.pretend)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			var log harness.Log
			d := harness.NewDownloader(t, origin, log.Config)
			if got := d.Stats().Sandbox; got != c.force {
				t.Errorf("Stats: got %q, want %q", got, c.force)
			}
			if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
				t.Fatal(err)
			}
			said := log.Records(t, "sandbox")
			if len(said) != 1 || said[0]["in force"] != c.force || !strings.Contains(fmt.Sprint(said[0]["missing"]), c.missing) {
				t.Errorf("logged %v, want %q and %q", said, c.force, c.missing)
			}
			err := harness.NewDownloader(t, origin, sandbox(processpool.SandboxRequired)).Start()
			if c.missing == "" && err != nil {
				t.Errorf("required: got %v", err)
			}
			if c.missing != "" && (!errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), c.missing)) {
				t.Errorf("required: got %v, want ErrUnsupported and %q", err, c.missing)
			}
		})
	}
}

// TestWays: the ways to S3 that a worker has in the sandbox. A call that the filter does not allow
// would end the worker.
func TestWays(t *testing.T) {
	proxied := func(t *testing.T, origin *s3test.Server, cfg *aws.Config, address string) {
		target, err := url.Parse(origin.URL())
		if err != nil {
			t.Fatal(err)
		}
		proxy := &http.Server{Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		}}}
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Skip(err) // no IPv6
		}
		go proxy.Serve(ln)
		t.Cleanup(func() { proxy.Close() })
		t.Setenv("HTTP_PROXY", "http://"+ln.Addr().String())
		cfg.BaseEndpoint = aws.String("http://s3.invalid:9000") // no proxy for loopback addresses
	}
	at := func(host string) func(*testing.T, *s3test.Server, *aws.Config) {
		return func(t *testing.T, origin *s3test.Server, cfg *aws.Config) {
			u, err := url.Parse(origin.URL())
			if err != nil {
				t.Fatal(err)
			}
			u.Host = net.JoinHostPort(host, u.Port())
			cfg.BaseEndpoint = aws.String(u.String())
		}
	}
	for _, c := range []struct {
		name   string
		tls    bool
		before func(*testing.T, *s3test.Server, *aws.Config)
		config func(*processpool.Config)
		option func(*processpool.DownloadOptions)
	}{
		{name: "http"},
		{name: "a name of /etc/hosts", before: at("localhost")},
		{name: "TLS, CABundle", tls: true, before: func(t *testing.T, origin *s3test.Server, _ *aws.Config) {
			t.Setenv("AWS_CA_BUNDLE", certificates(t, origin))
		}},
		{name: "TLS, SSL_CERT_FILE", tls: true, before: func(t *testing.T, origin *s3test.Server, _ *aws.Config) {
			t.Setenv("SSL_CERT_FILE", certificates(t, origin))
		}},
		{name: "TLS, SSL_CERT_DIR", tls: true, before: func(t *testing.T, origin *s3test.Server, _ *aws.Config) {
			t.Setenv("SSL_CERT_DIR", "/none:"+filepath.Dir(certificates(t, origin)))
		}},
		{name: "durable", config: harness.Durable},
		{name: "resume", option: harness.Resume},
		{name: "several requests", config: func(c *processpool.Config) { c.RequestsPerProcess = 4 }},
		{name: "proxy", before: func(t *testing.T, origin *s3test.Server, cfg *aws.Config) {
			proxied(t, origin, cfg, "127.0.0.1:0")
		}},
		{name: "proxy over IPv6", before: func(t *testing.T, origin *s3test.Server, cfg *aws.Config) {
			proxied(t, origin, cfg, "[::1]:0")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t, func(o *s3test.Options) { o.TLS = c.tls }), t.TempDir()
			want := s3test.PatternBytes(1, 3*harness.MiB)
			origin.Put("b", "k", want)
			cfg := origin.Config()
			if c.before != nil {
				c.before(t, origin, &cfg)
			}
			few := func(config *processpool.Config) {
				config.Sandbox = processpool.SandboxRequired
				config.MaxRequestProcesses = 2
				config.MultipartThreshold, config.MultipartChunksize = harness.MiB, harness.MiB
				config.ClientOptions = append(config.ClientOptions, origin.ClientOptions())
				if c.config != nil {
					c.config(config)
				}
			}
			d, err := processpool.NewDownloader(harness.Environ(t, cfg), few)
			if err != nil {
				t.Fatal(err)
			}
			defer harness.Shutdown(t, d)
			if plan := d.Stats().Sandbox; !strings.Contains(plan, "seccomp") {
				t.Skipf("this system has only %s", plan)
			}
			var options []func(*processpool.DownloadOptions)
			if c.option != nil {
				options = append(options, c.option)
			}
			if err := harness.Download(t, d, "k", filepath.Join(dir, "file"), options...); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), want)
		})
	}
}

// certificates writes the origin's certificates to a file.
func certificates(t *testing.T, origin *s3test.Server) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(name, origin.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// BenchmarkStart starts and stops a pool of one worker.
func BenchmarkStart(b *testing.B) {
	origin := s3test.Start()
	defer origin.Close()
	for _, mode := range []processpool.SandboxMode{processpool.SandboxOff, processpool.SandboxAuto} {
		b.Run(mode.String(), func(b *testing.B) {
			for b.Loop() {
				d, err := processpool.NewDownloader(origin.Config(), harness.Processes(1), sandbox(mode),
					func(c *processpool.Config) { c.ClientOptions = append(c.ClientOptions, origin.ClientOptions()) })
				if err != nil {
					b.Fatal(err)
				}
				if err := d.Start(); err != nil {
					b.Fatal(err)
				}
				d.Shutdown()
			}
		})
	}
}

// BenchmarkBytes downloads 1 GiB with two workers.
func BenchmarkBytes(b *testing.B) {
	origin := s3test.Start()
	defer origin.Close()
	origin.Put("b", "k", make([]byte, 1<<30))
	for _, mode := range []processpool.SandboxMode{processpool.SandboxOff, processpool.SandboxAuto} {
		b.Run(mode.String(), func(b *testing.B) {
			d, err := processpool.NewDownloader(origin.Config(), harness.Processes(2), sandbox(mode),
				func(c *processpool.Config) { c.ClientOptions = append(c.ClientOptions, origin.ClientOptions()) })
			if err != nil {
				b.Fatal(err)
			}
			defer d.Shutdown()
			dir := b.TempDir()
			b.SetBytes(1 << 30)
			for b.Loop() {
				if err := d.DownloadFile(b.Context(), "b", "k", filepath.Join(dir, "file")).Result(); err != nil {
					b.Fatal(err)
				}
				os.Remove(filepath.Join(dir, "file"))
			}
		})
	}
}
