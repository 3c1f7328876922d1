package fetch_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// unknown is a job for an object of unknown size.
func unknown(limit int64) *ipc.Job {
	return &ipc.Job{Bucket: "b", Key: "k", Args: ipc.Args{ChecksumMode: "ENABLED"}, Get: &ipc.Get{
		Size: ipc.SizeUnknown, Length: ipc.SizeUnknown, Whole: true, Unconfirmed: true, Limit: limit,
		Choose: true, OneRange: true,
	}}
}

// TestJobIsReadOnly: no operation changes its job.
func TestJobIsReadOnly(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	o := putObject(origin, 2*mib)
	parts := origin.Put("b", "parts", o.data[:100], s3test.WithParts(40, 40, 20), s3test.WithChecksum("sha256", "COMPOSITE"))
	get := func(job *ipc.Job) (any, error) {
		r, _, err := c.Get(t.Context(), job, &memory{}, fetch.Observer{})
		return r, err
	}
	head := func(job *ipc.Job) (any, error) { return c.Head(t.Context(), job, nil) }
	expected := o.whole()
	expected.Get.ETag, expected.Get.Unconfirmed, expected.Get.Choose, expected.Get.OneRange = "", true, true, true
	for _, op := range []struct {
		name string
		job  *ipc.Job
		do   func(*ipc.Job) (any, error)
	}{
		{"head", &ipc.Job{Bucket: "b", Key: "parts", Args: ipc.Args{ChecksumMode: "ENABLED"}, Head: &ipc.Head{Layout: true}}, head},
		{"range", o.job(5, mib), get},
		{"whole", o.whole(), get},
		{"expected size", expected, get},
		{"unknown size", unknown(3 * mib), get},
		{"unsuited", unknown(mib), get},
		{"parts", &ipc.Job{Bucket: "b", Key: "parts", Parts: &ipc.Parts{ETag: parts.ETag, Size: 100}}, func(job *ipc.Job) (any, error) {
			return c.Parts(t.Context(), job, nil)
		}},
		{"list", &ipc.Job{Bucket: "b", List: &ipc.List{}}, func(job *ipc.Job) (any, error) {
			return c.List(t.Context(), job, nil)
		}},
	} {
		t.Run(op.name, func(t *testing.T) {
			origin.ClearFaults()
			origin.Inject(s3test.Fault{Times: 1, Method: "GET", Cut: true, CutAfter: 10})
			data, err := json.Marshal(op.job)
			if err != nil {
				t.Fatal(err)
			}
			before := new(ipc.Job)
			if err := json.Unmarshal(data, before); err != nil {
				t.Fatal(err)
			}
			if result, err := op.do(op.job); err != nil {
				t.Errorf("got %+v, %v", result, err)
			}
			if !reflect.DeepEqual(op.job, before) {
				t.Errorf("the job is %s, and was %s", describe(t, op.job), data)
			}
		})
	}
}

func describe(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestUnknownSize: the first answer tells the size, and the rest of a broken body is asked for with
// a Range.
func TestUnknownSize(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	for _, size := range []int64{0, 1, mib, 2*mib + 1} {
		o := putObject(origin, size)
		origin.ClearFaults()
		if size > 1000 {
			origin.Inject(s3test.Fault{Times: 1, Cut: true, CutAfter: 1000})
		}
		m, job := &memory{}, unknown(size+1)
		var lengths []int64
		r, _, err := c.Get(t.Context(), job, m, fetch.Observer{
			Progress: func(_, length int64, _ *checksum.Sums) { lengths = append(lengths, length) },
		})
		o.want(t, job, m, r, err)
		if err == nil && (r.Object.Size != size || r.Object.ETag != o.etag) {
			t.Errorf("size=%d: got %+v", size, r.Object)
		}
		for _, length := range lengths {
			if length != size {
				t.Errorf("size=%d: progress of a range of %d bytes", size, length)
			}
		}

		m = &memory{}
		r, _, err = c.Get(t.Context(), unknown(size), m, fetch.Observer{})
		if size > 0 && (err != nil || !reflect.DeepEqual(r, &ipc.GetResult{Unsuited: true}) || m.writes != 0) {
			t.Errorf("limit=%d: got %+v, %v and %d writes, want Unsuited and none", size, r, err, m.writes)
		}
	}
}

// TestChosen: the worker reports the checksum that it has chosen, and sums with it.
func TestChosen(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	const small, large = 1000, mib + 1
	full := s3test.WithChecksum("crc64nvme", "FULL_OBJECT")
	for _, test := range []struct {
		name             string
		size             int64
		options          []func(*s3test.Object)
		choose, oneRange bool
		want             checksum.Algorithm // "" = nil
		found            int
	}{
		{name: "not asked", size: small, options: []func(*s3test.Object){full}, oneRange: true},
		{name: "CRC", size: small, options: []func(*s3test.Object){full}, choose: true, want: checksum.CRC64NVME},
		{name: "CRC of a large object", size: large, options: []func(*s3test.Object){full}, choose: true, oneRange: true,
			want: checksum.CRC64NVME, found: 1},
		{name: "MD5 in one range", size: small, options: []func(*s3test.Object){s3test.WithChecksum("", "")}, choose: true, oneRange: true,
			want: checksum.MD5},
		{name: "MD5 in several ranges", size: small, options: []func(*s3test.Object){s3test.WithChecksum("", "")}, choose: true, found: 1},
		{name: "nothing", size: small, options: []func(*s3test.Object){s3test.WithChecksum("", ""), s3test.WithoutETag()},
			choose: true, oneRange: true, found: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := putObject(origin, test.size, test.options...)
			job := o.whole()
			job.Args.ChecksumMode = "ENABLED"
			job.Get.ETag, job.Get.Checksum, job.Get.Unconfirmed = "", "", true
			job.Get.Choose, job.Get.OneRange = test.choose, test.oneRange
			m, found := &memory{}, 0
			var early *checksum.Stored
			r, _, err := c.Get(t.Context(), job, m, fetch.Observer{Found: func(_ ipc.Object, chosen *checksum.Stored) {
				found++
				early = chosen
			}})
			o.want(t, job, m, r, err)
			if err != nil {
				return
			}
			if found != test.found || found > 0 && !reflect.DeepEqual(early, r.Chosen) {
				t.Errorf("Found was called %d times, with %+v, want %d times with %+v", found, early, test.found, r.Chosen)
			}
			if (r.Chosen == nil) != (test.want == "") || r.Chosen != nil && r.Chosen.Algorithm != test.want {
				t.Fatalf("got %+v, want %s", r.Chosen, test.want)
			}
			if r.Chosen == nil {
				return
			}
			if crc := r.Chosen.MatchCRC(r.Sum); crc != test.want.Combines() || !crc && !r.Chosen.MatchDigest(r.Digest) {
				t.Errorf("the sum %x or the digest %x is not %+v", r.Sum, r.Digest, r.Chosen)
			}
		})
	}
}

// TestRequestID: Get returns the id of the last request that S3 answered.
func TestRequestID(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 10)
	c := newClient(t, origin)
	_, first, err := c.Get(t.Context(), o.job(0, 10), &memory{}, fetch.Observer{})
	if err != nil || first == "" {
		t.Errorf("got id %q, %v", first, err)
	}
	origin.Inject(s3test.Fault{Status: 404})
	if _, id, err := c.Get(t.Context(), o.job(0, 10), &memory{}, fetch.Observer{}); err == nil || id != "" {
		t.Errorf("got id %q, %v, want none: the error has its own", id, err)
	}
}
