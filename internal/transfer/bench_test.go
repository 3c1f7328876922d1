package transfer

import "testing"

// Planning, for each range of a 5 TiB object: b.SetBytes makes it bytes planned a second.
func BenchmarkRangesTake(b *testing.B) {
	const chunk = 8 << 20
	r := cutBy(5<<40, chunk)
	b.SetBytes(chunk)
	b.ReportAllocs()
	for b.Loop() {
		s, ok := r.take()
		if !ok {
			r = cutBy(5<<40, chunk)
			continue
		}
		r.finish(s.length)
	}
}
