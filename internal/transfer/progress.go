package transfer

// report publishes how many bytes are in the file.
func (t *transfer) report() {
	p := Progress{BytesDone: t.spans.done, BytesTotal: t.plan.length()}
	for _, w := range t.works {
		p.BytesDone += w.Written
	}
	t.download.bytesDone.Store(p.BytesDone)
	t.download.bytesTotal.Store(p.BytesTotal)
	if t.notifier != nil {
		t.notifier.post(p)
	}
}

// notifier calls a download's OnProgress from a goroutine of its own, so that a slow OnProgress
// holds up nothing but the end of its own download. Of the reports that come while it is busy, only
// the last is passed on. post and stop are for one goroutine at a time; stop is the last call.
type notifier struct {
	latest chan Progress // holds one
	done   chan struct{}
}

func newNotifier(call func(Progress)) *notifier {
	n := &notifier{latest: make(chan Progress, 1), done: make(chan struct{})}
	go func() {
		defer close(n.done)
		for p := range n.latest {
			call(p)
		}
	}()
	return n
}

func (n *notifier) post(p Progress) {
	select {
	case <-n.latest:
	default:
	}
	n.latest <- p
}

// stop returns when the last call has returned. A nil notifier has none.
func (n *notifier) stop() {
	if n == nil {
		return
	}
	close(n.latest)
	<-n.done
}
