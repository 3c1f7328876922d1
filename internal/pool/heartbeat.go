package pool

import (
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
)

// missedBeats is how many pings in a row a worker that has jobs may leave unanswered before it is
// killed.
const missedBeats = 3

// beat sends a ping to a worker that has jobs and has sent nothing since the last beat, and kills
// the worker after missedBeats of them. missed is the number of pings without an answer so far;
// beat returns the new number. It counts beats and not time, so that a machine that was suspended,
// or a process group that was stopped, has missed one beat only. Only the writer may call it.
func (w *process) beat(missed int) int {
	if !w.jobs.busy() || w.heard.Swap(false) {
		return 0
	}
	if missed >= missedBeats {
		w.silent.Store(true)
		w.kill()
		return 0
	}
	w.pinged.Add(1)
	w.send(parcel{&ipc.Ping{}, nil})
	return missed + 1
}

// patience is how long a worker may be silent, or leave the socket full.
func (w *process) patience() time.Duration { return missedBeats * w.pool.options.Heartbeat }

// look kills a worker that has not ended a job within CancelTimeout of its Cancel: the job would keep
// its slot for ever. Only the writer may call it.
func (w *process) look() {
	if w.jobs.late() {
		w.late.Store(true)
		w.kill()
	}
}
