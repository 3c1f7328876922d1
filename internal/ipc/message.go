package ipc

import (
	"time"

	"github.com/s3processpool/processpool/internal/settings"
)

// Version is the version of the protocol. Both sides must have the same one. A worker is normally
// the same executable as the pool; a program of its own is built from the same module.
const Version = 9

// Hello is the first message of a worker.
type Hello struct {
	Version int
	PID     int
}

// Setup answers a Hello. It holds everything that a worker must know.
type Setup struct {
	Version  int
	Settings settings.Settings
}

// Ready answers a Setup: the worker takes jobs.
type Ready struct{}

// Ask asks the pool for credentials.
type Ask struct {
	// RefusedKey and RefusedToken are the access key and the session token of credentials that S3
	// has refused as expired. Both are empty if S3 has refused none.
	RefusedKey, RefusedToken string
}

// Credentials answers an Ask, with credentials or with Err.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	AccountID       string
	Source          string
	CanExpire       bool
	Expires         time.Time
	Err             string
}

// Handle carries the number of a handle that the pool has duplicated into the worker, for the
// message that follows. Only Windows uses it.
type Handle struct{ Number uint64 }

// RateLimit says how fast a worker may read the bodies of its Gets, all of them together. It applies
// until the next RateLimit.
type RateLimit struct {
	BytesPerSecond int64 // 0 = no limit, as before the first RateLimit
}

// Connect tells a worker without a job to open the connections that its first Gets of a bucket will
// need. It has no answer.
type Connect struct{ Bucket string }

// Ping asks a worker for a Pong.
type Ping struct{}

// Pong answers a Ping.
type Pong struct{}

// Stop asks a worker to end. The worker cancels the jobs that are still running: the pool sends
// Stop when no transfer is left that could use their results.
type Stop struct{}
