package checksum

import (
	"hash"
	"slices"
)

// Sums computes checksums of the same bytes: one to verify the object, one for the journal's record
// of the range, and further ones that the caller expects. A Sums is not safe for concurrent use.
type Sums struct {
	proof, record Algorithm // "": none
	also          []Algorithm

	Proof  uint64    // if the algorithm combines
	Digest hash.Hash // if it does not
	Record uint64

	lanes []lane // of those in also that are neither proof nor record
}

// lane is one of the further checksums.
type lane struct {
	algorithm Algorithm
	crc       uint64    // if the algorithm combines
	digest    hash.Hash // if it does not
}

// NewSums returns the sums of no bytes. record must be "" or an algorithm that combines. No
// algorithm may be unknown or Barred.
func NewSums(proof, record Algorithm, also ...Algorithm) *Sums {
	s := &Sums{proof: proof, record: record, also: also}
	if proof != "" && !proof.Combines() {
		s.Digest = proof.New()
	}
	for _, a := range also {
		if a == proof || a == record {
			continue
		}
		l := lane{algorithm: a}
		if !a.Combines() {
			l.digest = a.New()
		}
		s.lanes = append(s.lanes, l)
	}
	return s
}

// Write adds p to all checksums. One whose algorithm is given twice is computed once.
func (s *Sums) Write(p []byte) {
	switch {
	case s.Digest != nil:
		s.Digest.Write(p)
	case s.proof != "":
		s.Proof = s.proof.Update(s.Proof, p)
	}
	switch s.record {
	case "":
	case s.proof:
		s.Record = s.Proof
	default:
		s.Record = s.record.Update(s.Record, p)
	}
	for i := range s.lanes {
		if l := &s.lanes[i]; l.digest != nil {
			l.digest.Write(p)
		} else {
			l.crc = l.algorithm.Update(l.crc, p)
		}
	}
}

// Reset returns s to the sums of no bytes.
func (s *Sums) Reset() { *s = *NewSums(s.proof, s.record, s.also...) }

// Bytes returns the digest, or nil if the algorithm combines.
func (s *Sums) Bytes() []byte {
	if s.Digest == nil {
		return nil
	}
	return s.Digest.Sum(nil)
}

// Also returns the further checksums, in the order in which NewSums got their algorithms. If
// digests is false, those that do not combine are nil.
func (s *Sums) Also(digests bool) [][]byte {
	if len(s.also) == 0 {
		return nil
	}
	sums := make([][]byte, len(s.also))
	for i, a := range s.also {
		if l := s.lane(a); a.Combines() {
			sums[i] = a.Bytes(l.crc)
		} else if digests {
			sums[i] = l.digest.Sum(nil)
		}
	}
	return sums
}

// lane returns the state of one of the further checksums.
func (s *Sums) lane(a Algorithm) lane {
	switch a {
	case s.proof:
		return lane{a, s.Proof, s.Digest}
	case s.record:
		return lane{a, s.Record, nil}
	}
	return s.lanes[slices.IndexFunc(s.lanes, func(l lane) bool { return l.algorithm == a })]
}
