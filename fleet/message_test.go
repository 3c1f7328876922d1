package fleet

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// Small objects travel together, as many as fit; others alone.
func TestBatcher(t *testing.T) {
	for _, c := range []struct {
		name      string
		n         int
		size      int64
		key       string
		perObject int // objects in a full message
	}{
		{"small", 250, 10, "k", maxBatchObjects},
		{"empty", 250, 0, "k", maxBatchObjects},
		{"just small", 150, smallObject, "k", 64},
		{"large", 5, smallObject + 1, "k", 1},
		{"unknown", 5, -1, "k", 1},
		{"long keys", 40, 10, strings.Repeat("\x01", 1000), 0},
	} {
		var b batcher
		var batches [][]Object
		for i := range c.n {
			batches = append(batches, b.add(Object{Bucket: "b", Key: fmt.Sprint(c.key, i), File: fmt.Sprint(c.key, i), Size: c.size})...)
		}
		batches = append(batches, b.flush()...)
		total := 0
		for i, objects := range batches {
			data, err := encode(objects)
			if err != nil || len(data) > maxBatchText {
				t.Errorf("%s: got a message of %d bytes, %v", c.name, len(data), err)
			}
			if i < len(batches)-1 && c.perObject > 0 && len(objects) != c.perObject {
				t.Errorf("%s: message %d has %d objects, want %d", c.name, i, len(objects), c.perObject)
			}
			got, err := decode(data)
			if err != nil || len(got) != len(objects) || got[0] != objects[0] {
				t.Errorf("%s: got %v, %v after decoding", c.name, got, err)
			}
			total += len(objects)
		}
		if total != c.n {
			t.Errorf("%s: got %d objects, want %d", c.name, total, c.n)
		}
	}
}

// No message leads out of the worker's directory.
func TestPath(t *testing.T) {
	dir := t.TempDir()
	for file, ok := range map[string]bool{
		"a": true, "a/b": true, "a/../b": true, "..a": true,
		"": false, ".": false, "..": false, "../a": false, "a/../../b": false, "/a": false, "a/..": false,
	} {
		o := Object{File: file}
		got, err := o.path(dir)
		if (err == nil) != ok || ok && !strings.HasPrefix(got, dir+string(filepath.Separator)) {
			t.Errorf("%q: got %q, %v, want it to be accepted: %v", file, got, err, ok)
		}
	}
}

// FuzzDecode reads any message without a panic.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"objects":[{"bucket":"b","key":"k","size":1,"file":"k"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		objects, err := decode(data)
		if err == nil && len(objects) == 0 {
			t.Error("got no objects and no error")
		}
		for _, o := range objects {
			if path, err := o.path("/d"); err == nil && !strings.HasPrefix(path, "/d/") {
				t.Errorf("got %q", path)
			}
		}
	})
}
