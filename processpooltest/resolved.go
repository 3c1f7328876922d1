package processpooltest

import (
	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/resolved"
)

// Resolved returns a Future that has ended: with the object, or with err if that is not nil, and
// then its Object is the zero Object. Meta returns meta; all options of it are as given. Progress
// is that of all the object's bytes, or after an error of none. Cancel does nothing.
//
// Result and Wait return err itself. For a Future of a Downloader it is always a
// *processpool.TransferError, so code that looks for one needs one here, too.
func Resolved(meta processpool.Meta, object processpool.Object, err error) *processpool.Future {
	return resolved.New(meta, object, err).(*processpool.Future)
}
