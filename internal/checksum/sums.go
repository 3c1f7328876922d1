package checksum

import "hash"

// Sums computes two checksums of the same bytes: one to verify the object, and one for the
// journal's record of the range. A Sums is not safe for concurrent use.
type Sums struct {
	proof, record Algorithm // "": none

	Proof  uint64    // if the algorithm combines
	Digest hash.Hash // if it does not
	Record uint64
}

// NewSums returns the sums of no bytes. record must be "" or an algorithm that combines.
func NewSums(proof, record Algorithm) *Sums {
	s := &Sums{proof: proof, record: record}
	if proof != "" && !proof.Combines() {
		s.Digest = proof.New()
	}
	return s
}

// Write adds p to both checksums. If they have the same algorithm, it is computed once.
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
}

// Reset returns s to the sums of no bytes.
func (s *Sums) Reset() { *s = *NewSums(s.proof, s.record) }

// Bytes returns the digest, or nil if the algorithm combines.
func (s *Sums) Bytes() []byte {
	if s.Digest == nil {
		return nil
	}
	return s.Digest.Sum(nil)
}
