package ipc

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/proof"
	"github.com/s3processpool/processpool/internal/settings"
)

// messages holds every kind in the order of the kinds, some of them more than once. Together they
// set each field that there is.
var messages = []Message{
	&Hello{Version: 7, PID: 4711},
	&Setup{Version: 7, Settings: settings.Settings{
		Client: settings.Client{
			Region: "eu-central-1", BaseEndpoint: aws.String("http://localhost:9000"), UsePathStyle: true,
		},
		HTTP:  settings.HTTP{DialTimeout: time.Second, InsecureSkipVerify: true},
		Slots: 3, MaxAttempts: 4, RetryTimeout: time.Hour, Hurry: 2, StallTimeout: time.Minute, CABundle: []byte("PEM\x00"), UserAgent: "a/b",
	}},
	&Ready{},
	get("key with a space, an ü, a \u2028 and a \x00"),
	&Job{ID: 2, Bucket: "bucket", Key: "key", NoETag: true, Head: &Head{Layout: true, Range: &Range{Offset: 3, Length: 4}, IfMatch: `"m"`, IfNoneMatch: `"n"`}},
	&Job{ID: 3, Bucket: "bucket", Key: "key", Parts: &Parts{ETag: `"e"`, Size: 1<<63 - 1}},
	&Job{ID: 4, Bucket: "bucket", List: &List{Prefix: "a/\x01", Delimiter: "/", Token: "token"}},
	&Job{ID: 5, Bucket: "bucket", Key: "key", Read: &Read{
		Offset: 8 << 20, Length: 5, Checksum: checksum.SHA256, Record: checksum.CRC64NVME, Also: []checksum.Algorithm{checksum.MD5},
	}},
	&Cancel{ID: 5, Waiting: true},
	&Found{ID: 6, Object: object, Chosen: &object.Stored[0]},
	&Progress{ID: 7, Written: 8, Sum: 1<<64 - 1, Record: 9, Also: [][]byte{nil, {1}}},
	&Retry{ID: 8, Attempt: 2, Wait: time.Second, Asked: 1, Cause: "the line\nbroke", Request: "id", Kind: failure.KindConnection},
	&Result{ID: 9, Request: "id", Get: &GetResult{
		Unsuited: true, Object: object, Chosen: &object.Stored[0],
		Written: 10, Direct: 8, Sum: 11, Digest: []byte{0, 255}, Record: 12, Also: [][]byte{{3}},
	}},
	&Result{ID: 10, Head: &HeadResult{Object: object, Parts: []proof.PartSum{{Algorithm: checksum.SHA256, Value: "AA=="}}}},
	&Result{ID: 11, Parts: &PartsResult{
		Layout: object.Layout, Parts: []proof.PartSum{{Algorithm: checksum.SHA256, Value: "AA=="}},
	}},
	&Result{ID: 12, List: &Page{Prefixes: 1, Next: "token", Entries: []Entry{{
		Key: []byte("a\xff\x00<\u2028"), Size: 1, ETag: `"e"`, LastModified: time.Unix(3, 0).UTC(),
		StorageClass: "GLACIER",
	}}}},
	&Result{ID: 13, Read: &ReadResult{Sum: 11, Digest: []byte{0, 255}, Record: 12, Also: [][]byte{{3}}}},
	&Result{ID: 15, Waited: true},
	&Result{ID: 14, Err: &failure.Wire{
		Text: "text", Sentinels: []string{"stalled"}, Errno: 28, Call: "write",
		API: &failure.API{Code: "SlowDown", Status: 503},
	}},
	&Ask{RefusedKey: "AKID", RefusedToken: "token"},
	&Credentials{
		AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "token", AccountID: "111122223333",
		Source: "test", CanExpire: true, Expires: time.Unix(1, 2).UTC(), Err: "none",
	},
	&Ping{},
	&Pong{},
	&Stop{},
	&Handle{Number: 1<<64 - 1},
	&Listed{ID: 15, Entries: []Entry{{Key: []byte("a\xff"), Size: 1}, {Key: []byte("b")}}},
	&Attempt{
		ID: 16, Op: OpGet, Offset: 8 << 20, Length: SizeUnknown, Number: 2, Start: 1, End: 1<<63 - 1, Bytes: 3, Status: 503,
		RequestID: "id", HostID: "id2", RemoteAddr: "127.0.0.1:80", Err: &failure.Wire{Text: "text"}, Ends: true,
	},
	&Direct{ID: 17},
	&RateLimit{BytesPerSecond: 1<<63 - 1},
	&Connect{Bucket: "bucket"},
}

var object = Object{
	Size: 5 << 40, ETag: `"e"`, VersionID: "v", LastModified: time.Unix(1700000000, 0).UTC(), Encrypted: true, Barred: true,
	Stored: []checksum.Stored{{Algorithm: checksum.CRC64NVME, Kind: checksum.FullObject, Value: "AAAAAAAAAAA=", Parts: 2}},
	Layout: proof.Layout{Uniform: 5, Ends: []int64{5, 6}, Size: 6},
	Details: &Details{
		ContentType: "text/plain", ContentEncoding: "gzip", StorageClass: "GLACIER",
		Metadata: map[string]string{"k": "v"}, Checksums: []Sum{{Algorithm: "CRC32", Value: "AAAAAA==-2"}},
	},
}

// get returns a Job that carries a file.
func get(key string) *Job {
	return &Job{
		ID: 1<<64 - 1, Bucket: "bucket", Key: key,
		Args: Args{
			ChecksumMode: "ENABLED", VersionID: "v", SSECustomerAlgorithm: "AES256", SSECustomerKey: "key",
			SSECustomerKeyMD5: "md5", RequestPayer: "requester", ExpectedBucketOwner: "111122223333",
		},
		Get: &Get{
			ETag: `"e"`, Size: 1<<63 - 1, Offset: 8 << 20, Length: 5, Base: 4 << 20, Whole: true, Unconfirmed: true, Limit: 3,
			Choose: true, OneRange: true, Checksum: checksum.CRC32C, Record: checksum.CRC64NVME, EachWrite: true, WriteBack: true, Align: 4096, Expected: true, IfNoneMatch: `"n"`,
			Also: []checksum.Algorithm{checksum.CRC32, checksum.SHA512},
		},
	}
}

// TestMessagesAreComplete compares the list above with the kinds and the fields there are, so that
// no test below omits one.
func TestMessagesAreComplete(t *testing.T) {
	var got []kind
	for _, m := range messages {
		if k := m.kind(); len(got) == 0 || got[len(got)-1] != k {
			got = append(got, k)
		}
	}
	for k := kind(1); ; k++ {
		m := newMessage(k)
		if m == nil {
			if int(k)-1 != len(got) {
				t.Errorf("got %d messages for %d kinds", len(got), k-1)
			}
			break
		}
		if m.kind() != k {
			t.Errorf("kind %d makes a %T, whose kind is %d", k, m, m.kind())
		}
		if int(k) > len(got) || got[k-1] != k {
			t.Errorf("the %T of kind %d is not in its place among the messages", m, k)
		}
	}
	if newMessage(0) != nil || newMessage(255) != nil {
		t.Error("kinds 0 and 255 are messages")
	}

	set := map[string]bool{} // the fields of this package's types: whether a message sets them
	for _, m := range messages {
		fields(reflect.ValueOf(m).Elem(), set)
	}
	for name, ok := range set {
		if !ok {
			t.Errorf("no message sets %s", name)
		}
	}
}

// fields notes each field below v of a type of this package, and whether it is set.
func fields(v reflect.Value, set map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fields(v.Elem(), set)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fields(v.Index(i), set)
		}
	case reflect.Struct:
		if v.Type().PkgPath() != reflect.TypeFor[Job]().PkgPath() {
			return
		}
		for i := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(i).Name
			set[name] = set[name] || !v.Field(i).IsZero()
			fields(v.Field(i), set)
		}
	}
}

func TestJobOp(t *testing.T) {
	for _, c := range []struct {
		job  Job
		want Op
	}{
		{Job{Head: &Head{}}, OpHead}, {Job{Get: &Get{}}, OpGet}, {Job{Parts: &Parts{}}, OpParts},
		{Job{List: &List{}}, OpList}, {Job{Read: &Read{}}, OpRead},
		{Job{}, ""}, {Job{Head: &Head{}, Get: &Get{}}, ""},
	} {
		if got := c.job.Op(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.job, got, c.want)
		}
		if got, want := carriesFile(&c.job), c.job.Get != nil || c.job.Read != nil; got != want {
			t.Errorf("%+v: carries a file: got %v, want %v", c.job, got, want)
		}
	}
}

func TestEncodeDecode(t *testing.T) {
	for _, want := range messages {
		frame, err := appendFrame([]byte("before"), want)
		if err != nil {
			t.Fatalf("%T: %v", want, err)
		}
		frame = bytes.TrimPrefix(frame, []byte("before"))
		got, n, err := decodeFrame(append(frame[:len(frame):len(frame)], "behind"...))
		if err != nil || n != len(frame) || !reflect.DeepEqual(got, want) {
			t.Errorf("%T: got %+v of %d bytes and error %v, want %+v of %d", want, got, n, err, want, len(frame))
		}
		for cut := range frame {
			if m, n, err := decodeFrame(frame[:cut]); m != nil || n != 0 || err != nil {
				t.Fatalf("%T of %d bytes cut at %d: got %v, %d, %v", want, len(frame), cut, m, n, err)
			}
		}
	}
}

func TestEncodeLimit(t *testing.T) {
	m := &Setup{}
	empty, err := appendFrame(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	room := MaxFrame - (len(empty) - 4) + len("null") - len(`""`)
	m.Settings.CABundle = make([]byte, room/4*3) // base64
	m.Settings.UserAgent = strings.Repeat("x", room%4)
	frame, err := appendFrame(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	if length := binary.BigEndian.Uint32(frame); length != MaxFrame {
		t.Fatalf("the test is wrong: got a frame of %d bytes, want %d", length, MaxFrame)
	}
	if _, n, err := decodeFrame(frame); err != nil || n != MaxFrame+4 {
		t.Errorf("length=%d: got %d bytes, error %v", MaxFrame, n, err)
	}
	m.Settings.UserAgent += "x"
	if _, err := appendFrame(nil, m); err == nil || !strings.Contains(err.Error(), "over the limit") {
		t.Errorf("length=%d: got error %v, want one of the limit", MaxFrame+1, err)
	}
}

func TestDecodeNonsense(t *testing.T) {
	for _, c := range []struct {
		frame []byte
		want  string
	}{
		{header(0, 1), "0 bytes is not of this protocol"},
		{header(MaxFrame+1, 1), "16777217 bytes is not of this protocol"},
		{header(1<<32-1, 1), "4294967295 bytes is not of this protocol"},
		{[]byte("GET / HTTP/1.1\r\n"), "is not of this protocol"},
		{[]byte("panic: runtime error\n"), "is not of this protocol"},
		{header(3, 0), "unknown kind 0"},
		{header(3, 21), "unknown kind 21"},
		{header(3, 255), "unknown kind 255"},
		{append(header(3, byte(kindHello)), "{]"...), "decode *ipc.Hello"},
		{append(header(3, byte(kindHello)), "[]"...), "decode *ipc.Hello"},
		{header(1, byte(kindStop)), "decode *ipc.Stop"},
		{append(header(14, byte(kindCancel)), `{"ID":"text"}`...), "decode *ipc.Cancel"},
	} {
		m, n, err := decodeFrame(c.frame)
		if err == nil || m != nil || n != 0 || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "ipc: ") {
			t.Errorf("%q: got %v, %d, %v, want an error with %q", c.frame, m, n, err, c.want)
		}
	}
}

func header(length uint32, kind byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, length), kind)
}

// FuzzDecodeFrame: any bytes decode to a message, to an error, or to nothing yet. Decoding never
// panics, never reads past the bytes, and a decoded message can be encoded again.
func FuzzDecodeFrame(f *testing.F) {
	for _, m := range messages {
		frame, err := appendFrame(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
		f.Add(frame[:len(frame)-1])
	}
	f.Add(header(MaxFrame+1, 1))
	f.Add(append(header(5, byte(kindResult)), "null"...))
	f.Fuzz(func(t *testing.T, p []byte) {
		m, n, err := decodeFrame(p)
		switch {
		case err != nil && (m != nil || n != 0):
			t.Fatalf("got %v and %d bytes beside the error %v", m, n, err)
		case err != nil:
			return
		case (m == nil) != (n == 0) || n > len(p):
			t.Fatalf("got %v of %d bytes out of %d", m, n, len(p))
		case m == nil:
			return
		}
		frame, err := appendFrame(nil, m)
		if err != nil {
			t.Fatalf("%+v cannot be sent again: %v", m, err)
		}
		again, _, err := decodeFrame(frame)
		if err != nil {
			t.Fatalf("%+v cannot be read again: %v", m, err)
		}
		twice, err := appendFrame(nil, again)
		if err != nil || !bytes.Equal(twice, frame) {
			t.Fatalf("got %s, then %s (%v)", frame, twice, err)
		}
	})
}
