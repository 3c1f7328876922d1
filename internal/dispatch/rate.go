package dispatch

import (
	"github.com/s3processpool/processpool/internal/flow"
	"github.com/s3processpool/processpool/internal/ipc"
)

// SetMaxBytesPerSecond limits the bytes of bodies that all workers read together in a second; 0: no
// limit. Loop goroutine only.
func (l *Loop) SetMaxBytesPerSecond(n int64) {
	if n == l.rate.Limit() {
		return
	}
	l.rate.SetLimit(n, now())
	for _, h := range l.hands {
		for _, j := range h.jobs {
			j.Limited = true
		}
	}
	l.tellRates()
}

// FairRate returns how many bytes a second a Get can count on; 0: there is no limit. Loop goroutine
// only.
func (l *Loop) FairRate() int64 { return l.rate.Fair() }

// joins notes that a job is about to be sent.
func (l *Loop) joins(j *Job) {
	if j.Op != ipc.OpGet {
		return
	}
	j.Limited = l.rate.Limit() > 0
	if l.rate.Join(j.hand.worker.Seat(), now()) {
		l.tellRates()
	}
}

// leaves notes that a job that was sent has ended.
func (l *Loop) leaves(j *Job) {
	if j.Op == ipc.OpGet && j.Sent() {
		l.rate.Leave(j.hand.worker.Seat())
	}
}

// reshare is called every flow.Every while there is a limit.
func (l *Loop) reshare() {
	l.rate.Tick(now())
	l.tellRates()
}

// tellRates tells workers of shares that have changed. One that has no share keeps what it was told:
// it hears of another before its next Get.
func (l *Loop) tellRates() {
	for _, h := range l.hands {
		share := l.rate.Share(h.worker.Seat())
		if share == h.rate || share == 0 && l.rate.Limit() > 0 {
			continue
		}
		h.rate = share
		h.worker.RateLimit(share)
	}
	if l.rate.Busy() {
		l.rates.Reset(flow.Every)
	}
}

// wrote counts what is new of the bytes that a worker has written of a job's range.
func (j *Job) wrote(written int64) {
	n := j.loop.counters.wrote(j, written)
	j.loop.rate.Got(j.hand.worker.Seat(), n)
	j.loop.read += n
}
