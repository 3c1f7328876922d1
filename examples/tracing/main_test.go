package main

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The test binary is its own worker program.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "-worker" {
		if err := serve(os.Args[2]); err != nil {
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// span is a span in the format of the exporter.
type span struct {
	Name       string
	Attributes []struct {
		Key   string
		Value struct{ Value any }
	}
	Events []struct{ Name string }
	Status struct{ Code string }
}

func (s span) attribute(key string) any {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.Value
		}
	}
	return nil
}

// TestTracing makes a download with a failed attempt, and one of a missing key.
func TestTracing(t *testing.T) {
	if !ipc.Available {
		t.Skip("no worker processes on this platform")
	}
	origin, dir := s3test.Start(), t.TempDir()
	defer origin.Close()
	origin.Put("b", "k", s3test.PatternBytes(1, 1000))
	origin.Inject(s3test.Fault{Method: "GET", Status: 503, Times: 1})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "spans.json")
	pairs := []string{"s3://b/k", filepath.Join(dir, "good"), "s3://b/none", filepath.Join(dir, "bad")}
	err = download(t.Context(), origin.Config(), file, pairs, func(c *processpool.Config) {
		c.MaxRequestProcesses = 1
		c.WorkerCommand = []string{self, "-worker", file}
		c.ClientOptions = append(c.ClientOptions, origin.ClientOptions())
	})
	if err == nil {
		t.Error("missing key: got no error")
	}

	downloads := map[any]span{}
	var names []string
	for _, s := range read(t, file) {
		names = append(names, s.Name)
		if s.Name == "download" {
			downloads[s.attribute("aws.s3.key")] = s
		}
	}
	if !slices.Contains(names, "S3.GetObject") || !slices.Contains(names, "S3.HeadObject") {
		t.Errorf("got spans %q, want those of the SDK, too", names)
	}
	good, bad := downloads["k"], downloads["none"]
	if got := good.attribute("object.verified"); got != "CRC64NVME full object" || good.attribute("object.size") != 1000.0 {
		t.Errorf("good: got %+v", good)
	}
	if len(good.Events) != 1 || good.Events[0].Name != "attempt failed" {
		t.Errorf("good: got events %+v, want the failed attempt", good.Events)
	}
	if bad.Status.Code != "Error" {
		t.Errorf("bad: got %+v, want an error", bad)
	}
}

func read(t *testing.T, file string) []span {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []span
	for decoder := json.NewDecoder(f); ; {
		var s span
		if err := decoder.Decode(&s); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
}
