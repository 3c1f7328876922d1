package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// stored are the ways in which S3 stores a checksum of 1,000,001 bytes, with the result for a
// download in ranges of 100,000 bytes.
var stored = []struct {
	name     string
	put      []func(*s3test.Object)
	verified string
	attempts int // the GETs that a flipped bit costs; 0: the download fails, -1: nothing detects it
}{
	{"CRC64NVME", nil, "CRC64NVME full object", 0},
	{"CRC32C", harness.ObjectOptions(s3test.WithChecksum("crc32c", "FULL_OBJECT")), "CRC32C full object", 0},
	{"CRC32", harness.ObjectOptions(s3test.WithChecksum("crc32", "FULL_OBJECT")), "CRC32 full object", 0},
	{"CRC32C full object of 3 parts", harness.ObjectOptions(s3test.WithParts(400_000, 400_000, 200_001), s3test.WithChecksum("crc32c", "FULL_OBJECT")), "CRC32C full object", 0},
	{"CRC32C composite", harness.ObjectOptions(s3test.WithParts(400_000, 400_000, 200_001), s3test.WithChecksum("crc32c", "COMPOSITE")), "CRC32C composite of 3 parts", 1},
	{"CRC32 composite, small parts", harness.ObjectOptions(s3test.WithParts(90_000, 90_000, 90_000, 90_000, 90_000, 90_000, 90_000, 90_000, 90_000, 90_000, 90_000, 10_001),
		s3test.WithChecksum("crc32", "COMPOSITE")), "CRC32 composite of 12 parts", 1},
	{"SHA256 composite", harness.ObjectOptions(s3test.WithParts(400_000, 400_000, 200_001), s3test.WithChecksum("sha256", "COMPOSITE")), "SHA256 composite of 3 parts", 1},
	{"SHA1 composite", harness.ObjectOptions(s3test.WithParts(600_000, 400_001), s3test.WithChecksum("sha1", "COMPOSITE")), "SHA1 composite of 2 parts", 1},
	{"SHA512 composite", harness.ObjectOptions(s3test.WithParts(600_000, 400_001), s3test.WithChecksum("sha512", "COMPOSITE")), "SHA512 composite of 2 parts", 1},
	{"MD5 composite", harness.ObjectOptions(s3test.WithParts(600_000, 400_001), s3test.WithChecksum("md5", "COMPOSITE")), "MD5 composite of 2 parts", 1},
	{"XXHASH64 composite", harness.ObjectOptions(s3test.WithParts(600_000, 400_001), s3test.WithChecksum("xxhash64", "COMPOSITE")), "XXHASH64 composite of 2 parts", 1},
	{"XXHASH3 composite, uneven parts", harness.ObjectOptions(s3test.WithParts(100_000, 700_000, 200_001), s3test.WithChecksum("xxhash3", "COMPOSITE")), "XXHASH3 composite of 3 parts", 1},
	{"XXHASH128 composite", harness.ObjectOptions(s3test.WithParts(600_000, 400_001), s3test.WithChecksum("xxhash128", "COMPOSITE")), "XXHASH128 composite of 2 parts", 1},
	{"XXHASH3", harness.ObjectOptions(s3test.WithChecksum("xxhash3", "FULL_OBJECT"), s3test.WithoutETag()), "", -1},
	{"SHA256 composite, uneven parts", harness.ObjectOptions(s3test.WithParts(100_000, 700_000, 200_001), s3test.WithChecksum("sha256", "COMPOSITE")), "SHA256 composite of 3 parts", 1},
	// Three parts of 400,000 bytes would fit the size, but the parts differ.
	{"SHA256 composite, parts seem even", harness.ObjectOptions(s3test.WithParts(400_000, 300_000, 300_001), s3test.WithChecksum("sha256", "COMPOSITE")), "SHA256 composite of 3 parts", 1},
	{"MD5 of 3 parts", harness.ObjectOptions(s3test.WithParts(400_000, 400_000, 200_001), s3test.WithChecksum("", "")), "MD5 ETag of 3 parts", 0},
	{"MD5", harness.ObjectOptions(s3test.WithChecksum("", "")), "", -1},
	{"nothing", harness.ObjectOptions(s3test.WithChecksum("", ""), s3test.WithoutETag()), "", -1},
}

func TestVerifyRanges(t *testing.T) {
	content := s3test.PatternBytes(11, 1_000_001)
	for _, test := range stored {
		t.Run(test.name, func(t *testing.T) {
			leak.Check(t)
			origin := harness.StartOrigin(t)
			origin.Put("b", "k", content, test.put...)
			d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000))
			dir := t.TempDir()
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "out"))
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "out"), content)
			if got := f.Object().Verified; got != test.verified {
				t.Errorf("Verified: got %q, want %q", got, test.verified)
			}
			leak.Files(t, dir, "out")
		})
	}
}

// A bit is flipped once. Where a part can be fetched again, it is; otherwise the download fails, or
// succeeds where no checksum is stored.
func TestVerifyFlippedBit(t *testing.T) {
	content := s3test.PatternBytes(11, 1_000_001)
	for _, test := range stored {
		t.Run(test.name, func(t *testing.T) {
			leak.Check(t)
			origin := harness.StartOrigin(t)
			origin.Put("b", "k", content, test.put...)
			d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000))
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			if err := os.WriteFile(out, []byte("before"), 0o644); err != nil {
				t.Fatal(err)
			}
			flip := origin.Inject(s3test.Fault{Method: "GET", Flip: true, FlipAt: 654_321, Times: 1,
				Match: func(r s3test.Request) bool { return harness.Covers(r.Range, 654_321) }})
			err := harness.Download(t, d, "k", out)
			if flip.Hits() != 1 {
				t.Fatalf("flipped %d times, want 1", flip.Hits())
			}
			switch test.attempts {
			case 1:
				if err != nil {
					t.Error(err)
				}
				harness.WantContent(t, out, content)
			case 0:
				if !errors.Is(err, processpool.ErrChecksumMismatch) {
					t.Errorf("got %v, want ErrChecksumMismatch", err)
				}
				harness.WantContent(t, out, []byte("before"))
			}
			leak.Files(t, dir, "out")
			if err := harness.Download(t, d, "k", out); err != nil {
				t.Error(err)
			}
			harness.WantContent(t, out, content)
		})
	}
}

// A bit that is flipped every time is an error wherever a checksum is stored.
func TestVerifyFlippedForGood(t *testing.T) {
	content := s3test.PatternBytes(11, 1_000_001)
	for _, test := range stored {
		if test.verified == "" {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			leak.Check(t)
			origin := harness.StartOrigin(t)
			origin.Put("b", "k", content, test.put...)
			d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000))
			dir := t.TempDir()
			origin.Inject(s3test.Fault{Method: "GET", Flip: true, FlipAt: 654_321})
			if err := harness.Download(t, d, "k", filepath.Join(dir, "out")); !errors.Is(err, processpool.ErrChecksumMismatch) {
				t.Errorf("got %v, want ErrChecksumMismatch", err)
			}
			leak.Files(t, dir)
		})
	}
}

// One range: every kind of digest of the whole object verifies it.
func TestVerifyOneRange(t *testing.T) {
	content := s3test.PatternBytes(12, 1_000_001)
	for _, test := range []struct {
		name     string
		put      []func(*s3test.Object)
		expected bool // with ExpectedSize, and without HeadObject
		verified string
	}{
		{"CRC64NVME", nil, false, "CRC64NVME full object"},
		{"CRC64NVME", nil, true, "CRC64NVME full object"},
		{"SHA256", harness.ObjectOptions(s3test.WithChecksum("sha256", "FULL_OBJECT")), false, "SHA256 full object"},
		{"SHA256", harness.ObjectOptions(s3test.WithChecksum("sha256", "FULL_OBJECT")), true, "SHA256 full object"},
		{"SHA1", harness.ObjectOptions(s3test.WithChecksum("sha1", "FULL_OBJECT")), true, "SHA1 full object"},
		{"SHA512", harness.ObjectOptions(s3test.WithChecksum("sha512", "FULL_OBJECT")), false, "SHA512 full object"},
		{"MD5 checksum", harness.ObjectOptions(s3test.WithChecksum("md5", "FULL_OBJECT")), false, "MD5 full object"},
		{"XXHASH64", harness.ObjectOptions(s3test.WithChecksum("xxhash64", "FULL_OBJECT")), false, "XXHASH64 full object"},
		{"XXHASH3", harness.ObjectOptions(s3test.WithChecksum("xxhash3", "FULL_OBJECT")), true, "XXHASH3 full object"},
		{"XXHASH128", harness.ObjectOptions(s3test.WithChecksum("xxhash128", "FULL_OBJECT")), true, "XXHASH128 full object"},
		{"MD5", harness.ObjectOptions(s3test.WithChecksum("", "")), false, "MD5 ETag"},
		{"MD5", harness.ObjectOptions(s3test.WithChecksum("", "")), true, "MD5 ETag"},
		{"nothing", harness.ObjectOptions(s3test.WithChecksum("", ""), s3test.WithoutETag()), true, ""},
		{"SHA256 composite", harness.ObjectOptions(s3test.WithParts(600_000, 400_001), s3test.WithChecksum("sha256", "COMPOSITE")), false, "SHA256 composite of 2 parts"},
		{"SHA256 composite", harness.ObjectOptions(s3test.WithParts(600_000, 400_001), s3test.WithChecksum("sha256", "COMPOSITE")), true, ""},
	} {
		t.Run(fmt.Sprintf("%s/expected=%t", test.name, test.expected), func(t *testing.T) {
			leak.Check(t)
			origin := harness.StartOrigin(t)
			origin.Put("b", "k", content, test.put...)
			d := harness.NewDownloader(t, origin)
			dir := t.TempDir()
			size := int64(len(content))
			options := func(o *processpool.DownloadOptions) {
				if test.expected {
					o.ExpectedSize = &size
				}
			}
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "out"), options)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "out"), content)
			if got := f.Object().Verified; got != test.verified {
				t.Errorf("Verified: got %q, want %q", got, test.verified)
			}
			if test.verified == "" {
				return
			}
			origin.Inject(s3test.Fault{Method: "GET", Flip: true, FlipAt: 999_999})
			if err := harness.Download(t, d, "k", filepath.Join(dir, "bad"), options); !errors.Is(err, processpool.ErrChecksumMismatch) {
				t.Errorf("a flipped bit: got %v, want ErrChecksumMismatch", err)
			}
			leak.Files(t, dir, "out")
		})
	}
}

// VerifyRequired: without a checksum no byte is fetched. If only one range can be verified, the
// object is one range.
func TestVerifyRequired(t *testing.T) {
	content := s3test.PatternBytes(13, 1_000_001)
	for _, test := range []struct {
		name     string
		put      []func(*s3test.Object)
		verified string
	}{
		{"CRC64NVME", nil, "CRC64NVME full object"},
		{"SHA256", harness.ObjectOptions(s3test.WithChecksum("sha256", "FULL_OBJECT")), "SHA256 full object"},
		{"MD5", harness.ObjectOptions(s3test.WithChecksum("", "")), "MD5 ETag"},
		{"nothing", harness.ObjectOptions(s3test.WithChecksum("", ""), s3test.WithoutETag()), ""},
	} {
		for _, expected := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/expected=%t", test.name, expected), func(t *testing.T) {
				leak.Check(t)
				origin := harness.StartOrigin(t)
				origin.Put("b", "k", content, test.put...)
				d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000), harness.Verify(processpool.VerifyRequired))
				dir := t.TempDir()
				size := int64(len(content))
				f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "out"), func(o *processpool.DownloadOptions) {
					if expected {
						o.ExpectedSize = &size
					}
				})
				err := harness.Result(t, f)
				if got := f.Object().Verified; got != test.verified {
					t.Errorf("Verified: got %q, want %q", got, test.verified)
				}
				if test.verified != "" {
					if err != nil {
						t.Fatal(err)
					}
					harness.WantContent(t, filepath.Join(dir, "out"), content)
					return
				}
				if !errors.Is(err, processpool.ErrUnverifiable) {
					t.Errorf("got %v, want ErrUnverifiable", err)
				}
				if n := len(harness.Requests(origin, "GET")); !expected && n > 0 {
					t.Errorf("%d GETs were made, want none", n)
				}
				leak.Files(t, dir)
			})
		}
	}
}

func TestVerifyOff(t *testing.T) {
	leak.Check(t)
	content := s3test.PatternBytes(14, 300_000)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", content)
	d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000), harness.Verify(processpool.VerifyOff))
	out := filepath.Join(t.TempDir(), "out")
	origin.Inject(s3test.Fault{Method: "GET", Flip: true, FlipAt: 123_456})
	f := d.DownloadFile(t.Context(), "b", "k", out)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	if got := f.Object().Verified; got != "" {
		t.Errorf("Verified: got %q, want nothing", got)
	}
	for _, r := range origin.Requests() {
		if mode := r.Header.Get("X-Amz-Checksum-Mode"); mode != "" {
			t.Errorf("%s: x-amz-checksum-mode: got %q, want none", r.Method, mode)
		}
	}
}
