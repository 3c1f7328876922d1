//go:build unix

package pool

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// page is a buffer that may be written and read concurrently.
type page struct {
	sync.Mutex
	bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.Lock()
	defer p.Unlock()
	return p.Buffer.Write(b)
}

func (p *page) lines() []string {
	p.Lock()
	defer p.Unlock()
	return strings.Split(strings.TrimSuffix(p.String(), "\n"), "\n")
}

// traced prints the trace to out.
func traced(out *page) func(*Options) { return func(o *Options) { o.Trace = out } }

// TestTrace: with PROCESSPOOLDEBUG=ipc each frame is one line, from the handshake to the Stop.
func TestTrace(t *testing.T) {
	leak.Check(t)
	t.Setenv(debugVariable, "ipc")
	out := &page{}
	c := newCrew(t, "write", traced(out))
	w := next[Up](c).Worker
	w.Job(&ipc.Job{ID: 12, Bucket: "b", Key: "k", Get: &ipc.Get{Size: 3, Length: 3}}, tempFile(t))
	next[Result](c)
	c.end()
	worker := fmt.Sprintf("processpool ipc: worker %d ", w.PID())
	want := []string{
		fmt.Sprintf("-> Hello version %d pid %d", ipc.Version, w.PID()),
		fmt.Sprintf(`<- Setup version %d region "" seat 0 slots 1 attempts 0 retry timeout 0s stall timeout 0s`, ipc.Version),
		"-> Ready",
		"<- Job 12 GetObject s3://b/k bytes 0-2 of 3",
		"-> Result 12 GetObject 3 bytes written",
		"<- Stop",
	}
	got := out.lines()
	if len(got) != len(want) {
		t.Fatalf("got\n%s\nwant %d lines", strings.Join(got, "\n"), len(want))
	}
	for i := range want {
		if got[i] != worker+want[i] {
			t.Errorf("got  %s\nwant %s", got[i], worker+want[i])
		}
	}
}

// TestTraceHidesSecrets: credentials and certificates do not reach the trace. See also the tests of
// ipc.Describe.
func TestTraceHidesSecrets(t *testing.T) {
	leak.Check(t)
	t.Setenv(debugVariable, "other,ipc")
	const canary = "not-to-be-seen"
	out := &page{}
	c := newCrew(t, "ask", traced(out), func(o *Options) {
		o.Settings.CABundle = []byte(canary)
		o.Settings.Client.BaseEndpoint = aws.String("http://" + canary + ":" + canary + "@localhost")
		o.Credentials = credentials.NewStaticCredentialsProvider(canary, canary, canary)
	})
	told(c)
	c.end()
	for _, line := range out.lines() {
		// The script sends the access key as a Retry's cause.
		if strings.Contains(line, canary) && !strings.Contains(line, "-> Retry ") {
			t.Errorf("the trace shows a secret: %s", line)
		}
	}
	text := strings.Join(out.lines(), "\n")
	for _, want := range []string{"-> Ask for credentials", "<- Credentials from StaticCredentials"} {
		if !strings.Contains(text, want) {
			t.Errorf("got\n%s\nwant %q", text, want)
		}
	}
}

// TestNoTrace: without the variable there is no tracer, and so no cost but that of a comparison.
func TestNoTrace(t *testing.T) {
	for _, value := range []string{"", "0", "ipcx", "IPC", "other"} {
		t.Setenv(debugVariable, value)
		if New(Options{}).trace != nil {
			t.Errorf("%s=%q: got a trace", debugVariable, value)
		}
	}
}
