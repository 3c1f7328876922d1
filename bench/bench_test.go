package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestSmallRound runs one round of some cases with small objects from the module's own origin. It
// checks that the clients and the origin can be built and work together, and that the clients fetch
// the right bytes.
func TestSmallRound(t *testing.T) {
	results := t.TempDir()
	err := run(t.Context(), []string{
		"-case", "http1g,resume,tls1g,small,files,tool8g,many,fleet,messages", "-size", "100KiB", "-count", "3", "-runs", "1", "-workers", "2", "-origin", "go",
		"-clients", "^(floor|floor, crypto/tls|manager|transfermanager|minio-go, one stream)$", "-tmp", t.TempDir(), "-results", results,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"http1g": 6, "resume": 4, "tls1g": 6, "small": 8, "files": 3, "tool8g": 3, "many": 4, "fleet": 3, "messages": 5} {
		data, err := os.ReadFile(filepath.Join(results, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Title string
			Notes []string
			Data  []figures
		}
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got.Title, "100 KiB") || !strings.Contains(strings.Join(got.Notes, "\n"), "; 1 round after") {
			t.Errorf("%s: got title %q, notes %q, want the sizes and numbers that were measured", name, got.Title, got.Notes)
		}
		if len(got.Data) != want {
			t.Errorf("%s: got %d clients, want %d: %s", name, len(got.Data), want, data)
		}
		for _, f := range got.Data {
			if f.Wall.Median <= 0 || f.CPU.Median <= 0 || f.Asked == 0 {
				t.Errorf("%s, %s: something was not measured: %+v", name, f.Client, f)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	all, err := choose("all")
	if err != nil || len(all) != len(measurements) {
		t.Errorf("got %d cases of all, %v, want %d", len(all), err, len(measurements))
	}
	if _, err := choose("http1g,http2g"); err == nil {
		t.Error("got no error for an unknown case")
	}
}

func TestTitle(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-case http1g", "1 GiB over HTTP"},
		{"-case http1g -size 256MiB", "256 MiB over HTTP"},
		{"-case small", "2,000 objects of 64 KiB, 10 ms to the first byte"},
		{"-case small -count 1 -size 1KiB", "1 object of 1 KiB, 10 ms to the first byte"},
		{"-case sizes", "an object of zeros, of 64 KiB to 16 GiB"},
		{"-case sizes -size 8MiB", "an object of zeros, of 8 MiB"},
	} {
		o, err := parse(strings.Fields(c.args))
		if err != nil {
			t.Fatal(err)
		}
		b := bench{options: o}
		if got := b.title(o.cases[0]); got != c.want {
			t.Errorf("%s: got %q, want %q", c.args, got, c.want)
		}
	}
}

// The committed reports are replaced only by a run with the default settings, or on request.
func TestResultsFolder(t *testing.T) {
	for args, want := range map[string]string{
		"": "results", "-case all -build rclone -timeout 1m -lock file": "results",
		"-size 64MiB": "", "-runs 5": "", "-count 1": "", "-workers 1": "", "-clients floor": "", "-origin go": "", "-tmp /tmp": "",
		"-runs 7 -results results": "results", "-size 64MiB -results other": "other",
	} {
		o, err := parse(strings.Fields(args))
		if err != nil || o.results != want || (want == "") != (o.results == "" && o.changed != "") {
			t.Errorf("%q: got folder %q because of %q, %v, want %q", args, o.results, o.changed, err, want)
		}
	}
}

func TestFilled(t *testing.T) {
	columns, rows := filled([]string{"a", "b", "c"}, [][]string{{"1", "", ""}, {"", "", "2"}})
	if got := fmt.Sprint(columns, rows); got != "[a c] [[1 ] [ 2]]" {
		t.Errorf("got %s", got)
	}
}

// Without strace there are no calls to tell of, rather than none that were made.
func TestCallsReport(t *testing.T) {
	r := callsReport([]objectCalls{
		{Client: "counted", Application: map[string]float64{"read": 2}, Workers: map[string]float64{"write": 1}, Faults: 1},
		{Client: "not counted", Faults: 1},
	})
	want := [][]string{{"counted", "2.0", "1.0", "1.0", "read 2.0", "write 1.0"}, {"not counted", "", "", "1.0", "", ""}}
	if !reflect.DeepEqual(r.Table, want) || len(r.Chart.Bars) != 1 {
		t.Errorf("got %q with %d bars, want %q with one", r.Table, len(r.Chart.Bars), want)
	}
}

func TestPlural(t *testing.T) {
	for _, c := range []struct {
		n          int
		noun, want string
	}{
		{1, "round", "1 round"}, {2, "round", "2 rounds"}, {8, "process", "8 processes"}, {999, "object", "999 objects"},
		{4096, "connection", "4,096 connections"}, {1234567, "request", "1,234,567 requests"}, {3, "worker or connection", "3 workers or connections"},
	} {
		if got := plural(c.n, c.noun); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
