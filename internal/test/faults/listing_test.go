package faults_test

import (
	"fmt"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A page that is not a listing is asked for again. If it stays so, the listing fails: it is never
// the last page because something is missing in it.
func TestListingUntrusted(t *testing.T) {
	const object = "<Contents><Key>00</Key><Size>10</Size></Contents>"
	listing := func(s string) string { return "<ListBucketResult>" + s + "</ListBucketResult>" }
	for name, body := range map[string]string{
		"empty":             "",
		"HTML":              "<html><body>Welcome</body></html>",
		"no IsTruncated":    listing(object),
		"without a key":     listing("<IsTruncated>false</IsTruncated><Contents><Size>10</Size></Contents>"),
		"without a size":    listing("<IsTruncated>false</IsTruncated><Contents><Key>00</Key></Contents>"),
		"a negative size":   listing("<IsTruncated>false</IsTruncated><Contents><Key>00</Key><Size>-1</Size></Contents>"),
		"another KeyCount":  listing("<IsTruncated>false</IsTruncated><KeyCount>3</KeyCount>" + object),
		"cut off":           "<ListBucketResult><IsTruncated>false</IsTruncated>" + object,
		"without a token":   listing("<IsTruncated>true</IsTruncated>" + object),
		"S3's error in 200": "<Error><Code>InternalError</Code><Message>later</Message></Error>",
	} {
		for page := range 2 {
			t.Run(fmt.Sprintf("%s,page=%d", name, page+1), func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t, harness.Pages(10)), t.TempDir()
				for i := range 15 {
					origin.Put("b", fmt.Sprintf("%02d", i), harness.Content)
				}
				d := harness.NewDownloader(t, origin, harness.Quickly)
				fault := s3test.Fault{Match: harness.IsList, Body: &body, Skip: page, Times: 1}
				once := origin.Inject(fault)
				all := harness.Directory(t, d, "", dir)
				if err := all.Result(); err != nil || once.Hits() != 1 {
					t.Errorf("once: got %v after %d faults", err, once.Hits())
				}
				if p := all.Progress(); p.Done != 15 || !p.Complete {
					t.Errorf("once: got %+v, want all 15", p)
				}

				origin.ClearFaults()
				fault.Times = 0
				origin.Inject(fault)
				all = harness.Directory(t, d, "", t.TempDir())
				err := harness.WantDirectoryError(t, all.Result(), 0, processpool.ErrRetriesExceeded)
				if p := all.Progress(); p.Complete || p.Done != int64(10*page) {
					t.Errorf("always: got %+v and %v, want %d and no Complete", p, err, 10*page)
				}
			})
		}
	}
}
