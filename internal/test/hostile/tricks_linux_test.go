package hostile_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
	"github.com/s3processpool/processpool/internal/test/harness"
)

func init() {
	harness.Register("hostile-worker", func(args []string) error {
		socket, err := ipc.Inherited()
		if err != nil {
			return err
		}
		h := &hostile{}
		if h.fd, err = unix.Dup(int(socket.Fd())); err != nil {
			return err
		}
		if h.Conn, err = ipc.NewConn(socket); err != nil {
			return err
		}
		return h.serve(args)
	})
}

// hostile is a worker that serves any object as harness.Content, but breaks the protocol over jobs
// of the key "evil".
type hostile struct {
	*ipc.Conn
	fd int // the same socket
}

// serve follows a pool until it stops the worker. With a second argument, the name of a file, only
// the worker that creates it is hostile.
func (h *hostile) serve(args []string) error {
	evil := tricks[args[0]]
	if evil == nil {
		return fmt.Errorf("there is no trick %q", args[0])
	}
	if len(args) > 1 {
		if f, err := os.OpenFile(args[1], os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			evil = func(h *hostile, job *ipc.Job) { h.send(honest(job)) }
		} else {
			f.Close()
		}
	}
	h.send(&ipc.Hello{Version: ipc.Version, PID: os.Getpid()})
	if _, _, err := h.Receive(); err != nil {
		return err
	}
	h.send(&ipc.Ready{})
	for {
		m, file, err := h.Receive()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *ipc.Job:
			if file != nil {
				if _, err := file.WriteAt(harness.Content[m.Get.Offset:][:m.Get.Length], m.Get.Offset); err != nil {
					return err
				}
				file.Close()
			}
			if m.Key == "evil" {
				evil(h, m)
			} else {
				h.send(honest(m))
			}
		case *ipc.Ping:
			h.send(&ipc.Pong{})
		case *ipc.Stop:
			return nil
		}
	}
}

// send ends the process where the pool is gone.
func (h *hostile) send(m ipc.Message) {
	if err := h.Send(m, nil); err != nil {
		os.Exit(0)
	}
}

// frame sends a frame that no Conn would send, with descriptors.
func (h *hostile) frame(kind byte, body []byte, fds ...int) {
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(body)+1))
	frame = append(append(frame, kind), body...)
	for len(frame) > 0 {
		var rights []byte
		if len(fds) > 0 {
			rights = unix.UnixRights(fds...)
		}
		n, err := unix.SendmsgN(h.fd, frame, rights, nil, 0)
		switch err {
		case nil:
			frame, fds = frame[n:], nil
		case unix.EAGAIN:
			unix.Poll([]unix.PollFd{{Fd: int32(h.fd), Events: unix.POLLOUT}}, -1)
		default:
			os.Exit(0)
		}
	}
}

// attempt is a request as no server answers it.
func attempt(job *ipc.Job) *ipc.Attempt {
	text := "\x1b[31m" + strings.Repeat("\x00", 4000)
	return &ipc.Attempt{
		ID: job.ID, Op: job.Op(), Number: 1, Start: -1 << 63, End: 1<<63 - 1, Bytes: 1 << 62, Status: 999,
		RequestID: text, HostID: text, RemoteAddr: text, Err: &failure.Wire{Text: text},
	}
}

// object is what every key names.
func object() ipc.Object { return ipc.Object{Size: int64(len(harness.Content)), ETag: `"e"`} }

// honest is the answer of an honest worker.
func honest(job *ipc.Job) *ipc.Result {
	if job.Get != nil {
		return &ipc.Result{ID: job.ID, Get: &ipc.GetResult{Object: object(), Written: job.Get.Length}}
	}
	return &ipc.Result{ID: job.ID, Head: &ipc.HeadResult{Object: object()}}
}

// head is a trick: an answer to a HeadObject with an object that does not exist.
func head(change func(*ipc.Object)) func(*hostile, *ipc.Job) {
	return func(h *hostile, job *ipc.Job) {
		o := object()
		change(&o)
		h.send(&ipc.Result{ID: job.ID, Head: &ipc.HeadResult{Object: o}})
	}
}

// over is a trick: a word about the job.
func over(word func(id uint64) ipc.Message) func(*hostile, *ipc.Job) {
	return func(h *hostile, job *ipc.Job) { h.send(word(job.ID)) }
}

// get is a trick: an honest answer to the HeadObject, and a word about the GetObject.
func get(word func(id uint64, r *ipc.Result) ipc.Message) func(*hostile, *ipc.Job) {
	return func(h *hostile, job *ipc.Job) {
		r := honest(job)
		if job.Get == nil {
			h.send(r)
			return
		}
		h.send(word(job.ID, r))
	}
}

// Kinds of frames on the wire, see package ipc.
const (
	kindResult = 9
	kindPong   = 13
)

// tricks are ways to break the protocol.
var tricks = map[string]func(*hostile, *ipc.Job){
	"progress of a HEAD": over(func(id uint64) ipc.Message { return &ipc.Progress{ID: id, Written: 1} }),
	"unsuited HEAD":      over(func(id uint64) ipc.Message { return &ipc.Result{ID: id, Get: &ipc.GetResult{Unsuited: true}} }),
	"object of a HEAD":   over(func(id uint64) ipc.Message { return &ipc.Found{ID: id, Object: object()} }),
	"no answer at all":   over(func(id uint64) ipc.Message { return &ipc.Result{ID: id} }),
	"read of a HEAD":     over(func(id uint64) ipc.Message { return &ipc.Result{ID: id, Read: &ipc.ReadResult{}} }),
	"error and answer": over(func(id uint64) ipc.Message {
		return &ipc.Result{ID: id, Err: &failure.Wire{}, Head: &ipc.HeadResult{}}
	}),
	"size below 0":   head(func(o *ipc.Object) { o.Size = -5 }),
	"short layout":   head(func(o *ipc.Object) { o.Layout = proof.Layout{Ends: []int64{1}, Size: o.Size} }),
	"2^31 parts":     head(func(o *ipc.Object) { o.Size = 1 << 31; o.Layout = proof.Layout{Uniform: 1, Size: o.Size} }),
	"foreign layout": head(func(o *ipc.Object) { o.Layout = proof.Layout{Uniform: 5, Size: o.Size} }),
	"unknown algorithm": head(func(o *ipc.Object) {
		o.Stored = []checksum.Stored{{Algorithm: "XXHASH64", Kind: checksum.FullObject, Value: "AAAAAAAAAAA="}}
	}),
	"progress of 2^50": get(func(id uint64, _ *ipc.Result) ipc.Message { return &ipc.Progress{ID: id, Written: 1 << 50} }),
	"progress of -100": get(func(id uint64, _ *ipc.Result) ipc.Message { return &ipc.Progress{ID: id, Written: -100} }),
	"other size":       get(func(_ uint64, r *ipc.Result) ipc.Message { r.Get.Object.Size = 1 << 40; return r }),
	"short range":      get(func(_ uint64, r *ipc.Result) ipc.Message { r.Get.Written--; return r }),
	"long range":       get(func(_ uint64, r *ipc.Result) ipc.Message { r.Get.Written = 1 << 50; return r }),
	"unasked choice": get(func(_ uint64, r *ipc.Result) ipc.Message {
		r.Get.Chosen = &checksum.Stored{Algorithm: checksum.SHA1, Kind: checksum.FullObject}
		return r
	}),
	"unasked digest": get(func(_ uint64, r *ipc.Result) ipc.Message { r.Get.Digest = make([]byte, 20); return r }),
	"unsuited GET":   get(func(_ uint64, r *ipc.Result) ipc.Message { r.Get.Unsuited = true; return r }),

	"another job":  over(func(id uint64) ipc.Message { return &ipc.Result{ID: id + 1000, Head: &ipc.HeadResult{}} }),
	"attempt 0":    over(func(id uint64) ipc.Message { return &ipc.Retry{ID: id, Kind: failure.KindOther} }),
	"unknown kind": over(func(id uint64) ipc.Message { return &ipc.Retry{ID: id, Attempt: 1, Kind: "x"} }),
	"long text": over(func(id uint64) ipc.Message {
		return &ipc.Retry{ID: id, Attempt: 1, Kind: failure.KindOther, Cause: strings.Repeat("x", 15<<20)}
	}),
	"keys of a HEAD": over(func(id uint64) ipc.Message { return &ipc.Listed{ID: id} }),
	"a flood of attempts": func(h *hostile, job *ipc.Job) {
		for {
			h.send(&ipc.Attempt{ID: job.ID, Op: job.Op(), Number: 1, Err: &failure.Wire{Text: "x"}})
		}
	},
	"odd attempts": func(h *hostile, job *ipc.Job) {
		h.send(attempt(job))
		h.send(honest(job))
	},
	"pong": over(func(uint64) ipc.Message { return &ipc.Pong{} }),
	"a flood of asks": func(h *hostile, _ *ipc.Job) {
		for {
			h.send(&ipc.Ask{RefusedKey: "x"})
		}
	},
	"a flood of words": func(h *hostile, job *ipc.Job) {
		for {
			h.send(&ipc.Retry{ID: job.ID, Attempt: 1, Kind: failure.KindOther})
		}
	},
	"a flood of values": func(h *hostile, job *ipc.Job) {
		many := strings.TrimSuffix(strings.Repeat("{},", 5<<20), ",")
		h.frame(kindResult, fmt.Appendf(nil, `{"ID":%d,"List":{"Entries":[%s]}}`, job.ID, many))
	},
	"no JSON":       func(h *hostile, _ *ipc.Job) { h.frame(kindResult, bytes.Repeat([]byte("["), 1<<20)) },
	"unknown frame": func(h *hostile, _ *ipc.Job) { h.frame(200, []byte("{}")) },
	"descriptors": func(h *hostile, _ *ipc.Job) {
		fds := make([]int, 200)
		for i := range fds {
			fds[i] = h.fd
		}
		for {
			h.frame(kindPong, []byte("{}"), fds...)
		}
	},
	"silence": func(*hostile, *ipc.Job) {}, // but for pings
}
