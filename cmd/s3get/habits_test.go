//go:build tools && linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

var updateHabits = flag.Bool("update-habits", false, "write docs/habits.md anew")

// tools are the columns of docs/habits.md, in this order.
var tools = []string{"s3get", "s5cmd", "rclone", "aws s3"}

// The table in docs/habits.md is what the tools do: each row is run with each of them against the
// in-memory origin. s5cmd and rclone are those that bench -build has built, or those in PATH.
//
//	go test -tags tools -run Habits [-update-habits]
func TestHabits(t *testing.T) {
	programs, versions := map[string][]string{}, map[string]string{}
	for _, tool := range tools {
		programs[tool], versions[tool] = toolCommand(t, tool)
	}
	var table strings.Builder
	for _, tool := range tools {
		fmt.Fprintf(&table, "| %s ", strings.TrimSpace(tool+" "+versions[tool]))
	}
	header := "| " + table.String() + "|\n| --- | --- | --- | --- | --- |\n"
	table.Reset()
	table.WriteString(header)
	for _, h := range slices.Concat(ordinary, mishaps) {
		fmt.Fprintf(&table, "| %s |", h.name)
		for _, tool := range tools {
			does := "–"
			if command, ok := h.commands[tool]; ok {
				x := &trial{t: t, tool: tool, program: programs[tool], command: command, dir: filepath.Join(t.TempDir(), "up", "down"), origin: s3test.Start()}
				if err := os.MkdirAll(x.out(), 0o755); err != nil {
					t.Fatal(err)
				}
				does = h.do(x)
				x.origin.Close()
			}
			fmt.Fprintf(&table, " %s |", does)
		}
		table.WriteString("\n")
	}
	const name, mark = "docs/habits.md", "<!-- the table -->\n"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(string(page), mark, 3)
	if len(parts) != 3 {
		t.Fatalf("%s does not have the table between two marks", name)
	}
	if *updateHabits {
		parts[1] = table.String()
		if err := os.WriteFile(name, []byte(strings.Join(parts, mark)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if parts[1] != table.String() {
		t.Errorf("%s says\n%s\nand the tools do\n%s", name, parts[1], &table)
	}
}

// toolCommand returns how a tool is called, and its version.
func toolCommand(t *testing.T, tool string) (command []string, version string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	built := func(name string) string {
		if path, err := exec.LookPath(filepath.Join(cache, "processpool", "bench", name)); err == nil {
			return path
		}
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("%v: go run ./bench -build %s", err, name)
		}
		return path
	}
	switch tool {
	case "s3get":
		command = []string{filepath.Join(t.TempDir(), "s3get")}
		output(t, exec.Command("go", "build", "-o", command[0], "."))
		return command, ""
	case "aws s3":
		command = []string{built("aws")}
		return command, strings.TrimPrefix(strings.Fields(output(t, exec.Command(command[0], "--version")))[0], "aws-cli/")
	case "s5cmd":
		return []string{built(tool)}, "2.3.0" // which it does not tell if it was built from its module
	}
	command = []string{built(tool)}
	version = strings.Fields(output(t, exec.Command(command[0], "version")))[1]
	return command, strings.TrimSuffix(strings.TrimPrefix(version, "v"), "-DEV")
}

// trial is one habit with one tool.
type trial struct {
	t        *testing.T
	tool     string
	program  []string
	command  string // OUT is the directory of the files
	dir      string
	origin   *s3test.Server
	unsigned bool   // no credentials in the environment
	rate     string // of aws, which has it in its configuration only

	status         int
	stdout, stderr string
}

func (x *trial) out(name ...string) string {
	return filepath.Join(append([]string{x.dir, "out"}, name...)...)
}

// start starts the command. rclone and aws have no option that names the server, but variables.
func (x *trial) start(stdout, stderr *bytes.Buffer) (*exec.Cmd, context.CancelFunc) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), patience)
	args := slices.Concat(x.program[1:], strings.Fields(strings.ReplaceAll(x.command, "OUT", x.out())))
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "␣", " ")
	}
	cmd := exec.CommandContext(ctx, x.program[0], args...)
	config := filepath.Join(x.dir, "aws-config")
	write(x.t, config, "[default]\nregion = us-east-1\ns3 =\n  addressing_style = path\n  max_bandwidth = "+cmp.Or(x.rate, "100GB/s")+"\n")
	cmd.Env = []string{
		"HOME=" + x.dir, "PATH=" + os.Getenv("PATH"), "PYENV_ROOT=" + filepath.Join(os.Getenv("HOME"), ".pyenv"),
		"S3GET_ENDPOINT=" + x.origin.URL(), "S3_ENDPOINT_URL=" + x.origin.URL(), "AWS_ENDPOINT_URL=" + x.origin.URL(),
		"RCLONE_CONFIG=" + os.DevNull, "RCLONE_S3_PROVIDER=Other", "RCLONE_S3_ENDPOINT=" + x.origin.URL(), "RCLONE_S3_LIST_VERSION=2", "RCLONE_S3_LIST_URL_ENCODE=true", "RCLONE_S3_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + config,
	}
	if !x.unsigned {
		cmd.Env = append(cmd.Env, "RCLONE_S3_ENV_AUTH=true")
	}
	cmd.Dir = x.dir
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	return cmd, cancel
}

func (x *trial) run() *trial {
	x.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd, cancel := x.start(&stdout, &stderr)
	defer cancel()
	cmd.Wait()
	x.status, x.stdout, x.stderr = cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
	x.t.Logf("%s: %s: status %d\n%s%s", x.tool, x.command, x.status, tail(x.stdout), tail(x.stderr))
	return x
}

func tail(text string) string { return text[max(0, len(text)-600):] }

// files returns the names of the files in OUT, and of those beside it.
func (x *trial) files() string {
	var names []string
	filepath.WalkDir(x.out(), func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(x.out(), name)
			names = append(names, rel)
		}
		return nil
	})
	return strings.Join(names, " ")
}

func (x *trial) content(name string) string {
	data, err := os.ReadFile(x.out(name))
	if err != nil {
		return "none"
	}
	return string(data)
}

// gets returns the number of GetObject since the last call.
func (x *trial) gets() (n int) {
	for _, r := range x.origin.Requests() {
		if r.Method == "GET" && r.Key != "" {
			n++
		}
	}
	x.origin.ResetRequests()
	return n
}

func (x *trial) put(keys ...string) {
	for _, key := range keys {
		x.origin.Put("b", key, []byte(key))
	}
}

// says returns yes or no, or what was found instead.
func says(ok bool, otherwise string) string {
	if ok {
		return "yes"
	}
	return otherwise
}
