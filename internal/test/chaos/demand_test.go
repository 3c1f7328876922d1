//go:build linux

package chaos

import (
	"encoding/base64"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// demand is what a download expects of the bytes: DownloadOptions.Expect.
type demand struct {
	algorithms []types.ChecksumAlgorithm
	wrong      bool // the last digest is of other bytes
}

// demand draws what the downloads expect. Digests of large objects take too long.
func (p *plan) demand(d dice) {
	for _, t := range p.transfers {
		if !d.chance(30) || t.object.size > 4*mib || t.part != nil {
			continue
		}
		t.demand = &demand{wrong: d.chance(25)}
		for range 1 + d.IntN(3) {
			t.demand.algorithms = append(t.demand.algorithms, pick(d, types.ChecksumAlgorithm("").Values()))
		}
		if t.demand.wrong { // of one algorithm only
			t.demand.algorithms = t.demand.algorithms[:1]
		}
	}
}

// expect returns the digests of the object as the download finds it first. A nil demand has none.
func (k *demand) expect(v version) (list []processpool.Checksum) {
	if k == nil {
		return nil
	}
	for _, a := range k.algorithms {
		h := checksum.Algorithm(a).New()
		io.Copy(h, io.NewSectionReader(s3test.Pattern(v.seed), 0, v.size))
		if k.wrong {
			h.Write([]byte("other bytes"))
		}
		list = append(list, processpool.Checksum{Algorithm: a, Value: base64.StdEncoding.EncodeToString(h.Sum(nil))})
	}
	return list
}

// judgeDemand checks that a download which has succeeded has the bytes that it expects.
func (r *run) judgeDemand(t *transfer) {
	if t.demand == nil {
		return
	}
	if t.demand.wrong {
		r.Errorf("%s: got success though it expects other bytes", t.key)
	}
	if err := t.versions[0].in(t.target, 0, t.versions[0].size); err != nil {
		r.Errorf("%s: got success, and not the bytes that it expects: %v", t.key, err)
	}
}

// unmet reports whether the bytes may be others than the download expects.
func (t *transfer) unmet() bool { return t.demand != nil && (t.demand.wrong || len(t.versions) > 1) }
