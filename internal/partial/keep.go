package partial

import (
	"cmp"
	"slices"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/proof"
)

// Keep returns those of an object's records from which a download can resume, sorted by offset,
// without overlaps. size is the object's size in bytes. If the layout is known, no record crosses
// the boundary of a part. If whole is true, the digest of a part, or of an object without parts,
// cannot be continued: Keep then returns one record for each part, or object, that is complete.
func Keep(
	records []journal.Record, a checksum.Algorithm, size int64, layout proof.Layout, whole bool,
) []journal.Record {
	kept := apart(records)
	section := func(r journal.Record) (start, end int64) {
		if !layout.Known() {
			return 0, size
		}
		return layout.Part(layout.Of(r.Offset))
	}
	kept = slices.DeleteFunc(kept, func(r journal.Record) bool {
		_, end := section(r)
		return r.End() > end
	})
	if !whole {
		return kept
	}
	var full []journal.Record
	for i := 0; i < len(kept); {
		start, end := section(kept[i])
		pieces := checksum.NewPieces(a)
		for ; i < len(kept) && kept[i].Offset < end; i++ {
			pieces.Add(kept[i].Offset-start, kept[i].Length, kept[i].Sum)
		}
		if sum, ok := pieces.Whole(end - start); ok {
			full = append(full, journal.Record{Offset: start, Length: end - start, Sum: sum})
		}
	}
	return full
}

// apart returns records sorted by offset, without overlaps. Of two records that overlap, it keeps
// the one that was appended later.
func apart(records []journal.Record) []journal.Record {
	type numbered struct {
		journal.Record
		n int
	}
	all := make([]numbered, len(records))
	for i, r := range records {
		all[i] = numbered{r, i}
	}
	slices.SortFunc(all, func(a, b numbered) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.n, b.n))
	})
	var stack []numbered
	for _, r := range all {
		for len(stack) > 0 && stack[len(stack)-1].End() > r.Offset && stack[len(stack)-1].n < r.n {
			stack = stack[:len(stack)-1]
		}
		if len(stack) == 0 || stack[len(stack)-1].End() <= r.Offset {
			stack = append(stack, r)
		}
	}
	kept := make([]journal.Record, len(stack))
	for i, r := range stack {
		kept[i] = r.Record
	}
	return kept
}
