package sink

import (
	"os"

	"github.com/s3processpool/processpool/internal/lock"
)

// hold locks a file for as long as anybody writes to it: this process, and every worker that has its
// descriptor, for those share one open file (flock(2)). Nobody else has it yet, so it cannot fail but
// where there are no locks.
func hold(f *os.File) { lock.Try(f) }

// attribute marks a file as one that this package made and has not published. A name alone proves
// nothing: "build.deadbeef" may be anybody's. File systems without extended attributes keep no mark.
const attribute = "user.processpool"
