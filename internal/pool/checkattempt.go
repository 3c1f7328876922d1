package pool

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/s3processpool/processpool/internal/ipc"
)

// requestsOf are the operations of S3 that a job may request.
var requestsOf = map[ipc.Op][]ipc.Op{
	ipc.OpHead:  {ipc.OpHead, ipc.OpGet, ipc.OpParts},
	ipc.OpGet:   {ipc.OpGet},
	ipc.OpParts: {ipc.OpParts, ipc.OpHead},
	ipc.OpList:  {ipc.OpList},
}

// checkAttempt checks what a worker says of a request. Its times are the loop's to limit: clocks may
// be set.
func (p *pending) checkAttempt(a *ipc.Attempt) error {
	switch {
	case !slices.Contains(requestsOf[p.job.Op()], a.Op):
		return fmt.Errorf("a request of the operation %.20q", a.Op)
	case a.Number < 1 || a.Number > math.MaxInt32:
		return fmt.Errorf("attempt %d", a.Number)
	case a.Offset < 0 || a.Length < ipc.SizeUnknown:
		return errors.New("a request for a range that there is not")
	case a.Bytes < 0:
		return fmt.Errorf("a body of %d bytes", a.Bytes)
	case a.Status != 0 && (a.Status < 100 || a.Status > 999):
		return fmt.Errorf("a status %d", a.Status)
	case max(len(a.RequestID), len(a.HostID), len(a.RemoteAddr)) > maxText:
		return fmt.Errorf("a text of %d bytes", max(len(a.RequestID), len(a.HostID), len(a.RemoteAddr)))
	case a.Err != nil && a.Err.Size() > maxError:
		return fmt.Errorf("an error of %d bytes", a.Err.Size())
	}
	return nil
}
