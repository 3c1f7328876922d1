package worker

import (
	"context"
	"fmt"
	"io"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/ipc"
)

// readSize is how many bytes are read at a time.
const readSize = 1 << 20

// read sums a range that is in the file already.
func read(ctx context.Context, want *ipc.Read, file io.ReaderAt) (*ipc.ReadResult, error) {
	sums := checksum.NewSums(want.Checksum, want.Record, want.Also...)
	buf := make([]byte, min(want.Length, readSize))
	for n := int64(0); n < want.Length; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		p := buf[:min(want.Length-n, int64(len(buf)))]
		if _, err := file.ReadAt(p, want.Offset+n); err != nil {
			return nil, fmt.Errorf("read the file back: %w", err)
		}
		sums.Write(p)
		n += int64(len(p))
	}
	return &ipc.ReadResult{Sum: sums.Proof, Digest: sums.Bytes(), Record: sums.Record, Also: sums.Also(true)}, nil
}
