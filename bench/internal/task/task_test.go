package task

import (
	"flag"
	"os"
	"slices"
	"testing"
)

func TestArgs(t *testing.T) {
	want := Task{
		URL: "http://127.0.0.1:1", CA: "ca.pem", Bucket: "b", Key: "k", File: "f", Count: 2, Size: 1 << 40,
		Workers: 3, Requests: 4, Chunk: 5,
	}
	old, oldFlags := os.Args, flag.CommandLine
	defer func() { os.Args, flag.CommandLine = old, oldFlags }()
	os.Args, flag.CommandLine = append([]string{"client"}, want.Args()...), flag.NewFlagSet("client", flag.ContinueOnError)
	if got := Parse(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := want.Objects(), []Object{{"k-00000", "f-00000"}, {"k-00001", "f-00001"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBytes(t *testing.T) {
	for _, c := range []struct {
		text string
		want Bytes
		back string
	}{
		{"0", 0, "0 B"}, {"1025", 1025, "1025 B"}, {"64KiB", 64 << 10, "64 KiB"}, {"8M", 8 << 20, "8 MiB"},
		{"1024 MiB", 1 << 30, "1 GiB"}, {"5TiB", 5 << 40, "5 TiB"}, {"7B", 7, "7 B"},
	} {
		var got Bytes
		if err := got.Set(c.text); err != nil || got != c.want || got.String() != c.back {
			t.Errorf("%q: got %d, %q, %v, want %d, %q", c.text, got, got, err, c.want, c.back)
		}
	}
	for _, text := range []string{"", "GiB", "-1", "1.5GiB", "1kib", "1BB"} {
		if err := new(Bytes).Set(text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}
