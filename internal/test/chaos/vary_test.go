//go:build linux

package chaos

import (
	"strings"
	"time"
)

// vary draws the options of the downloads.
func (p *plan) vary(d dice) {
	for _, t := range p.transfers {
		switch {
		case t.expected < 0 && d.chance(20) && !t.misleads():
			t.skipHead = true
			for _, o := range t.orders {
				// An object that is overwritten before the first response was never seen.
				o.fatal = o.kind.fatal || o.fatal && o.name == "deleted"
			}
		case d.chance(25):
			t.resume = true
			t.spoil = pick(d, []spoil{nothing, nothing, flippedByte, flippedWord, tornJournal, noJournal})
			if d.chance(60) && !t.ordered(canceled.name) { // so that there is something to resume
				o := p.draw(d, t, canceled)
				o.method, o.skip = "GET", p.gets(t)*3/4
				t.orders = append(t.orders, o)
			}
		}
	}
	if d.chance(15) {
		p.tree = p.newTree(d)
	}
	p.slow = pick(d, []time.Duration{time.Second, 50 * time.Millisecond, time.Millisecond})
}

// misleads reports whether a fault makes the first response wrong in a way that only a HeadObject
// reveals.
func (t *transfer) misleads() bool {
	for _, o := range t.orders {
		if strings.HasPrefix(o.name, "long body") || o.name == "small Content-Length" || o.kind == lying[0] || o.kind == lying[1] {
			return true
		}
	}
	return false
}
