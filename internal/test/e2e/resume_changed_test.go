package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// An object that was replaced in the meantime is downloaded from its beginning, also if the new one
// has the same size.
func TestResumeOfAnotherObject(t *testing.T) {
	old, next := s3test.PatternBytes(1, 400_000), s3test.PatternBytes(2, 400_000)
	for name, change := range map[string]func(origin *s3test.Server){
		"overwritten": func(origin *s3test.Server) { origin.Put("b", "k", next) },
		"same bytes, later": func(origin *s3test.Server) {
			origin.Put("b", "k", old, func(o *s3test.Object) { o.LastModified = o.LastModified.Add(time.Hour) })
		},
		"longer": func(origin *s3test.Server) { origin.Put("b", "k", append(bytes.Clone(old), 1)) },
		"empty":  func(origin *s3test.Server) { origin.Put("b", "k", nil) },
		"same ETag, longer": func(origin *s3test.Server) {
			etag := origin.Put("b", "x", old).ETag
			origin.Put("b", "k", append(bytes.Clone(old), 1), func(o *s3test.Object) { o.ETag = etag })
		},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", old)
			var log harness.Log
			d := harness.Single(t, origin, 100_000, log.Config)
			harness.Interrupt(t, origin, d, filepath.Join(dir, "file"), 300_000)
			change(origin)
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), harness.Resume)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantResumed(t, f.Object(), 0)
			got, err := origin.Client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			var want bytes.Buffer
			if _, err := want.ReadFrom(got.Body); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), want.Bytes())
			leak.Files(t, dir, "file")
			if !strings.Contains(log.String(), "starting afresh") {
				t.Errorf("the log does not say that it started afresh: %s", &log)
			}
		})
	}
}

// Damage to the partial file or the journal costs at most the bytes that were kept, and never
// changes a byte of the result.
func TestResumeOfDamagedFiles(t *testing.T) {
	edit := func(suffix string, change func(p []byte) []byte) func(t *testing.T, name string) {
		return func(t *testing.T, name string) {
			p, err := os.ReadFile(name + suffix)
			if err == nil {
				err = os.WriteFile(name+suffix, change(p), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(i int) func(p []byte) []byte {
		return func(p []byte) []byte {
			if i < 0 {
				i += len(p)
			}
			p[i] ^= 4
			return p
		}
	}
	remove := func(suffix string) func(t *testing.T, name string) {
		return func(t *testing.T, name string) {
			if err := os.Remove(name + suffix); err != nil {
				t.Fatal(err)
			}
		}
	}
	const part, journal = ".part", ".part.journal"
	leak.Check(t)
	origin := harness.StartOrigin(t)
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	d := harness.Single(t, origin, 100_000)
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, name string)
		kept   int64
	}{
		{"nothing", func(*testing.T, string) {}, 300_000},
		{"bit of the file", edit(part, flip(150_000)), 200_000},
		{"two bits of the file", edit(part, func(p []byte) []byte { return flip(299_999)(flip(0)(p)) }), 100_000},
		{"bit beyond what is kept", edit(part, flip(300_000)), 300_000},
		{"file gone", remove(part), 0},
		{"file shorter", edit(part, func(p []byte) []byte { return p[:300_000] }), 0},
		{"file longer", edit(part, func(p []byte) []byte { return append(p, 0) }), 0},
		{"file of zeros", edit(part, func(p []byte) []byte { return make([]byte, len(p)) }), 0},
		{"journal gone", remove(journal), 0},
		{"journal empty", edit(journal, func([]byte) []byte { return nil }), 0},
		{"journal foreign", edit(journal, func([]byte) []byte { return []byte("my own notes, which are longer than a header") }), 0},
		{"journal newer", edit(journal, func(p []byte) []byte { p[8] = 2; return p }), 0},
		{"journal's header damaged", edit(journal, flip(40)), 0},
		{"journal's last record damaged", edit(journal, flip(-1)), 200_000},
		{"journal torn", edit(journal, func(p []byte) []byte { return p[:len(p)-1] }), 200_000},
		{"journal torn at a record", edit(journal, func(p []byte) []byte { return p[:len(p)-32] }), 200_000},
		{"journal with more behind", edit(journal, func(p []byte) []byte { return append(p, make([]byte, 100)...) }), 300_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			harness.Interrupt(t, origin, d, filepath.Join(dir, "file"), 300_000)
			c.damage(t, filepath.Join(dir, ".file"))
			harness.WantResumed(t, harness.Resumed(t, d, filepath.Join(dir, "file"), want), c.kept)
			if got := harness.Fetched(origin); got != 400_000-c.kept {
				t.Errorf("asked for %d bytes, want the %d that were not kept", got, 400_000-c.kept)
			}
		})
	}
}

// Nothing is kept if the bytes are known to be wrong, if the object has changed, or if no byte has
// arrived.
func TestResumeKeepsNothing(t *testing.T) {
	data := s3test.PatternBytes(1, 400_000)
	for _, c := range []struct {
		name  string
		put   []func(*s3test.Object)
		fault s3test.Fault
		want  error
	}{
		{"bytes are wrong", nil, s3test.Fault{Flip: true, FlipAt: 123_456}, processpool.ErrChecksumMismatch},
		{"object changes", nil, s3test.Fault{Skip: 2, Do: func(s *s3test.Server, _ s3test.Request) { s.Put("b", "k", harness.Content) }}, processpool.ErrObjectChanged},
		{"no ETag", harness.ObjectOptions(s3test.WithoutETag()), s3test.Fault{Skip: 2, Status: 403}, nil},
		{"weak ETag", harness.ObjectOptions(func(o *s3test.Object) { o.ETag = `W/"1"` }), s3test.Fault{Skip: 2, Status: 403}, nil},
		{"nothing arrived", nil, s3test.Fault{Status: 403}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", data, c.put...)
			c.fault.Method = "GET"
			origin.Inject(c.fault)
			d := harness.NewDownloader(t, origin, harness.Multipart(1, 100_000), harness.Processes(1))
			err := harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Resume)
			harness.WantError(t, err)
			if c.want != nil {
				harness.WantError(t, err, c.want)
			}
			leak.Files(t, dir)
		})
	}
}
