package origin

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"
)

//go:embed nginx.conf
var nginxConf string

// nginxTemplate is executed with an nginxSite.
var nginxTemplate = template.Must(template.New("nginx.conf").Parse(nginxConf))

type nginxSite struct {
	*Site
	Options
	Bucket, Dir, Port string
	Root              bool // run the workers as root, so that they can read a private folder
}

// RatePiece returns the number of bytes to send in 10 milliseconds.
func (s nginxSite) RatePiece() int64 { return max(s.Rate/100, 1) }

// startTimeout is long enough for a heavily loaded machine.
const startTimeout = 20 * time.Second

func startNginx(ctx context.Context, site *Site, dir string, options Options) (*Origin, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	o := &Origin{URL: "http://127.0.0.1:" + port}
	if options.TLS {
		o.URL, o.CA = "https://127.0.0.1:"+port, filepath.Join(dir, "ca.pem")
		if err := writeAuthority(dir); err != nil {
			return nil, err
		}
	}
	var conf bytes.Buffer
	if err := nginxTemplate.Execute(&conf, nginxSite{site, options, Bucket, dir, port, os.Getuid() == 0}); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(name, conf.Bytes(), 0o644); err != nil {
		return nil, err
	}
	version, err := exec.Command("nginx", "-v").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("nginx -v: %w", err)
	}
	o.Name = strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(string(version), "nginx version: ")), "/", " ")

	cmd := exec.CommandContext(ctx, "nginx", "-p", dir, "-c", name, "-e", filepath.Join(dir, "error.log"))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must reach this process only
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	o.stop = func() error {
		cmd.Process.Signal(syscall.SIGTERM)
		return cmd.Wait()
	}
	if err := waitFor(ctx, "127.0.0.1:"+port); err != nil {
		o.stop()
		log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
		return nil, fmt.Errorf("nginx does not listen: %w\n%s", err, log)
	}
	return o, nil
}

// freePort returns a port that was free at the time of the call.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "", err
	}
	return port, l.Close()
}

// waitFor waits until a server listens on address.
func waitFor(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
