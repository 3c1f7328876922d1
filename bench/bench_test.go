package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A round of some cases with small objects from the module's own origin: that the clients
// and the origin are built and understand each other, and that what they fetched is
// right.
func TestSmallRound(t *testing.T) {
	results := t.TempDir()
	err := run(t.Context(), []string{
		"-case", "http1g,resume,tls1g,small", "-size", "100KiB", "-count", "3", "-runs", "1", "-workers", "2", "-origin", "go",
		"-clients", "^(floor|manager|transfermanager|minio-go, one stream)$", "-tmp", t.TempDir(), "-results", results,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"http1g": 6, "resume": 4, "tls1g": 5, "small": 8} {
		data, err := os.ReadFile(filepath.Join(results, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Data []figures }
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
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
		t.Error("got no error for a case that there is not")
	}
}
