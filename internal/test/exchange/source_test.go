package exchange

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// source draws what is said from the input of a fuzz test. At its end everything is 0.
type source struct{ data []byte }

func (s *source) draw(n int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return int(b) % n
}

func (s *source) odd(n int) bool { return s.draw(n) == n-1 }

func pick[T any](s *source, from ...T) T { return from[s.draw(len(from))] }

// number returns a number that fits the job, or any.
func (s *source) number(fits ...int64) int64 {
	if !s.odd(4) {
		return pick(s, fits...)
	}
	return pick(s, int64(0), 1, -1, 2, 4, 5, 6, 9, 10, 11, 100, -100, math.MaxInt32, 1<<40, 1<<50, math.MaxInt64, math.MinInt64)
}

func (s *source) text() string {
	return pick(s, "", `"e"`, `"other"`, "W/\"e\"", "\xff\x00", strings.Repeat("x", 5<<10), strings.Repeat("x", 20<<10))
}

func (s *source) algorithm() checksum.Algorithm {
	return pick(s, checksum.CRC64NVME, checksum.CRC32C, checksum.CRC32, checksum.SHA1, checksum.SHA256, checksum.SHA512,
		checksum.MD5, "", checksum.XXHASH64, checksum.XXHASH128, "nonsense")
}

func (s *source) stored() checksum.Stored {
	return checksum.Stored{
		Algorithm: s.algorithm(),
		Kind:      pick(s, checksum.FullObject, checksum.Composite, checksum.ETag, "", "nonsense"),
		Value:     pick(s, "AAAAAA==", "", strings.Repeat("00", 16), s.text()),
		Parts:     int(s.number(0, 2, 3)),
	}
}

func (s *source) layout(size int64) proof.Layout {
	l := proof.Layout{}
	switch s.draw(4) {
	case 0:
	case 1:
		l = proof.Layout{Uniform: s.number(5, 4, size), Size: s.number(size)}
	case 2:
		l = proof.Layout{Ends: []int64{s.number(3, 5), s.number(size, 7), s.number(size)}, Size: s.number(size)}
	case 3:
		l = proof.Layout{Ends: []int64{3, size}, Size: size}
	}
	return l
}

func (s *source) object(truth *truth) ipc.Object {
	o := truth.object()
	if s.odd(3) {
		o.Size = s.number(o.Size)
	}
	if s.odd(4) {
		o.ETag, o.VersionID = s.text(), s.text()
	}
	if s.odd(3) {
		o.Layout = s.layout(o.Size)
	}
	if s.odd(3) {
		o.Stored = nil
		for range s.draw(20) {
			o.Stored = append(o.Stored, s.stored())
		}
	}
	o.Encrypted = s.odd(3)
	o.LastModified = pick(s, time.Time{}, time.Unix(1, 0))
	return o
}

func (s *source) chosen(o *ipc.Object, get *ipc.Get) *checksum.Stored {
	if s.odd(3) {
		c := s.stored()
		return &c
	}
	return choose(o, get)
}

func (s *source) digest() []byte { return make([]byte, pick(s, 0, 4, 16, 20, 32, 64, 1<<10)) }

// also returns further checksums, mostly as the job asked for them.
func (s *source) also(job *ipc.Job) (sums [][]byte) {
	asked := []checksum.Algorithm{}
	if job.Get != nil {
		asked = job.Get.Also
	} else if job.Read != nil {
		asked = job.Read.Also
	}
	for _, a := range asked {
		if s.odd(8) {
			sums = append(sums, s.digest())
		}
		sums = append(sums, make([]byte, a.Size()))
	}
	return sums
}

func (s *source) wire() *failure.Wire {
	w := &failure.Wire{
		Text: s.text(), Class: pick(s, failure.Final, failure.Network, "", "nonsense"),
		Sentinels: []string{pick(s, "canceled", "size", "nonsense", "checksum")},
		Errno:     uint(s.number(0, 28, 2)), Call: pick(s, "", "write"),
	}
	if s.odd(2) {
		w.API = &failure.API{Code: pick(s, "NoSuchKey", "", "x"), Status: int(s.number(404, 200)), Message: s.text(), Fault: int(s.number(0))}
	}
	return w
}

func (s *source) entries(truth *truth) (list []ipc.Entry) {
	for range s.draw(6) {
		key := pick(s, "p/a", "p/b", "p/../c", "p/a/b", "p/", "", "other", "p/\x00", "p/"+strings.Repeat("n", 300), "p/.a.part")
		list = append(list, ipc.Entry{Key: []byte(key), Size: s.number(truth.size), ETag: s.text()})
	}
	return list
}

// word returns anything that a worker can say about a job.
func (s *source) word(job *ipc.Job, truth *truth) (id uint64, m ipc.Message) {
	id, get := job.ID, job.Get
	if s.odd(16) {
		id = pick(s, 0, id+1, id-1, math.MaxUint64)
	}
	if get == nil {
		get = &ipc.Get{Size: truth.size, Length: truth.size}
	}
	switch s.draw(12) {
	case 0, 1, 2:
		r := truth.answer(job)
		r.ID = id
		return id, r
	case 3, 4:
		o := s.object(truth)
		return id, &ipc.Found{ID: id, Object: o, Chosen: s.chosen(&o, get)}
	case 5, 6:
		return id, &ipc.Progress{ID: id, Written: s.number(0, 1, get.Length, get.Length/2), Sum: uint64(s.number(0)), Record: uint64(s.number(0)), Also: s.also(job)}
	case 7:
		return id, &ipc.Retry{
			ID: id, Attempt: int(s.number(1, 2)), Wait: time.Duration(s.number(0, 1)), Cause: s.text(), Request: s.text(),
			Kind: pick(s, failure.KindUnexpected, failure.KindStalled, "", "nonsense"),
		}
	case 8:
		return id, &ipc.Listed{ID: id, Entries: s.entries(truth)}
	}
	r := &ipc.Result{ID: id, Request: s.text()}
	if s.odd(8) {
		r.Err = s.wire()
		return id, r
	}
	op := job.Op()
	if s.odd(8) {
		op = pick(s, ipc.OpHead, ipc.OpGet, ipc.OpParts, ipc.OpList, ipc.OpRead, "")
	}
	switch op {
	case ipc.OpHead:
		r.Head = &ipc.HeadResult{Object: s.object(truth)}
	case ipc.OpGet:
		o := s.object(truth)
		r.Get = &ipc.GetResult{
			Unsuited: s.odd(4), Object: o, Chosen: s.chosen(&o, get), Written: s.number(get.Length, o.Size),
			Sum: uint64(s.number(0)), Digest: s.digest(), Record: uint64(s.number(0)), Also: s.also(job),
		}
	case ipc.OpParts:
		r.Parts = &ipc.PartsResult{Layout: s.layout(truth.size)}
		for range s.draw(4) {
			r.Parts.Parts = append(r.Parts.Parts, proof.PartSum{Algorithm: s.algorithm(), Value: s.text()})
		}
	case ipc.OpList:
		r.List = &ipc.Page{Entries: s.entries(truth), Next: pick(s, "", "a", "b", fmt.Sprint(len(s.data)))}
	case ipc.OpRead:
		r.Read = &ipc.ReadResult{Sum: uint64(s.number(0)), Digest: s.digest(), Record: uint64(s.number(0)), Also: s.also(job)}
	}
	return id, r
}
