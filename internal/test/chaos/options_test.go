//go:build linux

package chaos

import (
	"io/fs"
	"os"
	"slices"

	"github.com/s3processpool/processpool"
)

// chosen are the options of a download that change what arrives, and where.
type chosen struct {
	part     *processpool.Range // of the object; nil: all of it
	open     bool               // DownloadTo an open file
	file     *os.File           // the open file
	fresh    bool               // NoClobber
	modified bool               // KeepModTime
	match    bool               // IfMatch with the ETag of the first version
	unlike   bool               // IfNoneMatch with an ETag that no version has
	asked    fs.FileMode        // Mode; 0: none
	durable  bool               // Durable, of this download alone
}

// choose draws the options of the downloads whose faults they do not change the meaning of.
func (p *plan) choose(d dice) {
	p.direct = d.chance(30)
	for _, t := range p.transfers {
		plain := t.disk == nil && t.odd == nil && !t.ordered("directory removed") && !t.ordered("directory at the destination")
		if d.chance(25) && !t.lied() && !t.object.noETag {
			t.part = p.drawPart(d, t)
		}
		switch {
		case d.chance(25) && plain && !t.resume:
			t.open, t.present, t.mode = true, "a file", 0
		case d.chance(15) && plain && t.present == "no file":
			t.fresh = true
		}
		t.modified = d.chance(15) && plain
		t.match = d.chance(15) && !t.object.noETag && t.expected < 0
		t.unlike = !t.match && d.chance(15)
		if d.chance(15) && plain {
			t.asked = pick(d, []fs.FileMode{0o400, 0o600, 0o640, 0o755})
		}
		t.durable = d.chance(10) && plain
	}
}

// drawPart draws a range, which mostly is in the object, and often is whole parts of it.
func (p *plan) drawPart(d dice, t *transfer) *processpool.Range {
	size := t.object.size
	if d.chance(5) {
		return &processpool.Range{Offset: size, Length: 1 + d.Int64N(10)}
	}
	if n := len(t.object.parts); n > 0 && d.chance(60) {
		from := d.IntN(n)
		to := from + d.IntN(n-from)
		var part processpool.Range
		for _, n := range t.object.parts[:from] {
			part.Offset += n
		}
		for _, n := range t.object.parts[from : to+1] {
			part.Length += n
		}
		return &part
	}
	offset := d.Int64N(size + 1)
	part := &processpool.Range{Offset: offset, Length: d.Int64N(size - offset + 1)}
	if part.Length == 0 {
		part.Offset = 0 // everything
	}
	return part
}

// lied reports whether a fault gives other bytes, which only the proof of the whole object reveals.
func (t *transfer) lied() bool {
	return t.misleads() || t.ordered("wrong ETag") || t.ordered("overwritten, If-Match ignored") || slices.ContainsFunc(t.orders, func(o *order) bool { return slices.Contains(lying, o.kind) })
}

// set sets the options that were drawn.
func (c *chosen) set(t *transfer, o *processpool.DownloadOptions) {
	if c.part != nil {
		part := *c.part
		o.Range = &part
	}
	o.NoClobber, o.KeepModTime = c.fresh, c.modified
	if c.match {
		o.IfMatch = t.versions[0].etag
	}
	if c.unlike {
		o.IfNoneMatch = `"of no version"`
	}
	o.Mode, o.Durable = c.asked, o.Durable || c.durable
}

// of returns the bytes of an object of size bytes that are downloaded. It returns false if one of
// them is beyond the end.
func (c *chosen) of(size int64) (first, end int64, ok bool) {
	switch {
	case c.part == nil || *c.part == processpool.Range{}:
		return 0, size, true
	case c.part.Length == 0:
		return c.part.Offset, size, c.part.Offset < size
	}
	first, end = c.part.Offset, c.part.Offset+c.part.Length
	return first, end, end <= size
}

// partial reports whether something of an object of size bytes is not downloaded.
func (c *chosen) partial(size int64) bool {
	first, end, ok := c.of(size)
	return !ok || first > 0 || end < size
}

// judgeChosen checks the options of a download that has succeeded.
func (r *run) judgeChosen(t *transfer) {
	o := t.future.Object()
	if _, _, ok := t.of(o.Size); !ok {
		r.Errorf("%s: got success with a range beyond the end of %+v", t.key, o)
	}
	if t.match && o.ETag != t.versions[0].etag && !t.did("wrong ETag") {
		r.Errorf("%s: got %+v, want the ETag of IfMatch", t.key, o)
	}
	if info, err := os.Stat(t.target); t.modified && (err != nil || !info.ModTime().Equal(o.LastModified)) {
		r.Errorf("%s: got another time than %v, %v", t.key, o.LastModified, err)
	}
	if info, err := os.Stat(t.target); t.asked != 0 && (err != nil || info.Mode().Perm() != t.asked) {
		r.Errorf("%s: got mode %v, want %v, %v", t.key, mode(info), t.asked, err)
	}
	if t.open {
		r.count.fault("DownloadTo")
	}
	if t.part != nil {
		r.count.fault("Range")
	}
}
