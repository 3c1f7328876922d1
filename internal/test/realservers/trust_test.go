//go:build realservers && linux

package realservers

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
)

// TestBundleOfEnvironment checks that AWS_CA_BUNDLE names the roots if CABundle is not set.
func TestBundleOfEnvironment(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		name := filepath.Join(t.TempDir(), "roots.pem")
		writeFile(t, name, s.caPEM)
		t.Setenv("AWS_CA_BUNDLE", name)
		d := newDownloader(t, s, func(c *processpool.Config) { c.CABundle = nil })
		for _, size := range []int64{0, chunk, 20 * mib} {
			fetch(t, d, s.upload(t, "key", newContent(1, size), onePut))
		}
	}, secure)
}

// TestOtherAuthority checks that a certificate that does not verify is not retried.
func TestOtherAuthority(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		up := s.upload(t, "key", newContent(1, chunk+1), way{})
		other := newAuthority(t).pem
		for _, c := range []struct {
			name   string
			bundle []byte
		}{
			{"another bundle", other},
			{"system roots", nil},
		} {
			for _, op := range []string{"head", "get"} {
				var optFns []func(*processpool.DownloadOptions)
				if op == "get" {
					optFns = append(optFns, expecting(up.size()))
				}
				t.Run(c.name+"/"+op, func(t *testing.T) {
					t.Setenv("AWS_CA_BUNDLE", "")
					var j journal
					d := newDownloader(t, s, func(config *processpool.Config) {
						config.MaxRequestProcesses, config.CABundle, config.Logger = 1, c.bundle, j.logger()
					})
					name := filepath.Join(t.TempDir(), destination)
					writeFile(t, name, []byte("before"))
					err := d.DownloadFile(context.Background(), bucket, up.key, name, optFns...).Result()

					var transfer *processpool.TransferError
					if !errors.As(err, &transfer) || transfer.Op != op {
						t.Fatalf("got error %v, want a TransferError of step %q", err, op)
					}
					if want := "certificate signed by unknown authority"; !strings.Contains(err.Error(), want) {
						t.Errorf("got error %q, want %q in it", err, want)
					}
					if n := j.count("attempt failed"); n > 0 || errors.Is(err, processpool.ErrRetriesExceeded) {
						t.Errorf("%d attempts followed the first: %v", n, err)
					}
					untouched(t, name)
				})
			}
		}
		fetch(t, newDownloader(t, s, func(c *processpool.Config) { c.CABundle = append(other, s.caPEM...) }), up)
	}, secure)
}
