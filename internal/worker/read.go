package worker

import (
	"context"
	"fmt"
	"io"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/ipc"
)

// readSize is how much is read at a time.
const readSize = 1 << 20

// read sums a range that is in the file already.
func read(ctx context.Context, job *ipc.Job, file io.ReaderAt) (*ipc.Result, error) {
	sums := checksum.NewSums(job.Checksum, job.Record)
	buf := make([]byte, min(job.Length, readSize))
	for n := int64(0); n < job.Length; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		p := buf[:min(job.Length-n, int64(len(buf)))]
		if _, err := file.ReadAt(p, job.Offset+n); err != nil {
			return nil, fmt.Errorf("read the partial file: %w", err)
		}
		sums.Write(p)
		n += int64(len(p))
	}
	return &ipc.Result{ID: job.ID, Written: job.Length, Sum: sums.Proof, Digest: sums.Bytes(), Record: sums.Record}, nil
}
