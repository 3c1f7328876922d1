package show

import "testing"

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "8388608": 8 << 20, "8MiB": 8 << 20, "64M": 64 << 20, "64m": 64 << 20, "5 MB": 5e6, "1k": 1 << 10,
		"3KB": 3000, "2GiB": 2 << 30, "1T": 1 << 40, "7b": 7,
	} {
		var got Size
		if err := got.Set(text); err != nil || int64(got) != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "M", "8 Mi B", "1.5M", "8MiB8", "8XB", "9999999T", "0x10"} {
		var got Size
		if err := got.Set(text); err == nil {
			t.Errorf("%s: got %d, want an error", text, got)
		}
	}
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 5 << 40: "5.0 TiB", 1<<63 - 1: "8192.0 PiB",
	} {
		if got := Human(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
