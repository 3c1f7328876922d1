package ipc

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/proof"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// sized returns a message in a frame of length bytes. index selects the kind, of those that a server
// or a caller can make as large as they like.
func sized(t testing.TB, index, length int) Message {
	object := Object{LastModified: time.Unix(1, 0).UTC()}
	var m Message
	var pad *string
	switch index {
	case 0:
		s := &Setup{}
		m, pad = s, &s.Settings.UserAgent
	case 1:
		j := &Job{ID: 1, Head: &Head{}}
		m, pad = j, &j.Key
	case 2:
		j := &Job{ID: 1, List: &List{}}
		m, pad = j, &j.List.Prefix
	case 3:
		j := &Job{ID: 1, Parts: &Parts{}}
		m, pad = j, &j.Parts.ETag
	case 4:
		c := &Credentials{}
		m, pad = c, &c.SessionToken
	case 5:
		f := &Found{ID: 1, Object: object}
		m, pad = f, &f.Object.ETag
	case 6:
		r := &Retry{ID: 1}
		m, pad = r, &r.Cause
	case 7:
		r := &Result{ID: 1, Head: &HeadResult{Object: object}}
		m, pad = r, &r.Head.Object.ETag
	case 8:
		r := &Result{ID: 1, Get: &GetResult{Object: object}}
		m, pad = r, &r.Get.Object.VersionID
	case 9:
		r := &Result{ID: 1, List: &Page{}}
		m, pad = r, &r.List.Next
	case 10:
		r := &Result{ID: 1, Parts: &PartsResult{Parts: make([]proof.PartSum, 1)}}
		m, pad = r, &r.Parts.Parts[0].Value
	case 11:
		r := &Result{ID: 1, Err: &failure.Wire{}}
		m, pad = r, &r.Err.Text
	case 12:
		l := &Listed{ID: 1, Entries: []Entry{{Key: []byte("k")}}}
		m, pad = l, &l.Entries[0].ETag
	case 13:
		a := &Attempt{ID: 1}
		m, pad = a, &a.RequestID
	default:
		a := &Ask{}
		m, pad = a, &a.RefusedToken
	}
	*pad = "x" // some fields are omitted if they are empty
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	*pad = strings.Repeat("x", length-len(body)) // the kind takes a byte, as the first x does
	return m
}

const sizedKinds = 15

// FuzzSizes: a message of any kind that fits into a frame arrives, whatever its size. Another is
// refused before a byte of it is sent, and the next message arrives.
func FuzzSizes(f *testing.F) {
	for index := range sizedKinds {
		for _, over := range []int8{0, 1} {
			f.Add(uint8(index), over)
		}
	}
	f.Fuzz(func(t *testing.T, index uint8, over int8) {
		leak.Check(t)
		a, b := pipe(t)
		if int(index)%sizedKinds > 4 { // a worker's
			a, b = b, a
		}
		m := sized(t, int(index)%sizedKinds, MaxFrame+int(over))
		sent := make(chan error, 1)
		go func() {
			err := a.Send(m, nil)
			sent <- errors.Join(err, a.Send(&Ping{}, nil))
		}()
		if over <= 0 {
			receiveWant(t, b, m, "")
		}
		receiveWant(t, b, &Ping{}, "")
		err := <-sent
		var unsendable *UnsendableError
		if got, want := errors.As(err, &unsendable), over > 0; got != want {
			t.Errorf("%T of %d bytes over the limit: got %v", m, over, err)
		}
		if name := reflect.TypeOf(m).Elem().Name(); over > 0 && !strings.Contains(err.Error(), "cannot send "+name) {
			t.Errorf("got %v, want the kind %s", err, name)
		}
	})
}

// TestLargestObject: what S3 keeps of an object of 10,000 parts, the most there are, has a frame
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
func TestLargestObject(t *testing.T) {
	const parts = 10_000
	layout := proof.Layout{Size: 5 << 40}
	sums := make([]proof.PartSum, parts)
	for i := range parts {
		layout.Ends = append(layout.Ends, 5<<40-parts+int64(i))
		sums[i] = proof.PartSum{Algorithm: checksum.SHA256, Value: strings.Repeat("A", 44)}
	}
	for _, m := range []Message{
		&Result{Parts: &PartsResult{Layout: layout, Parts: sums}},
		&Result{Head: &HeadResult{Object: Object{Layout: layout}, Parts: sums}},
	} {
		if err := Check(m); err != nil {
			t.Error(err)
		}
	}
}

// TestNoFrame: a value that JSON cannot express is no error of the socket.
func TestNoFrame(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	late := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	var unsendable *UnsendableError
	if err := a.Send(&Credentials{Expires: late}, nil); !errors.As(err, &unsendable) {
		t.Errorf("got %v, want an *UnsendableError", err)
	}
	send(t, a, &Ping{}, nil)
	receiveWant(t, b, &Ping{}, "")
}

// TestEntryFrameSize: no entry takes more than it says, however it is escaped.
func TestEntryFrameSize(t *testing.T) {
	worst := strings.Repeat("<\x01\u2028\xff", 50)
	for _, e := range []Entry{
		{}, {Key: []byte("k")}, {Key: []byte(worst), ETag: worst, StorageClass: worst},
		{Size: 1<<63 - 1, LastModified: time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("", -8*60*60))},
	} {
		p, err := json.Marshal([]Entry{e})
		if err != nil || len(p)-1 > e.FrameSize() {
			t.Errorf("got %d bytes, %v, want at most %d", len(p), err, e.FrameSize())
		}
	}
}

// A frame of more values than a message can have is not decoded: in memory they would take far more.
func TestTooManyValues(t *testing.T) {
	commas := func(n int) []byte {
		return []byte(`{"ID":1,"Request":"a\\\",\\","List":{"Entries":[` + strings.Repeat("{},", n-2) + `{}]}}`)
	}
	for n, want := range map[int]bool{10: true, maxCommas: true, maxCommas + 1: false} {
		if err := checkCommas(commas(n)); (err == nil) != want {
			t.Errorf("%d commas: got %v", n, err)
		}
	}
	body := commas(5 << 20)
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+1)), byte(kindResult))
	allocated := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, _, err := decodeFrame(append(frame, body...)); err == nil || !strings.Contains(err.Error(), "values") {
				b.Fatalf("got %v", err)
			}
		}
	}).AllocedBytesPerOp()
	if allocated > 2*int64(len(body)) {
		t.Errorf("got %d bytes allocated for a frame of %d", allocated, len(body))
	}
}
