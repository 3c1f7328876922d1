package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// readBack is what is logged when a file is read back.
const readBack = "the file is read back"

// What the caller expects holds with every option, whatever S3 keeps: the right digests let the
// file appear, and if one is wrong it does not.
func TestExpect(t *testing.T) {
	const size = 450_001
	content, other := s3test.PatternBytes(21, size), s3test.PatternBytes(22, size)
	all := types.ChecksumAlgorithm("").Values()
	verify := func(m processpool.VerifyMode) func(*processpool.DownloadOptions) {
		return func(o *processpool.DownloadOptions) { o.Verify = m }
	}
	oneRange := func(o *processpool.DownloadOptions) { o.MultipartThreshold = size + 1 }
	options := harness.ObjectOptions
	for _, test := range []struct {
		name     string
		put      []func(*s3test.Object)
		expect   []types.ChecksumAlgorithm
		options  []func(*processpool.DownloadOptions)
		verified string
		reads    int // times that the file is read back
	}{
		{"a CRC", nil, all[:1], nil, "CRC64NVME full object", 0},
		{"the CRC that S3 keeps", nil, []types.ChecksumAlgorithm{"CRC64NVME"}, nil, "CRC64NVME full object", 0},
		{"SHA256", nil, []types.ChecksumAlgorithm{"SHA256"}, nil, "CRC64NVME full object", 1},
		{"all", nil, all, nil, "CRC64NVME full object", 1},
		{"S3 keeps nothing, CRCs", options(s3test.WithChecksum("", ""), s3test.WithoutETag()), []types.ChecksumAlgorithm{"CRC32C", "CRC32"}, nil, "CRC32C expected", 0},
		{"S3 keeps nothing, digests", options(s3test.WithChecksum("", ""), s3test.WithoutETag()), []types.ChecksumAlgorithm{"SHA512", "CRC32"}, nil, "SHA512 expected", 1},
		{"S3 keeps SHA256 of parts", options(s3test.WithParts(200_000, 250_001), s3test.WithChecksum("sha256", "COMPOSITE")), all, nil, "SHA256 composite of 2 parts", 1},
		{"S3 keeps CRC32 of parts", options(s3test.WithParts(200_000, 250_001), s3test.WithChecksum("crc32", "COMPOSITE")), all[:1], nil, "CRC32 composite of 2 parts", 0},
		{"one range", nil, all, []func(*processpool.DownloadOptions){oneRange}, "CRC64NVME full object", 0},
		{"one range, an MD5 twice", options(s3test.WithChecksum("", "")), []types.ChecksumAlgorithm{"MD5", "SHA1"}, []func(*processpool.DownloadOptions){oneRange}, "MD5 ETag", 0},
		{"SkipHead, one range", nil, all, []func(*processpool.DownloadOptions){oneRange, harness.SkipHead}, "CRC64NVME full object", 0},
		{"SkipHead", nil, all, []func(*processpool.DownloadOptions){harness.SkipHead}, "CRC64NVME full object", 1},
		{"ExpectedSize", nil, all, []func(*processpool.DownloadOptions){harness.Expect(size)}, "CRC32 expected", 1},
		{"ExpectedSize, one range", nil, all, []func(*processpool.DownloadOptions){harness.Expect(size), oneRange}, "CRC64NVME full object", 0},
		{"Resume", nil, all, []func(*processpool.DownloadOptions){harness.Resume}, "CRC64NVME full object", 1},
		{"Resume, CRCs", nil, all[:2], []func(*processpool.DownloadOptions){harness.Resume}, "CRC64NVME full object", 0},
		{"Durable", nil, all[2:], []func(*processpool.DownloadOptions){func(o *processpool.DownloadOptions) { o.Durable = true }}, "CRC64NVME full object", 1},
		{"DirectIO", nil, all[2:], []func(*processpool.DownloadOptions){func(o *processpool.DownloadOptions) { o.DirectIO = true }}, "CRC64NVME full object", 1},
		{"VerifyOff", nil, []types.ChecksumAlgorithm{"XXHASH64"}, []func(*processpool.DownloadOptions){verify(processpool.VerifyOff)}, "XXHASH64 expected", 1},
		{"VerifyOff, a CRC", nil, []types.ChecksumAlgorithm{"CRC64NVME"}, []func(*processpool.DownloadOptions){verify(processpool.VerifyOff)}, "CRC64NVME expected", 0},
		{"VerifyRequired, S3 keeps nothing", options(s3test.WithChecksum("", ""), s3test.WithoutETag()), []types.ChecksumAlgorithm{"XXHASH3"},
			[]func(*processpool.DownloadOptions){verify(processpool.VerifyRequired)}, "XXHASH3 expected", 1},
		{"VerifyRequired, both are read back", options(s3test.WithChecksum("sha256", "FULL_OBJECT")), []types.ChecksumAlgorithm{"SHA1", "SHA256"},
			[]func(*processpool.DownloadOptions){verify(processpool.VerifyRequired)}, "SHA256 full object", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", content, test.put...)
			var log harness.Log
			d := harness.NewDownloader(t, origin, harness.Multipart(1, 100_000), log.Config)
			name := filepath.Join(dir, "file")
			if err := os.WriteFile(name, []byte("before"), 0o644); err != nil {
				t.Fatal(err)
			}
			for i := range test.expect {
				wrong := func(o *processpool.DownloadOptions) {
					harness.Digests(other, test.expect[i])(o)
					bad := o.Expect[0]
					harness.Digests(content, test.expect...)(o)
					o.Expect = slices.Clone(o.Expect)
					o.Expect[i] = bad
				}
				err := harness.Download(t, d, "k", name, append(slices.Clone(test.options), wrong)...)
				harness.WantError(t, err, processpool.ErrChecksumMismatch)
				var transfer *processpool.TransferError
				if errors.As(err, &transfer); transfer.Op != processpool.OpVerify || !strings.Contains(err.Error(), string(test.expect[i])+" expected is ") {
					t.Errorf("got %v of the step %s", err, transfer.Op)
				}
				harness.WantContent(t, name, []byte("before"))
				leak.Files(t, dir, "file")
			}
			before := len(log.Records(t, readBack))
			f := d.DownloadFile(t.Context(), "b", "k", name, append(slices.Clone(test.options), harness.Digests(content, test.expect...))...)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, name, content)
			leak.Files(t, dir, "file")
			if got := f.Object().Verified; got != test.verified {
				t.Errorf("Verified: got %q, want %q", got, test.verified)
			}
			if got := len(log.Records(t, readBack)) - before; got != test.reads {
				t.Errorf("read back %d times, want %d", got, test.reads)
			}
		})
	}
}

// An empty object has digests, too.
func TestExpectEmpty(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", nil)
	d := harness.NewDownloader(t, origin)
	all := types.ChecksumAlgorithm("").Values()
	for name, option := range map[string]func(*processpool.DownloadOptions){
		"HeadObject": func(*processpool.DownloadOptions) {}, "SkipHead": harness.SkipHead, "ExpectedSize": harness.Expect(0), "Resume": harness.Resume,
	} {
		if err := harness.Download(t, d, "k", filepath.Join(dir, name), option, harness.Digests(nil, all...)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, a := range all {
			err := harness.Download(t, d, "k", filepath.Join(dir, "bad"), option, harness.Digests([]byte("x"), a))
			harness.WantError(t, err, processpool.ErrChecksumMismatch)
		}
	}
	leak.Files(t, dir, "ExpectedSize", "HeadObject", "Resume", "SkipHead")
}

// What a download has kept for the next one counts, whatever that one expects.
func TestExpectResumes(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	content := s3test.PatternBytes(23, 500_000)
	origin.Put("b", "k", content, s3test.WithChecksum("crc32", "FULL_OBJECT"))
	d := harness.Single(t, origin, 100_000)
	name := filepath.Join(dir, "file")
	for _, algorithms := range [][]types.ChecksumAlgorithm{{"CRC32"}, {"CRC32C", "CRC64NVME"}, {"SHA256", "CRC32C"}} {
		for _, wrong := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/wrong=%t", algorithms, wrong), func(t *testing.T) {
				harness.Interrupt(t, origin, d, name, 300_000)
				expect := harness.Digests(content, algorithms...)
				if wrong {
					expect = harness.Digests(content[1:], algorithms...)
				}
				f := d.DownloadFile(t.Context(), "b", "k", name, harness.Resume, expect)
				err := harness.Result(t, f)
				if wrong {
					harness.WantError(t, err, processpool.ErrChecksumMismatch)
					leak.Files(t, dir)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				harness.WantContent(t, name, content)
				harness.WantResumed(t, f.Object(), 300_000)
				os.Remove(name)
				leak.Files(t, dir)
			})
		}
	}
}

// What is malformed is refused before any request, and the error names all of it.
func TestExpectRefused(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	const md5 = "JfnnlDI7RTiF9RgfG2JNCw=="
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.Expect = []processpool.Checksum{
			{Algorithm: "CRC16", Value: "AAA="}, {Algorithm: "SHA1", Value: md5}, {Algorithm: "MD5", Value: md5},
			{Algorithm: "MD5", Value: "1B2M2Y8AsgTpgAmY7PhCfg=="}, {Algorithm: "CRC32", Value: "not base64"},
		}
	})
	err := harness.Result(t, f)
	harness.WantError(t, err)
	for _, want := range []string{
		`Expect: "CRC16" is no checksum algorithm of S3`, `is not the base64 of the 20 bytes of a SHA1`, "two values of MD5", `Expect: "not base64" is`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	err = harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Digests(harness.Content, "MD5"), func(o *processpool.DownloadOptions) {
		o.Range = &processpool.Range{Length: 3}
	})
	if err == nil || !strings.Contains(err.Error(), "Expect and Range are both set") {
		t.Errorf("with Range: got %v", err)
	}
	all := harness.Directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
		o.Options = append(o.Options, harness.Digests(harness.Content, "MD5"))
	})
	if err := all.Result(); err == nil || !strings.Contains(err.Error(), "Options set Expect, which belongs to a single object") {
		t.Errorf("DownloadDirectory: got %v", err)
	}
	if n := len(origin.Requests()); n > 0 {
		t.Errorf("%d requests were made", n)
	}
	leak.Files(t, dir)
}

// The caller's slice, and what Meta returns, are theirs.
func TestExpectIsCopied(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "HEAD", Gate: gate})
	d := harness.NewDownloader(t, origin)
	var mine []processpool.Checksum
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), harness.Digests(harness.Content, "SHA256"), func(o *processpool.DownloadOptions) { mine = o.Expect })
	mine[0].Value = "x"
	f.Meta().Expect[0].Value = "x"
	close(gate)
	if err := harness.Result(t, f); err != nil {
		t.Error(err)
	}
	if got := f.Meta().Expect; len(got) != 1 || got[0].Value == "x" {
		t.Errorf("Meta: got %v", got)
	}
}
