package client

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/s3processpool/processpool/bench/internal/task"
)

// Tools returns the installed programs of other projects whose names are wanted. missing lists the
// wanted ones that are not installed.
func (k *Kit) Tools(wanted func(name string) bool) (all []Client, missing []string) {
	add := func(c Client, command ...string) {
		if !wanted(c.Name) {
			return
		}
		path, err := k.find(command[0])
		if err != nil {
			missing = append(missing, c.Name)
			return
		}
		out, _ := exec.Command(path, command[1:]...).CombinedOutput()
		c.Kind = Other
		c.Version = cmp.Or(k.builtVersion(command[0], path), version(string(out)))
		all = append(all, c)
	}
	add(Client{Name: "rclone", args: k.rclone}, "rclone", "version")
	add(Client{Name: "rclone, its own streams", One: true, args: k.rcloneDefault}, "rclone", "version")
	if wanted(originalName) {
		if c, err := k.S3Transfer(); err == nil {
			all = append(all, c)
		} else {
			missing = append(missing, c.Name)
		}
	}
	add(Client{Name: "s5cmd", One: true, args: k.s5cmd}, "s5cmd", "version")
	if wanted(awsName) {
		add(Client{Name: awsName, One: true, args: k.aws}, append(k.awsProgram(), "--version")...)
	}
	add(Client{Name: "curl, one stream", args: k.curl}, "curl", "--version")
	add(Client{Name: "aria2c", One: true, args: k.aria2c}, "aria2c", "--version")
	return all, missing
}

// version returns the first word in the first line of out that begins with a digit and contains a
// dot.
func version(out string) string {
	line, _, _ := strings.Cut(out, "\n")
	for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '/' || r == '-' }) {
		word = strings.TrimPrefix(word, "v")
		if strings.Contains(word, ".") && word[0] >= '0' && word[0] <= '9' {
			return word
		}
	}
	return ""
}

// rcloneDefault uses rclone's default number of streams and size of ranges: 4, of 64 MiB.
func (k *Kit) rcloneDefault(t task.Task) ([]string, error) {
	path, err := k.find("rclone")
	args := append([]string{path}, rcloneRemote(t)...)
	if t.Count == 0 {
		args = append(args, "copyto", ":s3:"+t.Bucket+"/"+t.Key, t.File)
	}
	return args, err
}

// rcloneRemote returns the options that select the origin.
func rcloneRemote(t task.Task) []string {
	args := []string{"--config", "", "--s3-provider", "Other", "--s3-endpoint", t.URL, "--s3-list-version", "2",
		"--s3-access-key-id", "AKIDEXAMPLE", "--s3-secret-access-key", "secret", "--s3-region", "us-east-1"}
	if t.CA != "" {
		args = append(args, "--ca-cert", t.CA)
	}
	return args
}

// rclone uses the number of streams and the size of ranges of the Task. It copies several objects
// from a list, without listing the bucket.
func (k *Kit) rclone(t task.Task) ([]string, error) {
	args, err := k.rcloneDefault(t)
	args = append(args, "--transfers", strconv.Itoa(t.Workers), "--checkers", strconv.Itoa(t.Workers),
		"--multi-thread-streams", strconv.Itoa(t.Workers),
		"--multi-thread-cutoff", fmt.Sprintf("%dB", t.Chunk), "--multi-thread-chunk-size", fmt.Sprintf("%dB", t.Chunk))
	if t.Count == 0 {
		return args, err
	}
	var list strings.Builder
	for _, o := range t.Objects() {
		list.WriteString(o.Key + "\n")
	}
	name := filepath.Join(k.Work, "keys")
	if err == nil {
		err = os.WriteFile(name, []byte(list.String()), 0o644)
	}
	return append(args, "--no-traverse", "--files-from-raw", name, "copy", ":s3:"+t.Bucket, filepath.Dir(t.File)), err
}

func (k *Kit) s5cmd(t task.Task) ([]string, error) {
	path, err := k.find("s5cmd")
	return []string{path, "--endpoint-url", t.URL, "cp", "--concurrency", strconv.Itoa(t.Workers),
		"--part-size", strconv.FormatInt(max(t.Chunk>>20, 1), 10), "s3://" + t.Bucket + "/" + t.Key, t.File}, err
}

const awsName = "aws s3 cp"

// awsProgram returns the command of the AWS CLI. It prefers the module of python3 because aws may
// be a shell script that searches for it.
func (k *Kit) awsProgram() []string {
	if k.pythonHas("awscli") {
		return []string{k.python, "-m", "awscli"}
	}
	return []string{"aws"}
}

// aws reads its concurrency from the configuration file that environ writes.
func (k *Kit) aws(t task.Task) ([]string, error) {
	return append(k.awsProgram(), "s3", "cp", "--only-show-errors", "--endpoint-url", t.URL, "s3://"+t.Bucket+"/"+t.Key, t.File), nil
}

func (k *Kit) curl(t task.Task) ([]string, error) {
	args := []string{"curl", "--silent", "--show-error", "--fail"}
	if t.CA != "" {
		args = append(args, "--cacert", t.CA)
	}
	url := t.URL + "/" + t.Bucket + "/" + t.Key
	if t.Count == 0 {
		return append(args, url, "--output", t.File), nil
	}
	return append(args, "--parallel", "--parallel-max", strconv.Itoa(t.Workers), "--parallel-immediate",
		fmt.Sprintf("%s-[00000-%05d]", url, t.Count-1), "--output", t.File+"-#1"), nil
}

// aria2c allows at most 16 connections to a server.
func (k *Kit) aria2c(t task.Task) ([]string, error) {
	n := strconv.Itoa(min(t.Workers, 16))
	args := []string{"aria2c", "--quiet", "--no-conf", "--file-allocation=falloc", "-x", n, "-s", n,
		"-k", strconv.FormatInt(max(t.Chunk, 1<<20), 10)}
	if t.CA != "" {
		args = append(args, "--ca-certificate", t.CA)
	}
	return append(args, "-d", filepath.Dir(t.File), "-o", filepath.Base(t.File), t.URL+"/"+t.Bucket+"/"+t.Key), nil
}
