package client

import (
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/s3processpool/processpool/bench/internal/task"
)

// Commands returns the tools as people type them: s3get, and those of other projects that are
// installed and whose names are wanted. Each downloads the Task's only object, or all that is below
// the prefix in which its Key is. missing lists the wanted ones that are not installed.
func (k *Kit) Commands(t task.Task, wanted func(name string) bool) (all []Client, missing []string) {
	n := strconv.Itoa(t.Workers)
	add := func(kind Kind, name, settings string, command []string, args func(task.Task) []string) {
		c := Client{Name: strings.TrimSuffix(name+", "+settings, ", "), Kind: kind}
		if kind != Subject && !wanted(c.Name) {
			return
		}
		program, err := k.find(command[0])
		if err != nil {
			missing = append(missing, c.Name)
			return
		}
		command = append([]string{program}, command[1:]...)
		if kind != Subject {
			about := "version"
			if name == awsName {
				about = "--version"
			}
			out, _ := exec.Command(program, append(command[1:len(command):len(command)], about)...).CombinedOutput()
			c.Version = version(string(out))
			if built := k.builtVersion(filepath.Base(program), program); built != "" {
				c.Version = built
			}
		}
		c.args = func(t task.Task) ([]string, error) {
			return append(command[:len(command):len(command)], args(t)...), nil
		}
		all = append(all, c)
	}
	for _, c := range s3getCommands(t) {
		add(Subject, "s3get", c.settings, []string{k.Own("s3get")}, c.args)
	}
	for _, c := range s5cmdCommands(t, n) {
		add(Other, "s5cmd cp", c.settings, []string{"s5cmd"}, c.args)
	}
	for _, c := range rcloneCommands(t, n) {
		add(Other, "rclone copy", c.settings, []string{"rclone"}, c.args)
	}
	if wanted(awsName) {
		add(Other, awsName, "", k.awsProgram(), func(t task.Task) []string {
			args := []string{"s3", "cp", "--only-show-errors", "--endpoint-url", t.URL}
			if t.Count > 0 {
				args = append(args, "--recursive")
			}
			return append(args, address(t), destination(t))
		})
	}
	return all, missing
}

// setting is a way to run a tool.
type setting struct {
	settings string // "": its defaults
	args     func(task.Task) []string
}

func s3getCommands(t task.Task) []setting {
	get := func(settings string, flags ...string) setting {
		return setting{settings, func(t task.Task) []string {
			args := append([]string{"get", "--quiet", "--endpoint", t.URL}, flags...)
			if t.Count > 0 {
				args = append(args, "--recursive")
			}
			return append(args, address(t), destination(t))
		}}
	}
	if t.Count == 0 {
		return []setting{get(""), get("--verify off", "--verify", "off"), get("4 workers", "--workers", "4")}
	}
	return []setting{
		get(""),
		{"sync", func(t task.Task) []string {
			return []string{"sync", "--quiet", "--endpoint", t.URL, address(t), destination(t)}
		}},
		get("2 workers of 32 requests", "--workers", "2", "--requests-per-worker", "32"),
	}
}

func s5cmdCommands(t task.Task, n string) []setting {
	cp := func(settings string, global []string, flags ...string) setting {
		return setting{settings, func(t task.Task) []string {
			args := append([]string{"--endpoint-url", t.URL, "--log", "error"}, global...)
			source, dest := address(t), destination(t)
			if t.Count > 0 {
				source, dest = source+"*", dest+"/"
			}
			return append(append(append(args, "cp"), flags...), source, dest)
		}}
	}
	if t.Count == 0 {
		return []setting{cp("", nil), cp(n+" of 8 MiB", nil, "--concurrency", n, "--part-size", "8")}
	}
	return []setting{cp("", nil), cp(n+" workers", []string{"--numworkers", n})}
}

func rcloneCommands(t task.Task, n string) []setting {
	copying := func(settings string, flags ...string) setting {
		return setting{settings, func(t task.Task) []string {
			args := append(rcloneRemote(t), flags...)
			if t.Count == 0 {
				return append(args, "copyto", ":s3:"+t.Bucket+"/"+t.Key, t.File)
			}
			return append(args, "copy", ":s3:"+t.Bucket+"/"+path.Dir(t.Key), destination(t))
		}}
	}
	if t.Count == 0 {
		return []setting{copying(""), copying(n+" of 8 MiB", "--multi-thread-streams", n,
			"--multi-thread-cutoff", "8Mi", "--multi-thread-chunk-size", "8Mi")}
	}
	return []setting{
		copying(""), copying(n+" transfers", "--transfers", n),
		copying("64 transfers", "--transfers", "64", "--checkers", "64"),
	}
}

// address returns the URL of the object, or of the prefix.
func address(t task.Task) string {
	if t.Count == 0 {
		return "s3://" + t.Bucket + "/" + t.Key
	}
	return "s3://" + t.Bucket + "/" + path.Dir(t.Key) + "/"
}

// destination returns the file, or the folder.
func destination(t task.Task) string {
	if t.Count == 0 {
		return t.File
	}
	return filepath.Dir(t.File)
}
