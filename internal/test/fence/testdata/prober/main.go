// Prober is an application, and a worker that tries what no worker needs. Its first argument is
// "app" or "worker"; the application prints what came of it, one line of JSON.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/environ"
	"github.com/s3processpool/processpool/internal/osfile"
)

func main() {
	run := map[string]func() error{"app": app, "worker": serve}[os.Args[1]]
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Outcome is what the application prints.
type Outcome struct {
	Sandbox string
	Error   string            // of Start or of the download
	Probes  map[string]string // "" or the error, by name
	Status  map[string]string // lines of the worker's /proc/PID/status
	Memory  string            // the application's error of opening a worker's memory
	Nice    int               // the worker's niceness less the application's
	Log     []string
}

// app downloads b/k to the file out with one worker. Its arguments are the endpoint, what the
// workers are (self, or worker), the mode of the sandbox, out, and the niceness.
func app() error {
	endpoint, worker, out := os.Args[2], os.Args[3], os.Args[5]
	mode, _ := strconv.Atoi(os.Args[4])
	nice, _ := strconv.Atoi(os.Args[6])
	// What some libraries leave open: a file without close-on-exec.
	if foreign, err := unix.Open(os.Getenv("PROBE_FILE"), unix.O_RDONLY, 0); err == nil {
		unix.Dup3(foreign, 700, 0)
	}
	outcome := Outcome{Probes: map[string]string{}, Status: map[string]string{}}
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint}
	if mode != int(processpool.SandboxRequired) {
		// The probes keep the job's file unless a sandbox prevents it.
		cfg = (&environ.Environ{Files: &osfile.System{Wait: time.Second}}).In(cfg)
	}
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.MaxRequestProcesses = 1
		c.MaxAttempts = 2
		c.Sandbox = processpool.SandboxMode(mode)
		c.Nice = nice
		c.ClientOptions = []func(*s3.Options){func(o *s3.Options) { o.UsePathStyle = true }}
		c.Logger = slog.New(&lines{outcome: &outcome})
		if worker == "worker" {
			c.WorkerCommand = []string{"/proc/self/exe", "worker"}
			if exe, err := os.Executable(); err == nil {
				c.WorkerCommand[0] = exe
			}
		}
	})
	if err != nil {
		return err
	}
	outcome.Sandbox = d.Stats().Sandbox
	if err := d.Start(); err != nil {
		outcome.Error = err.Error()
	} else {
		outcome.look()
		outcome.Error = fmt.Sprint(d.DownloadFile(context.Background(), "b", "k", out).Result())
	}
	d.Shutdown() // nothing is logged after it
	return json.NewEncoder(os.Stdout).Encode(outcome)
}

// look looks at the worker from the application.
func (o *Outcome) look() {
	lists, _ := os.ReadDir("/proc/self/task")
	for _, task := range lists {
		children, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		for _, pid := range strings.Fields(string(children)) {
			status, _ := os.ReadFile("/proc/" + pid + "/status")
			for line := range bytes.Lines(status) {
				if name, value, found := strings.Cut(string(line), ":"); found {
					o.Status[name] = strings.TrimSpace(value)
				}
			}
			f, err := os.Open("/proc/" + pid + "/mem")
			if o.Memory = fmt.Sprint(err); err == nil {
				f.Close()
			}
			n, _ := strconv.Atoi(pid)
			theirs, _ := unix.Getpriority(unix.PRIO_PROCESS, n)
			ours, _ := unix.Getpriority(unix.PRIO_PROCESS, 0)
			o.Nice = ours - theirs // each is 20 less the niceness
		}
	}
}

// lines keeps what the worker prints.
type lines struct {
	mu      sync.Mutex
	outcome *Outcome
}

func (l *lines) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *lines) WithGroup(string) slog.Handler      { return l }

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if rest, found := strings.CutPrefix(a.Value.String(), "probe "); found {
			name, err, _ := strings.Cut(rest, ": ")
			l.outcome.Probes[name] = err
		}
		text += " " + a.String()
		return true
	})
	l.outcome.Log = append(l.outcome.Log, text)
	return nil
}

// serve is a worker that probes at its first GetObject, when it has the job's file.
func serve() error {
	return processpool.ServeWorker(s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("probe", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			if _, get := in.Parameters.(*s3.GetObjectInput); get {
				once.Do(tryAll)
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	}))
}

var once sync.Once

func tryAll() {
	for _, p := range probes {
		text := ""
		if err := p.try(); err != nil {
			text = err.Error()
		}
		fmt.Fprintf(os.Stderr, "probe %s: %s\n", p.name, text)
	}
}
