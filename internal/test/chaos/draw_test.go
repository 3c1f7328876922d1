//go:build linux

package chaos

import (
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/osfile"
)

// drawFaults draws the faults of a download.
func (p *plan) drawFaults(d dice, t *transfer) {
	if t.object.parts != nil && d.chance(10) {
		for _, method := range []string{"HEAD", "GET"} {
			t.orders = append(t.orders, &order{kind: secret, method: method})
		}
	}
	switch {
	case d.chance(25): // nothing
	case d.chance(25):
		t.orders = append(t.orders, p.draw(d, t, pick(d, final)))
	case d.chance(25) && p.proof(t) == always && t.object.size > 0 && t.expected < 0:
		t.orders = append(t.orders, p.draw(d, t, pick(d, lying)))
		p.drawPassing(d, t)
	default:
		p.drawPassing(d, t)
	}
	if p.tokens && t.n == 0 {
		t.orders = append(t.orders, p.draw(d, t, expired))
	}
	if d.chance(10) {
		t.orders = append(t.orders, p.draw(d, t, canceled))
	}
	if d.chance(12) {
		t.disk = p.drawDisk(d)
	}
}

// drawPassing draws faults that mostly leave each range at least one attempt.
func (p *plan) drawPassing(d dice, t *transfer) {
	for n := range 1 + d.IntN(3) {
		k := pick(d, passing)
		if p.stall < time.Minute && n == 0 && d.chance(40) {
			k = pick(d, waiting)
		}
		switch {
		case t.ordered(k.name), k.name == "503" && d.chance(60):
			continue // a 503 takes a second
		case k.name == "small Content-Length" && p.tokens:
			continue // it would remove the error code from S3's response
		case !t.rightSize() && (strings.HasPrefix(k.name, "long body") || k.name == "small Content-Length"):
			continue // it may cancel out the difference
		}
		t.orders = append(t.orders, p.draw(d, t, k))
	}
}

// gets returns the approximate number of GETs of a download without faults.
func (p *plan) gets(t *transfer) int {
	if t.object.size < p.threshold {
		return 1
	}
	return int((t.object.size+p.chunk-1)/p.chunk) + 1
}

func (p *plan) draw(d dice, t *transfer, k *kind) *order {
	o := &order{kind: k, method: "GET", times: 1, fatal: k.fatal, skip: d.IntN(min(p.gets(t), 8))}
	if k.head && t.expected < 0 && d.chance(30) {
		o.method, o.skip = "HEAD", 0
	}
	span := max(min(t.object.size, p.chunk), 1)
	o.at = d.Int64N(span)
	switch k.name {
	case "redirect":
		o.at = int64(t.n)
	case "trickle":
		o.at = span
	case "no Content-Length", "delay", "cancel", "expired token", "deleted", "directory removed", "directory at the destination":
	case "403", "412", "416", "wrong ETag":
		o.times = d.IntN(2)
		// A GetObject is asked for the reason. It succeeds, and the HeadObject is made again.
		o.fatal = o.fatal && !(o.method == "HEAD" && o.times == 1)
	case "flipped bit":
		o.at, o.skip = d.Int64N(t.object.size), 0
		o.times = d.IntN(3)
		o.fatal = !t.object.repairs()
	case "overwritten", "overwritten, If-Match ignored":
		o.at = pick(d, []int64{t.object.size, t.object.size, t.object.size + 1, t.object.size / 2, 0})
		if t.object.noETag && p.proof(t) != always && o.at == t.object.size {
			o.at++ // a new version of the same size would not be detectable
		}
	default:
		o.times = 1 + d.IntN(2)
		if d.chance(5) {
			o.times = p.attempts + 1
		}
	}
	if k.do != nil && k != canceled && k != expired && !k.fatal {
		o.fatal = o.method == "GET" && t.expected < 0 && !t.pinned || k.name == "deleted" && !t.pinned
	}
	return o
}

func (p *plan) drawDisk(d dice) *disk {
	ops := []string{"open", "stat", "stat", "fallocate", "fallocate", "close", "rename"}
	if p.durable {
		ops = append(ops, "fsync", "syncdir")
	}
	k := &disk{op: pick(d, ops), nth: 1}
	k.errno = pick(d, []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EACCES, syscall.EROFS, 0})
	if k.op == "stat" {
		k.nth += d.IntN(2)
	}
	if k.op == "fallocate" && d.chance(50) {
		k.errno = syscall.EOPNOTSUPP
	}
	return k
}

// harmless reports whether a download can succeed with the fault: it is a cancel, or the call is a
// service that the file system does not offer.
func (k *disk) harmless() bool {
	return k.errno == 0 || (k.op == "fallocate" || k.op == "syncdir") && !osfile.OfStorage(k.errno)
}

func (t *transfer) ordered(name string) bool {
	return slices.ContainsFunc(t.orders, func(o *order) bool { return o.name == name })
}

// rightSize reports whether ExpectedSize is not set or correct.
func (t *transfer) rightSize() bool { return t.expected < 0 || t.expected == t.object.size }
