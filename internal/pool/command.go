package pool

import (
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

// Self returns the path of this process's executable. On Linux it is /proc/self/exe: the very file
// that runs here, even if an upgrade has replaced it on disk (proc(5)).
func Self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// secrets are variables that no worker needs, because the pool sends credentials over the socket.
// The second line has older names, which the SDK also reads.
var secrets = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
}

// environ returns the environment of a worker with that many slots.
func (c Command) environ(slots int) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(secrets, name)
	})
	// A worker copies bytes: more threads than requests only wake each other.
	threads := min(slots, runtime.NumCPU())
	return append(append(env, "GOMAXPROCS="+strconv.Itoa(threads)), c.Env...)
}
