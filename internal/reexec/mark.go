// Package reexec tells a worker from an application, and serves as a worker. In programs that are
// not built with the tag processpool_noinit, its init does so before main.
//
// A pool marks each worker three times. Wrappers such as env -i, setsid or sudo, put in front of a
// Config.WorkerCommand, may remove some of the marks:
//
//   - An environment variable, which also says what the process is to do.
//   - A greeting in the socket that the worker inherits (package ipc).
//   - On Linux the last digits of the timer slack (package fence).
//
// A process with the first mark serves as a worker, or ends. One with any mark builds no pool: its
// workers would do the same, without end.
package reexec

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/s3processpool/processpool/internal/fence"
	"github.com/s3processpool/processpool/internal/ipc"
)

// marker is the environment variable of a worker. Its value is a role, a slash, and the major
// version of the pool's module. All versions of the module must write it so, because several may be
// in one program, and each must know which values are not its own.
const marker = "PROCESSPOOL_WORKER"

const (
	roleSelf    = "self"    // this executable again: init serves
	roleCommand = "command" // Config.WorkerCommand: main calls ServeWorker
)

// mark is the value of marker, taken apart. The zero mark is that of an application.
type mark struct {
	value string
	role  string // of this major version; else empty
	major string // another one; else empty
}

func parse(value string) mark {
	role, of, _ := strings.Cut(value, "/")
	switch {
	case of == current && (role == roleSelf || role == roleCommand):
		return mark{value: value, role: role}
	case of != current && of != "" && strings.Trim(of, "0123456789") == "":
		return mark{value: value, major: of}
	}
	return mark{value: value}
}

// taken returns this process's mark. The first call removes it from the environment, so that a
// program which the worker may start does not become one. The mark of another major version stays:
// that version's code has yet to see it.
var taken = sync.OnceValue(func() mark {
	m := parse(os.Getenv(marker))
	if m.value != "" && m.major == "" {
		os.Unsetenv(marker)
	}
	return m
})

// unanswered returns an error for a mark that nobody in this program answers.
func (m mark) unanswered() error {
	switch {
	case m.value == "" || m.role != "" || m.major != "" && linked(m.major):
		return nil
	case m.major != "":
		return fmt.Errorf("a pool of major version %s has started this program (%s=%q), which has version %s of the module: "+
			"build both from one version, or unset it", m.major, marker, m.value, Version)
	}
	return fmt.Errorf("%s=%q is not a value of this version: unset it", marker, m.value)
}

// linked reports whether the module of another major version is in this program, as far as the
// program knows.
func linked(major string) bool {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Path == "" && len(info.Deps) == 0 {
		return true // not built by the go command
	}
	path := pathOf(major)
	if path == pathOf(current) {
		return false // there is one version of each path
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == path {
			return true
		}
	}
	return false
}

// Environ returns the mark of a worker, for its environment. own is whether it is this executable
// again.
func Environ(own bool) []string {
	role := roleCommand
	if own {
		role = roleSelf
	}
	return []string{marker + "=" + role + "/" + current}
}

// Application returns an error if this process is in a worker's place and must not build a pool.
func Application() error {
	m := taken()
	switch {
	case m.major != "":
		return fmt.Errorf("this process is a worker of a pool of major version %s of the module (%s=%q) and cannot create a Downloader",
			m.major, marker, m.value)
	case m.value != "":
		return errors.New("this process is a worker of a pool and cannot create a Downloader: " +
			"a Config.WorkerCommand program must call ServeWorker at the start of main")
	case displaced():
		return errors.New("this process is in the place of a worker and cannot create a Downloader: " +
			"a Config.WorkerCommand must pass on environment and descriptors, and its program call ServeWorker at the start of main")
	}
	return nil
}

// displaced reports whether a process without marker is in the place of a worker. It costs two
// system calls.
func displaced() bool { return fence.Marked() || ipc.Bequeathed() }
