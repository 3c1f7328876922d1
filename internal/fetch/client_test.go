package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// patience is how long a test waits for an event that must happen. Only a test that hangs exceeds
// it.
const patience = 2 * time.Minute

const (
	kib = 1 << 10
	mib = 1 << 20
)

func startOrigin(t *testing.T, optFns ...func(*s3test.Options)) *s3test.Server {
	t.Helper()
	s := s3test.Start(optFns...)
	t.Cleanup(s.Close)
	return s
}

// newClient makes a client of origin that makes three attempts.
func newClient(t *testing.T, origin *s3test.Server, optFns ...func(*settings.Settings)) *fetch.Client {
	t.Helper()
	return newClientWith(t, origin, &keys{access: "AKIDEXAMPLE", secret: "any"}, optFns...)
}

func newClientWith(t *testing.T, origin *s3test.Server, credentials fetch.Refresher, optFns ...func(*settings.Settings)) *fetch.Client {
	t.Helper()
	s := settings.Settings{
		Client: settings.Client{
			Region: s3test.Region, BaseEndpoint: aws.String(origin.URL()), UsePathStyle: true, RetryMode: aws.RetryModeStandard,
		},
		HTTP:  settings.HTTP{DialTimeout: patience, TLSHandshakeTimeout: patience, IdleConnTimeout: time.Hour},
		Slots: 2, MaxAttempts: 3, StallTimeout: patience, UserAgent: "processpool/test", CABundle: origin.CAPEM(), Hurry: 10,
	}
	for _, fn := range optFns {
		fn(&s)
	}
	c, err := fetch.New(fetch.Options{Settings: s, Credentials: credentials})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func attempts(n int) func(*settings.Settings) {
	return func(s *settings.Settings) { s.MaxAttempts = n }
}

func stall(d time.Duration) func(*settings.Settings) {
	return func(s *settings.Settings) { s.StallTimeout = d }
}

// keys is a Refresher whose Refresh replaces the credentials.
type keys struct {
	access, secret, token string
	refreshed             atomic.Int64
	next                  func(*keys)
	err                   error
}

func (k *keys) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: k.access, SecretAccessKey: k.secret, SessionToken: k.token}, k.err
}

func (k *keys) Refresh() {
	k.refreshed.Add(1)
	if k.next != nil {
		k.next(k)
	}
}

// memory is a file in memory. Its write of number failAt, from 1, fails.
type memory struct {
	mu     sync.Mutex
	data   []byte
	writes int
	failAt int
	err    error
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes++; m.writes == m.failAt {
		return 0, m.err
	}
	if need := int(off) + len(p); need > len(m.data) {
		m.data = append(m.data, make([]byte, need-len(m.data))...)
	}
	return copy(m.data[off:], p), nil
}

// object is the origin's object b/k.
type object struct {
	data []byte
	etag string
}

func putObject(origin *s3test.Server, size int64, optFns ...func(*s3test.Object)) object {
	data := s3test.PatternBytes(uint64(size), size)
	return object{data, origin.Put("b", "k", data, optFns...).ETag}
}

func (o object) job(offset, length int) *ipc.Job {
	return &ipc.Job{
		ID: 7, Bucket: "b", Key: "k",
		Get: &ipc.Get{
			ETag: o.etag, Size: int64(len(o.data)),
			Offset: int64(offset), Length: int64(length), Checksum: checksum.CRC64NVME,
		},
	}
}

// whole is a job without a Range.
func (o object) whole() *ipc.Job {
	job := o.job(0, len(o.data))
	job.Get.Whole = true
	return job
}

// want compares the outcome of a job with the object: the file must hold the range and nothing
// before it, and the result its checksum.
func (o object) want(t *testing.T, job *ipc.Job, m *memory, r *ipc.GetResult, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
		return
	}
	offset, length, algorithm := job.Get.Offset, job.Get.Length, job.Get.Checksum
	if length == ipc.SizeUnknown {
		length = int64(len(o.data))
	}
	want := o.data[offset : offset+length]
	if got := m.data[min(int(offset), len(m.data)):]; !bytes.Equal(got, want) {
		t.Errorf("got %d bytes that differ, want %d", len(got), len(want))
	}
	if i := bytes.IndexFunc(m.data[:min(int(offset), len(m.data))], func(r rune) bool { return r != 0 }); i >= 0 {
		t.Errorf("byte %d was written, before the range", i)
	}
	if r.Written != length {
		t.Errorf("got %d bytes, want %d", r.Written, length)
	}
	switch {
	case algorithm == "":
	case algorithm.Combines():
		if sum := algorithm.Update(0, want); r.Sum != sum {
			t.Errorf("got %s %x, want %x", algorithm, r.Sum, sum)
		}
	default:
		h := algorithm.New()
		h.Write(want)
		if sum := h.Sum(nil); !bytes.Equal(r.Digest, sum) {
			t.Errorf("got %s %x, want %x", algorithm, r.Digest, sum)
		}
	}
}

// wantRequests compares the Range of each request, in order, with want; "" is a request without
// one.
func wantRequests(t *testing.T, origin *s3test.Server, want ...string) {
	t.Helper()
	var got []string
	for _, r := range origin.Requests() {
		got = append(got, r.Range)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got requests %q, want %q", got, want)
	}
}

func wantCount(t *testing.T, origin *s3test.Server, want int) {
	t.Helper()
	if got := len(origin.Requests()); got != want {
		t.Errorf("got %d requests, want %d", got, want)
	}
}

func wantError(t *testing.T, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("got error %v, want one that is %v", err, w)
		}
	}
}

func TestRanges(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 3*mib+7)
	c := newClient(t, origin)
	for _, r := range [][2]int{
		{0, 1}, {0, 2}, {5, 1}, {0, mib - 1}, {0, mib}, {0, mib + 1}, {1, 2 * mib}, {mib, 2*mib + 7}, {3*mib + 6, 1}, {0, 3*mib + 7},
	} {
		algorithms := []checksum.Algorithm{checksum.CRC64NVME}
		if r[0] == 1 { // once is enough
			algorithms = append(algorithms, "", checksum.CRC32C, checksum.CRC32, checksum.SHA1, checksum.SHA256, checksum.MD5)
		}
		for _, algorithm := range algorithms {
			t.Run(fmt.Sprintf("offset=%d,length=%d,%s", r[0], r[1], algorithm), func(t *testing.T) {
				origin.ResetRequests()
				m, job := &memory{}, o.job(r[0], r[1])
				job.Get.Checksum = algorithm
				result, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
				o.want(t, job, m, result, err)
				wantRequests(t, origin, fmt.Sprintf("bytes=%d-%d", r[0], r[0]+r[1]-1))
				if got := origin.Requests()[0].IfMatch; got != o.etag {
					t.Errorf("got If-Match %q, want %q", got, o.etag)
				}
			})
		}
	}
	if n := origin.Connections(); n != 1 {
		t.Errorf("got %d connections for one request at a time, want 1", n)
	}
}

func TestWholeObject(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	for _, size := range []int64{0, 1, mib - 1, mib, mib + 1, 2*mib + 5} {
		t.Run(fmt.Sprintf("size=%d", size), func(t *testing.T) {
			o := putObject(origin, size)
			origin.ResetRequests()
			m, job := &memory{}, o.whole()
			result, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
			o.want(t, job, m, result, err)
			wantRequests(t, origin, "")
			if err == nil && (result.Object.Size != size || result.Object.ETag != o.etag || result.Object.LastModified.IsZero()) {
				t.Errorf("got object %+v", result.Object)
			}
		})
	}
}

// TestTLS reads through crypto/tls, with its records of 16 KiB.
func TestTLS(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t, func(o *s3test.Options) { o.TLS = true })
	o := putObject(origin, 3*mib+7)
	c := newClient(t, origin)
	for _, length := range []int{1, 16 * kib, 300 * kib, mib, 3 * mib} {
		t.Run(fmt.Sprintf("length=%d", length), func(t *testing.T) {
			m, job := &memory{}, o.job(5, length)
			result, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
			o.want(t, job, m, result, err)
		})
	}
	if n := origin.Connections(); n != 1 {
		t.Errorf("got %d connections, want 1", n)
	}

	distrustful := newClient(t, origin, func(s *settings.Settings) { s.CABundle = nil })
	origin.ResetRequests()
	_, _, err := distrustful.Get(t.Context(), o.job(0, 5), &memory{}, fetch.Observer{Retrying: func(_ int, _ time.Duration, err error) {
		t.Errorf("%v is retried", err)
	}})
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the CA: got %v, want an error of the certificate", err)
	}
	wantCount(t, origin, 0)
	trusting := newClient(t, origin, func(s *settings.Settings) { s.CABundle, s.HTTP.InsecureSkipVerify = nil, true })
	if _, _, err := trusting.Get(t.Context(), o.job(0, 5), &memory{}, fetch.Observer{}); err != nil {
		t.Errorf("InsecureSkipVerify: got %v", err)
	}
}

func TestConcurrentGets(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 2*mib)
	c := newClient(t, origin, func(s *settings.Settings) { s.Slots = 4 })
	origin.Inject(s3test.Fault{Times: 4, Cut: true, CutAfter: 70 * kib})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			m, job := &memory{}, o.job(i*mib/16, mib+i*mib/16)
			result, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
			o.want(t, job, m, result, err)
		})
	}
	wg.Wait()
}

func TestArguments(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	key, sum := "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "KYvwGXoFFJ42a2u2GDWhwQ=="
	origin.SetVersioning("b", true)
	version := origin.Put("b", "k", []byte("0123456789"), s3test.WithSSEC(key)).VersionID
	origin.Put("b", "k", []byte("newer"))
	args := ipc.Args{
		ChecksumMode: "ENABLED", VersionID: version, SSECustomerAlgorithm: "AES256", SSECustomerKey: key, SSECustomerKeyMD5: sum,
		RequestPayer: "requester", ExpectedBucketOwner: s3test.DefaultOwner,
	}
	c := newClient(t, origin)
	head, err := c.Head(t.Context(), &ipc.Job{Bucket: "b", Key: "k", Args: args, Head: &ipc.Head{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := head.Object
	if o.Size != 10 || o.VersionID != version || !o.Encrypted {
		t.Errorf("got %+v", o)
	}
	for _, s := range o.Stored {
		if s.Kind == checksum.ETag {
			t.Error("the ETag of an encrypted object is taken for an MD5")
		}
	}
	m := &memory{}
	job := &ipc.Job{Bucket: "b", Key: "k", Args: args, Get: &ipc.Get{ETag: o.ETag, Size: 10, Length: 10}}
	r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
	if err != nil || string(m.data) != "0123456789" || r.Object.VersionID != version || !r.Object.Encrypted {
		t.Errorf("got %q, %+v, %v", m.data, r, err)
	}
	for _, request := range origin.Requests() {
		for name, want := range map[string]string{
			"X-Amz-Checksum-Mode":                             "ENABLED",
			"X-Amz-Server-Side-Encryption-Customer-Algorithm": "AES256",
			"X-Amz-Server-Side-Encryption-Customer-Key":       key,
			"X-Amz-Server-Side-Encryption-Customer-Key-Md5":   sum,
			"X-Amz-Request-Payer":                             "requester",
			"X-Amz-Expected-Bucket-Owner":                     s3test.DefaultOwner,
		} {
			if got := request.Header.Get(name); got != want {
				t.Errorf("%s: got %s %q, want %q", request.Method, name, got, want)
			}
		}
		if request.VersionID != version {
			t.Errorf("%s: got version %q, want %q", request.Method, request.VersionID, version)
		}
	}
}

// TestNoArguments: fields that are not set are not sent.
func TestNoArguments(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 10)
	c := newClient(t, origin)
	if _, err := c.Head(t.Context(), &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}, nil); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Get(t.Context(), o.job(0, 5), &memory{}, fetch.Observer{}); err != nil {
		t.Error(err)
	}
	for _, r := range origin.Requests() {
		for name := range r.Header {
			for _, prefix := range []string{"X-Amz-Checksum", "X-Amz-Server", "X-Amz-Request-Payer", "X-Amz-Expected", "If-None", "If-Mod"} {
				if strings.HasPrefix(name, prefix) {
					t.Errorf("%s: %s is sent", r.Method, name)
				}
			}
		}
		if len(r.Query) > 1 || r.VersionID != "" {
			t.Errorf("%s: got query %v", r.Method, r.Query)
		}
	}
}

func TestSignature(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t, func(o *s3test.Options) { o.AccessKey, o.SecretKey = "AKID", "secret" })
	o := putObject(origin, 10)
	get := func(c *fetch.Client) error {
		_, _, err := c.Get(t.Context(), o.job(2, 5), &memory{}, fetch.Observer{})
		return err
	}
	if err := get(newClientWith(t, origin, &keys{access: "AKID", secret: "secret"})); err != nil {
		t.Error(err)
	}
	if err := get(newClientWith(t, origin, &keys{access: "AKID", secret: "wrong"})); err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch") {
		t.Errorf("another secret: got %v", err)
	}
	origin.ResetRequests()
	anonymous := newClientWith(t, origin, nil, func(s *settings.Settings) { s.Client.Anonymous = true })
	if err := get(anonymous); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("anonymous: got %v", err)
	}
	if got := origin.Requests()[0].Header.Get("Authorization"); got != "" {
		t.Errorf("anonymous: got Authorization %q", got)
	}
}

// TestEncodedObject: the bytes are not decoded, whatever Content-Encoding says.
func TestEncodedObject(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000, func(o *s3test.Object) { o.Header = map[string]string{"Content-Encoding": "gzip"} })
	m, job := &memory{}, o.whole()
	r, _, err := newClient(t, origin).Get(t.Context(), job, m, fetch.Observer{})
	o.want(t, job, m, r, err)
	if got := origin.Requests()[0].Header.Get("Accept-Encoding"); strings.Contains(got, "gzip") {
		t.Errorf("got Accept-Encoding %q", got)
	}
}

func TestClientOptionsComeLast(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 10)
	s := settings.Settings{Client: settings.Client{Region: "nowhere", Anonymous: true}, Slots: 1, MaxAttempts: 1, StallTimeout: patience}
	c, err := fetch.New(fetch.Options{Settings: s}, func(o *s3.Options) { o.BaseEndpoint = aws.String(origin.URL()) }, origin.ClientOptions())
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{}
	if _, _, err := c.Get(t.Context(), o.job(0, 10), m, fetch.Observer{}); err != nil {
		t.Error(err)
	}
}
