package exchange

import (
	"encoding/base64"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// truth is the object that honest workers tell of: zeros.
type truth struct {
	size  int64
	parts bool // S3 has a digest of digests of parts, of five bytes each
}

func (o *truth) object() ipc.Object {
	object := ipc.Object{Size: o.size, ETag: `"e"`}
	if !o.parts {
		object.Stored = []checksum.Stored{{Algorithm: checksum.CRC64NVME, Kind: checksum.FullObject, Value: text(sum(checksum.CRC64NVME, o.size))}}
		return object
	}
	h, count := checksum.SHA256.New(), 0
	for at := int64(0); at < o.size; at += 5 {
		h.Write(sum(checksum.SHA256, min(5, o.size-at)))
		count++
	}
	object.Stored = []checksum.Stored{{Algorithm: checksum.SHA256, Kind: checksum.Composite, Value: text(h.Sum(nil)), Parts: count}}
	return object
}

// expect returns what a caller expects of the object; of one that is larger by more bytes, it is
// wrong.
func (o *truth) expect(more int64) (list []checksum.Stored) {
	for _, a := range []checksum.Algorithm{checksum.SHA256, checksum.CRC32, checksum.CRC64NVME} {
		list = append(list, checksum.Stored{Algorithm: a, Kind: checksum.Expected, Value: text(sum(a, o.size+more))})
	}
	return list
}

func (o *truth) layout() proof.Layout {
	l, _ := proof.UniformLayout(o.size, 5, int((o.size+4)/5))
	return l
}

// sum returns the checksum of n zeros.
func sum(a checksum.Algorithm, n int64) []byte {
	h := a.New()
	h.Write(make([]byte, n))
	return h.Sum(nil)
}

func text(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }

func choose(o *ipc.Object, get *ipc.Get) *checksum.Stored {
	if !get.Unconfirmed || !get.Choose {
		return nil
	}
	if c, ok := proof.Choose(o.Stored, get.OneRange, proof.Layout{}); ok {
		return &c
	}
	return nil
}

// most is the longest range whose bytes are summed here.
const most = 1 << 10

// answer is what an honest worker answers. Of a range of an object that is not the true one it
// answers as if that were there.
func (o *truth) answer(job *ipc.Job) *ipc.Result {
	r := &ipc.Result{ID: job.ID}
	object := o.object()
	switch job.Op() {
	case ipc.OpHead:
		if job.Head.Layout && proof.NeedsLayout(object.Stored) {
			object.Layout = o.layout()
		}
		r.Head = &ipc.HeadResult{Object: object}
	case ipc.OpParts:
		r.Parts = &ipc.PartsResult{}
	case ipc.OpList:
		r.List = &ipc.Page{Entries: []ipc.Entry{{Key: []byte(job.List.Prefix + "key"), Size: o.size, ETag: object.ETag}}}
	case ipc.OpRead:
		sums := checksum.NewSums(job.Read.Checksum, job.Read.Record, job.Read.Also...)
		sums.Write(make([]byte, min(most, job.Read.Length)))
		r.Read = &ipc.ReadResult{Sum: sums.Proof, Digest: sums.Bytes(), Record: sums.Record, Also: sums.Also(true)}
	case ipc.OpGet:
		get := job.Get
		if get.Size == ipc.SizeUnknown && (o.size >= get.Limit || get.Choose && o.parts) {
			r.Get = &ipc.GetResult{Unsuited: true}
			break
		}
		length := get.Length
		if get.Size != ipc.SizeUnknown {
			object.Size = get.Size
		} else {
			length = o.size
		}
		algorithm, chosen := get.Checksum, choose(&object, get)
		if chosen != nil {
			algorithm = chosen.Algorithm
		}
		sums := checksum.NewSums(algorithm, get.Record, get.Also...)
		sums.Write(make([]byte, min(most, length)))
		r.Get = &ipc.GetResult{
			Object: object, Chosen: chosen, Written: length,
			Sum: sums.Proof, Digest: sums.Bytes(), Record: sums.Record, Also: sums.Also(true),
		}
	}
	return r
}
