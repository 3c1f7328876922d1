package dispatch

import (
	"context"

	"github.com/s3processpool/processpool/internal/failure"
)

// contexts watches the contexts of entries, each once, however many entries share it: the runtime
// would start a goroutine for every one of them when it ends. The key is the context's Done
// channel, which contexts that end together have in common.
type contexts map[<-chan struct{}]*watched

// watched is a context, with the entries that have not ended.
type watched struct {
	entries map[Entry]struct{}
	stop    func() bool
}

// watch has an entry canceled when its context ends.
func (l *Loop) watch(ctx context.Context, e Entry) {
	done := ctx.Done()
	if done == nil {
		return
	}
	e.Ticket().watched = done
	w := l.contexts[done]
	if w == nil {
		w = &watched{entries: map[Entry]struct{}{}}
		w.stop = context.AfterFunc(ctx, func() { l.Do(func() { l.cancelAll(w, failure.Canceled(ctx)) }) })
		l.contexts[done] = w
	}
	w.entries[e] = struct{}{}
}

func (l *Loop) cancelAll(w *watched, cause error) {
	for e := range w.entries {
		l.Cancel(e, cause)
	}
}

// unwatch forgets an entry that has ended, and its context with the last one.
func (l *Loop) unwatch(e Entry) {
	w := l.contexts[e.Ticket().watched]
	if w == nil {
		return
	}
	delete(w.entries, e)
	if len(w.entries) == 0 {
		w.stop()
		delete(l.contexts, e.Ticket().watched)
	}
}
