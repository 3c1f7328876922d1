package commands

import (
	"bytes"
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/embedded"
	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A command line that is wrong starts nothing, and says what to do.
func TestUsage(t *testing.T) {
	s := site.New(t)
	for _, c := range []struct{ args, want string }{
		{"run s3://b/p/", "name a directory"},
		{"run s3://b/p/ d e", `"e" is one argument too many`},
		{"run s3://b/p/* d", "has a wildcard"},
		{"run s3:///p d", "contains no bucket"},
		{"run s3://b/p d --workers 0", "--workers must be at least 1"},
		{"run s3://b/p d --run a.b", "cannot be the name of a run"},
		{"plan", "name a prefix"},
		{"plan s3://b/p --ack-wait 1ms", "--ack-wait is 1ms"},
		{"plan s3://b/p --creds none", "--creds and --tls-ca are for the server of --nats"},
		{"plan s3://b/p --nats nats://127.0.0.1:1", "connect to the NATS server at nats://127.0.0.1:1"},
		{"plan s3://b/p --nats nats://127.0.0.1:1 --creds /none", "--creds: "},
		{"plan s3://b/p --nats nats://127.0.0.1:1 --tls-ca /none", "--tls-ca: "},
		{"plan list --format xml", "want lines, jsonl or csv"},
		{"work d --run none", "the server has no such run on this machine"},
		{"work d --processes 0", "--processes and --requests must be at least 1"},
		{"status", "begin with s3fleet run"},
		{"status --json --prometheus", "json prometheus"},
		{"dead --requeue --json", "json requeue"},
		{"serve --listen none", "--listen"},
		{"work --attached d", "--attached is for s3fleet run alone"},
		{"what", "unknown command"},
	} {
		_, stderr := s.Fleet(2, strings.Fields(c.args)...)
		s.Text(c.args, stderr, "s3fleet: ", c.want)
	}
	if files := s.Tree(s.State); len(files) > 0 {
		t.Errorf("got %d files of servers", len(files))
	}
}

// Each server, run and message that cannot be used is an error that says why.
func TestRefused(t *testing.T) {
	s := site.New(t)
	s.Put(2, 10)
	_, url := s.Serve(t.TempDir(), "127.0.0.1:0")
	origin := []string{"--endpoint", s.Origin.URL()}
	plan := func(status int, args ...string) string {
		t.Helper()
		_, stderr := s.Fleet(status, append(append([]string{"plan"}, args...), origin...)...)
		return stderr
	}
	plan(0, "s3://b/p/", "--nats", url, "--run", "r")
	s.Text("another source", plan(1, "s3://b/q/", "--nats", url, "--run", "r"), "another source", "s3://b/p/", "s3://b/q/", "--fresh")
	_, stderr := s.Fleet(2, append([]string{"work", s.Dir, "--nats", url, "--run", "none"}, origin...)...)
	s.Text("no run", stderr, "run none: the server has no such run")
	s.Text("no token", plan(2, "s3://b/p/", "--nats", "nats://"+url[strings.LastIndexByte(url, '@')+1:]), "refuses the credentials", "--creds")

	none := s.Command(context.Background(), append([]string{"work", s.Dir, "--nats", url, "--run", "r"}, origin...)...)
	none.Env = append(none.Env, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
	out, _ := none.CombinedOutput()
	s.Text("no AWS credentials", string(out), "no AWS credentials", "--no-sign-request")
	if got := none.ProcessState.ExitCode(); got != 2 {
		t.Errorf("no AWS credentials: got status %d, want 2", got)
	}

	nc := s.Connect(url)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	plan(0, "s3://b/p/", "--nats", url, "--run", "message")
	if _, err := js.Publish(t.Context(), "processpool.message.work.1", []byte(`{"v":2,"objects":[]}`)); err != nil {
		t.Fatal(err)
	}
	_, stderr = s.Fleet(1, append([]string{"work", s.Dir, "--nats", url, "--run", "message"}, origin...)...)
	s.Text("message", stderr, "another version", "the message has version 2")

	kv, err := js.KeyValue(t.Context(), "processpool-message")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "record", []byte(`{"v":2}`)); err != nil {
		t.Fatal(err)
	}
	_, stderr = s.Fleet(2, "status", "--nats", url, "--run", "message")
	s.Text("record", stderr, "another version", "it has version 2")

	stream, err := js.Stream(t.Context(), "processpool-r-work")
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.Metadata = map[string]string{"s3fleet": "2"}
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	_, stderr = s.Fleet(2, "status", "--nats", url, "--run", "r")
	s.Text("stream", stderr, "another version", `its stream has version "2"`)
}

// A plan that fails while workers run ends the run. What was planned is not lost.
func TestRunListingFails(t *testing.T) {
	s := site.New(t)
	files := s.Put(2100, 10)
	gate := make(chan struct{})
	fail := s.Origin.Inject(s3test.Fault{
		Match: func(r s3test.Request) bool { return r.Query.Has("continuation-token") }, Gate: gate, Status: 403, Code: "AccessDenied",
	})
	args := []string{"run", "s3://b/p/", s.Dir, "--run", "r", "--workers", "2", "--endpoint", s.Origin.URL(), "--grace", "1s"}
	first := s.Start(args...)
	if err := s.Origin.WaitRequests(t.Context(), 1, func(r s3test.Request) bool { return r.Query.Has("continuation-token") }); err != nil {
		t.Fatal(err)
	}
	url, err := embedded.Find(filepath.Join(s.State, "s3fleet", "r"))
	if err != nil {
		t.Fatal(err)
	}
	nc := s.Connect(url)
	run, err := fleet.Open(t.Context(), nc, "r")
	if err != nil {
		t.Fatal(err)
	}
	s.Until(run, "workers run", func(status fleet.Status) bool { return len(status.Nodes) > 0 })
	nc.Close()
	close(gate)
	_, stderr := first.Wait(1)
	s.Text("run", stderr, "list s3://b/p/", "AccessDenied")
	if fail.Hits() == 0 {
		t.Error("the listing did not fail")
	}
	s.Origin.ClearFaults()
	out, _ := s.Fleet(0, args...)
	s.Text("again", out, "2100 planned, 2100 done, 0 dead, 0 open")
	s.Whole(s.Dir, files)
}

// natsd starts a NATS server, which ends with the test.
func natsd(t *testing.T, o *server.Options) string {
	t.Helper()
	o.Host, o.Port, o.NoLog, o.NoSigs, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, true, true, t.TempDir()
	n, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	n.Start()
	t.Cleanup(func() {
		n.Shutdown()
		n.WaitForShutdown()
	})
	if !n.ReadyForConnections(site.Patience) {
		t.Fatal("the server does not get ready")
	}
	return n.Addr().String()
}

func TestNoJetStream(t *testing.T) {
	s := site.New(t)
	s.Put(1, 10)
	_, stderr := s.Fleet(2, "plan", "s3://b/p/", "--nats", natsd(t, &server.Options{}), "--run", "r", "--endpoint", s.Origin.URL())
	s.Text("plan", stderr, "JetStream is not enabled")
}

// The server's certificate must be of a CA that is known.
func TestTLS(t *testing.T) {
	s := site.New(t)
	files := s.Put(3, 10)
	text, certificate := s3test.NewAuthority()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	url := "tls://" + natsd(t, &server.Options{JetStream: true, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}})
	args := []string{"run", "s3://b/p/", s.Dir, "--nats", url, "--workers", "1", "--endpoint", s.Origin.URL()}
	_, stderr := s.Fleet(2, args...)
	s.Text("unknown CA", stderr, "certificate")
	s.Fleet(0, append(args, "--tls-ca", ca)...)
	s.Whole(s.Dir, files)
}

// Lists are planned too, from a file or from standard input, with destinations and digests of their own.
func TestLists(t *testing.T) {
	s := site.New(t)
	s.Put(3, 10)
	content := []byte("digest me")
	s.Origin.Put("b", "d", content)
	list := filepath.Join(t.TempDir(), "list.jsonl")
	text := `{"bucket":"b","key":"p/0/0000","file":"x/y"}
{"key":"p/1/0001"}
{"bucket":"b","key":"d","checksum":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}
`
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{s.Dir, "--bucket", "b", "--workers", "1", "--endpoint", s.Origin.URL()}
	out, _ := s.Fleet(1, append([]string{"run", list}, args...)...)
	s.Text("run", out, "3 planned, 2 done, 1 dead")
	want := map[string][]byte{}
	for name, key := range map[string]string{"x/y": "0/0000", "p/1/0001": "1/0001"} {
		want[name] = s.Put(3, 10)[key]
	}
	s.Whole(s.Dir, want)

	_, url := s.Serve(t.TempDir(), "127.0.0.1:0")
	plan := s.Command(context.Background(), "plan", "-", "--nats", url, "--run", "in", "--bucket", "b")
	plan.Stdin = bytes.NewReader([]byte(text))
	if out, err := plan.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("run in: 3 objects")) {
		t.Errorf("standard input: got %v, %s", err, out)
	}
	plan = s.Command(context.Background(), "plan", "-", "--nats", url, "--run", "out", "--bucket", "b")
	plan.Stdin = strings.NewReader(`{"key":"d","file":"../d"}`)
	if out, err := plan.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("not below the directory")) {
		t.Errorf("a file elsewhere: got %v, %s", err, out)
	}
}
