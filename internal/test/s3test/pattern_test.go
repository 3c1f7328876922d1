package s3test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

func TestPattern(t *testing.T) {
	whole := PatternBytes(7, 300)
	for off := int64(0); off < 40; off++ {
		for n := range int64(40) {
			p := make([]byte, n)
			if got, err := Pattern(7).ReadAt(p, off); got != int(n) || err != nil {
				t.Fatalf("off=%d n=%d: got %d, %v", off, n, got, err)
			}
			if !bytes.Equal(p, whole[off:off+n]) {
				t.Fatalf("off=%d n=%d: not the bytes of the whole", off, n)
			}
		}
	}
	if bytes.Equal(whole, PatternBytes(8, 300)) {
		t.Error("two seeds give the same content")
	}
	p, q := make([]byte, 64), make([]byte, 64)
	Pattern(7).ReadAt(p, 0)
	Pattern(7).ReadAt(q, 5<<40)
	if bytes.Equal(p, q) {
		t.Error("two offsets give the same content")
	}
	if _, err := Pattern(7).ReadAt(p, -1); err == nil {
		t.Error("a negative offset gives no error")
	}
}

func BenchmarkPattern(b *testing.B) {
	p := make([]byte, 1<<20)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		Pattern(7).ReadAt(p, 3)
	}
}

func BenchmarkGetPattern(b *testing.B) {
	s := Start()
	defer s.Close()
	const size = 64 << 20
	s.PutContent("b", "k", size, Pattern(7))
	b.SetBytes(size)
	for b.Loop() {
		resp, err := http.Get(s.URL() + "/b/k")
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if n != size || err != nil {
			b.Fatal(n, err)
		}
	}
}
