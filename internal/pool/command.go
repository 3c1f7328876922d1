package pool

import (
	"crypto/fips140"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Command is the command that starts a worker.
type Command struct {
	Args []string // program and arguments
	Env  []string // added to this process's environment
}

// self is the path of this process's executable on Linux: the very file that runs here, even if an
// upgrade has replaced it on disk (proc(5)).
const self = "/proc/self/exe"

// Self returns the path of this process's executable. On Linux it is /proc/self/exe.
func Self() (string, error) {
	if runtime.GOOS == "linux" {
		return self, nil
	}
	return os.Executable()
}

// name returns the program's name, for people.
func (c Command) name() string {
	if c.Args[0] != self {
		return c.Args[0]
	}
	if path, err := os.Executable(); err == nil {
		return path
	}
	return os.Args[0]
}

// secrets are variables that no worker needs, because the pool sends credentials over the socket.
// The second line has older names, which the SDK also reads.
var secrets = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
}

// memory are the variables that size the application's heap. Each worker would take them for its own.
var memory = []string{"GOGC", "GOMEMLIMIT"}

// enforced is the GODEBUG setting with which the standard library refuses what FIPS 140-3 does not
// approve (https://go.dev/doc/security/fips140).
const enforced = "fips140=only"

// environ returns the environment of a worker with that many slots.
func (c Command) environ(slots int) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(secrets, name) || slices.Contains(memory, name)
	})
	// A worker copies bytes: more threads than requests only wake each other.
	threads := min(slots, runtime.NumCPU())
	env = append(append(env, "GOMAXPROCS="+strconv.Itoa(threads)), c.Env...)
	if fips140.Enforced() {
		// It may be built into this program (//go:debug), and Command may be another one. The last
		// of a name's settings applies.
		debug := strings.TrimPrefix(os.Getenv("GODEBUG")+","+enforced, ",")
		env = append(env, "GODEBUG="+debug)
	}
	return env
}
