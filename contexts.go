package processpool

import "context"

// contexts watches the contexts of downloads, each once, however many share it: the
// runtime would start a goroutine for every one of them when it ends. They are told
// apart by their Done channels, which those that end together have in common.
type contexts map[<-chan struct{}]*watched

// watched is a context, with the downloads that have not ended.
type watched struct {
	futures map[*Future]struct{}
	stop    func() bool
}

// watch has a download canceled when its context ends.
func (s *scheduler) watch(ctx context.Context, f *Future) {
	f.watched = ctx.Done()
	if f.watched == nil {
		return
	}
	w := s.contexts[f.watched]
	if w == nil {
		w = &watched{futures: map[*Future]struct{}{}}
		w.stop = context.AfterFunc(ctx, func() { s.do(func() { s.cancelAll(w, canceled(ctx)) }) })
		s.contexts[f.watched] = w
	}
	w.futures[f] = struct{}{}
}

func (s *scheduler) cancelAll(w *watched, cause error) {
	for f := range w.futures {
		s.cancel(f, cause)
	}
}

// unwatch forgets a download that has ended, and its context with the last one.
func (s *scheduler) unwatch(f *Future) {
	w := s.contexts[f.watched]
	if w == nil {
		return
	}
	delete(w.futures, f)
	if len(w.futures) == 0 {
		w.stop()
		delete(s.contexts, f.watched)
	}
}
