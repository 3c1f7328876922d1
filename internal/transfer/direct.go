package transfer

import (
	"errors"
	"os"
)

// leastDirect is the least length of a range, in bytes, that is written past the page cache: a second
// descriptor costs more than it saves with less.
const leastDirect = 256 << 10

// direct is how the bytes of a transfer go past the page cache.
type direct struct {
	bytes int64 // that went past it
	over  bool  // the file system cannot, and the log says so
}

// past returns the descriptor that writes past the page cache, and the alignment of what it writes; nil:
// there is none.
func (t *transfer) past() (f *os.File, align int64) {
	f, align, err := t.temp.Direct()
	if err != nil {
		t.fallBack(err)
	}
	if t.direct.over {
		return nil, 0
	}
	return f, align
}

// wrote counts n bytes of a job's range that went past the page cache. Of a range of leastDirect bytes
// some do, unless the file system refuses the writes.
func (t *transfer) wrote(w *work, n int64) {
	t.direct.bytes += n
	t.env.Counters.Direct(n)
	if w.Direct != nil && n == 0 {
		t.fallBack(errors.New("the file system took no such write"))
	}
}

// fallBack has all that is not handed out yet go by way of the page cache.
func (t *transfer) fallBack(why error) {
	if !t.direct.over {
		t.direct.over = true
		t.logger.Info("without DirectIO: the bytes go by way of the page cache", "file", t.request.Filename, "error", why)
	}
}
