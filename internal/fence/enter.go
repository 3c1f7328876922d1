package fence

import (
	"os"
	"slices"
	"strings"
)

// debugVariable is the environment variable that switches aids for debugging on: a list with
// commas. With "dump", a debugger may attach to workers, and they leave core dumps.
const debugVariable = "PROCESSPOOLDEBUG"

// given is the number of descriptors that a pool gives a worker: the standard ones, and its socket.
const given = 4

// Enter is a worker's first act. It closes what the application has left open for every program that
// it starts, and keeps the worker's memory, which holds credentials, from other processes of the
// same user.
func Enter() {
	mark = os.Getenv(markVariable)
	os.Unsetenv(markVariable)
	closeForeign(given)
	if !slices.Contains(strings.Split(os.Getenv(debugVariable), ","), "dump") {
		forbidDumps()
	}
}
