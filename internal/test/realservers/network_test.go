//go:build realservers && linux

package realservers

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
)

// TestNetwork checks that downloads succeed although connections fail.
func TestNetwork(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		// Three whole ranges: the worker that sent the HeadObject gets at least one of them, and sends it
		// over the same connection, which has the first fault.
		up := s.upload(t, "key", newContent(1, 24*mib), onePut)
		for _, f := range []fault{
			{reset, 0}, {end, 0}, // before a response, or within the TLS handshake
			{reset, 100}, {end, 100}, // in the headers
			{reset, mib}, {end, mib}, {reset, 3*mib + 1}, {end, 8 * mib}, // in a body
			{stall, 0}, {stall, 2 * mib},
		} {
			t.Run(fmt.Sprintf("%s at %d", f.act, f.after), func(t *testing.T) {
				behind, p := through(t, s, f, f)
				d := newDownloader(t, behind, func(c *processpool.Config) {
					c.MaxRequestProcesses = 2
					c.StallTimeout = time.Second
				})
				fetch(t, d, up)
				if got := p.strikes(); got == 0 {
					t.Error("no fault has fired")
				}
			})
		}
	}, plain, secure)
}

// TestNetworkFlips checks that a bit that is flipped on the way does not reach the destination. If
// the parts have checksums, the bad one is downloaded again. With TLS the record is rejected.
// versitygw does not report the checksums of parts.
func TestNetworkFlips(t *testing.T) {
	composite := way{partSize: partSize, algorithm: types.ChecksumAlgorithmSha256, kind: types.ChecksumTypeComposite}
	each(t, func(t *testing.T, s *server) {
		whole := s.upload(t, "whole", newContent(1, 20*mib), onePut)
		parts := s.upload(t, "parts", newContent(2, 20*mib), composite)
		for _, up := range []uploaded{whole, parts} {
			behind, p := through(t, s, fault{flip, mib})
			d := newDownloader(t, behind, func(c *processpool.Config) { c.MaxRequestProcesses = 1 })
			if s.caPEM != nil || up.key == "parts" && s.name != "versitygw" {
				fetch(t, d, up)
			} else {
				name := filepath.Join(t.TempDir(), destination)
				writeFile(t, name, []byte("before"))
				err := d.DownloadFile(context.Background(), bucket, up.key, name).Result()
				if !errors.Is(err, processpool.ErrChecksumMismatch) {
					t.Errorf("%s: got error %v, want ErrChecksumMismatch", up.key, err)
				}
				untouched(t, name)
				fetch(t, d, up) // the next one
			}
			if got := p.strikes(); got != 1 {
				t.Errorf("%s: got %d flipped bits, want 1", up.key, got)
			}
		}
	}, plain, secure)
}

// TestNetworkRefused downloads from an address where no server listens.
func TestNetworkRefused(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		up := s.upload(t, "key", newContent(1, mib), onePut)
		behind, p := through(t, s)
		p.close()
		d := newDownloader(t, behind, func(c *processpool.Config) { c.MaxAttempts = 2 })
		name := filepath.Join(t.TempDir(), destination)
		writeFile(t, name, []byte("before"))
		err := d.DownloadFile(context.Background(), bucket, up.key, name).Result()
		if !errors.Is(err, processpool.ErrRetriesExceeded) {
			t.Errorf("got error %v, want ErrRetriesExceeded", err)
		}
		untouched(t, name)
	}, plain)
}
