package ipc

import "github.com/s3processpool/processpool/internal/failure"

// Attempt reports the end of a request to S3, where Settings.Attempts asks. An Attempt whose job goes
// on comes before the job's next request, and before the Retry that is about it.
type Attempt struct {
	ID     uint64
	Op     Op    // of the request: a Head may need requests of other operations
	Offset int64 `json:",omitempty"` // of the range asked for, as Length
	Length int64 `json:",omitempty"` // SizeUnknown: the whole object, of a size that no answer has told
	Number int   // of the request, from 1, among those of the job for the same answer

	Start, End int64 // in ns since 1970, by the clock of the worker

	Bytes                         int64         `json:",omitempty"` // of the body, read
	Status                        int           `json:",omitempty"` // of HTTP; 0 = no answer
	RequestID, HostID, RemoteAddr string        `json:",omitempty"`
	Err                           *failure.Wire `json:",omitempty"` // nil = it succeeded
	Ends                          bool          `json:",omitempty"` // the job's Result follows
}

// Size returns how many bytes the texts have.
func (a *Attempt) Size() int {
	n := len(a.RequestID) + len(a.HostID) + len(a.RemoteAddr)
	if a.Err != nil {
		n += a.Err.Size()
	}
	return n
}
