package partial

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/proof"
)

func TestKeep(t *testing.T) {
	thirds, _ := proof.UniformLayout(9, 3, 3)
	data := []byte("012345678")
	of := func(offset, length int64) journal.Record {
		return journal.Record{Offset: offset, Length: length, Sum: checksum.CRC32.Update(0, data[offset:offset+length])}
	}
	for _, c := range []struct {
		name    string
		records []journal.Record
		layout  proof.Layout
		whole   bool
		want    []journal.Record
	}{
		{name: "none"},
		{name: "in any order", records: []journal.Record{of(6, 3), of(0, 2)}, want: []journal.Record{of(0, 2), of(6, 3)}},
		{name: "the later one", records: []journal.Record{{Offset: 0, Length: 4, Sum: 1}, of(2, 4)}, want: []journal.Record{of(2, 4)}},
		{name: "the later one, before", records: []journal.Record{{Offset: 2, Length: 4, Sum: 1}, of(0, 3)}, want: []journal.Record{of(0, 3)}},
		{name: "the later one, within", records: []journal.Record{{Offset: 0, Length: 9, Sum: 1}, of(3, 1)}, want: []journal.Record{of(3, 1)}},
		{name: "again", records: []journal.Record{{Offset: 0, Length: 9, Sum: 1}, of(0, 9)}, want: []journal.Record{of(0, 9)}},
		{name: "none over a boundary", records: []journal.Record{of(0, 2), of(2, 2), of(4, 2)}, layout: thirds, want: []journal.Record{of(0, 2), of(4, 2)}},
		{name: "whole parts", records: []journal.Record{of(5, 1), of(0, 2), of(3, 2), of(6, 3)}, layout: thirds, whole: true, want: []journal.Record{of(3, 3), of(6, 3)}},
		{name: "not the whole object", records: []journal.Record{of(0, 2), of(3, 6)}, whole: true},
		{name: "the whole object", records: []journal.Record{of(2, 7), of(0, 2)}, whole: true, want: []journal.Record{of(0, 9)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Keep(c.records, checksum.CRC32, 9, c.layout, c.whole)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// FuzzKeep checks that every kept record is one of the given records, that kept records do not
// overlap, and that a record without overlaps is kept.
func FuzzKeep(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, int64(100))
	}
	f.Fuzz(func(t *testing.T, seed uint64, size int64) {
		if size < 1 {
			t.Skip()
		}
		random := rand.New(rand.NewPCG(seed, 0))
		records := make([]journal.Record, random.IntN(30))
		for i := range records {
			offset := random.Int64N(size)
			records[i] = journal.Record{Offset: offset, Length: 1 + random.Int64N(min(size-offset, 1+size/20)), Sum: uint64(i)}
		}
		kept := Keep(records, checksum.CRC64NVME, size, proof.Layout{}, false)
		var end int64
		for _, k := range kept {
			if k.Offset < end || records[k.Sum] != k {
				t.Fatalf("got %v of %v", kept, records)
			}
			end = k.End()
		}
		for i, r := range records {
			alone := !slices.ContainsFunc(records, func(o journal.Record) bool {
				return o.Sum != uint64(i) && o.Offset < r.End() && r.Offset < o.End()
			})
			if alone && !slices.Contains(kept, r) {
				t.Fatalf("%v is not kept of %v", r, records)
			}
		}
	})
}
