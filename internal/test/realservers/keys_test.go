//go:build realservers && linux

package realservers

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
)

// oddKeys are difficult to encode in a URL, to sign, or to use as a path.
var oddKeys = []struct {
	name string
	key  string
	size int64
	not  []*product // servers that refuse it
}{
	{name: "spaces", key: " two  spaces ", size: 10},
	{name: "plus", key: "a+b c++", size: 11},
	{name: "unicode", key: "größe/日本語/🪣", size: 12},
	{name: "both forms of é", key: "\u00e9-e\u0301", size: 13},
	{name: "percent", key: "100%/50%25", size: 14},
	{name: "encoded slash", key: "a%2Fb", size: 15},
	{name: "slash for the encoded one", key: "a/b", size: 16},
	{name: "leading dots", key: ".a/..b/...c", size: 17},
	{name: "query", key: "a?b=c&versionId=d#e", size: 18},
	{name: "punctuation", key: `!'()*~$,;:@="<>[]{}^|` + "`", size: 19},
	{name: "control character", key: "a\tb", size: 20},
	{name: "900 bytes", key: strings.Repeat(strings.Repeat("k", 199)+"/", 4) + strings.Repeat("k", 100), size: 21},
	{name: "900 bytes of unicode", key: strings.Repeat(strings.Repeat("ü", 99)+"é/", 4) + strings.Repeat("ü", 48), size: 22},
	{name: "two chunks", key: "two chunks/a b+c%20d", size: chunk + 1},
	{name: "ending in slash, empty", key: "folder/", size: 0},
	{name: "ending in slash", key: "filled folder/", size: 23, not: []*product{versitygw}},
}

func TestOddKeys(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		type download struct {
			name   string
			up     uploaded
			future *processpool.Future
		}
		// All objects are uploaded before the first download, so that a key that is confused with
		// another one gives other bytes.
		var downloads []download
		for i, odd := range oddKeys {
			if !slices.Contains(odd.not, s.product) {
				up := s.upload(t, odd.key, newContent(uint64(i), odd.size), way{})
				downloads = append(downloads, download{name: odd.name, up: up})
			}
		}
		for i := range downloads {
			name := filepath.Join(t.TempDir(), destination)
			downloads[i].future = d.DownloadFile(context.Background(), bucket, downloads[i].up.key, name)
		}
		for _, download := range downloads {
			t.Run(download.name, func(t *testing.T) {
				if err := download.future.Result(); err != nil {
					t.Fatal(err)
				}
				// The default of the SDK is CRC32.
				if got, want := check(t, download.future, download.up).Verified, "CRC32 full object"; got != want {
					t.Errorf("verified: got %q, want %q", got, want)
				}
			})
		}
	}, plain, secure)
}
