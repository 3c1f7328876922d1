package e2e_test

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// TestConnectionsBeforeTheAnswer: while S3 has not answered the HeadObject, the other workers start and
// open their connections.
func TestConnectionsBeforeTheAnswer(t *testing.T) {
	const workers = 3
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, file := harness.StartOrigin(t, func(o *s3test.Options) { o.TLS = secure }), filepath.Join(t.TempDir(), "file")
			origin.Put("b", "k", harness.Content)
			ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
			defer cancel()
			origin.OnRequest(func(r s3test.Request) {
				if r.Method != http.MethodHead {
					return
				}
				if err := origin.WaitConnections(ctx, workers); err != nil {
					t.Errorf("the workers do not connect while the HeadObject is out: %v", err)
				}
			})
			d := harness.NewDownloader(t, origin, harness.Processes(workers), harness.Multipart(1, int64(len(harness.Content)/workers+1)),
				func(c *processpool.Config) { c.CABundle = origin.CAPEM() })
			if err := harness.Download(t, d, "k", file); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, file, harness.Content)
		})
	}
}
