package checksum

import "hash"

// Sums sums the same bytes for two ends at once: for the proof of the object, and for the record that is
// kept of the range. It is not for concurrent use.
type Sums struct {
	proof, record Algorithm // "": none

	Proof  uint64    // where it combines
	Digest hash.Hash // where it does not
	Record uint64
}

// NewSums returns sums of no bytes. record combines, or is "".
func NewSums(proof, record Algorithm) *Sums {
	s := &Sums{proof: proof, record: record}
	if proof != "" && !proof.Combines() {
		s.Digest = proof.New()
	}
	return s
}

// Write adds bytes. Where both ends have the same algorithm they are summed once.
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

// Reset forgets all bytes.
func (s *Sums) Reset() { *s = *NewSums(s.proof, s.record) }

// Bytes returns the digest, nil where the algorithm combines.
func (s *Sums) Bytes() []byte {
	if s.Digest == nil {
		return nil
	}
	return s.Digest.Sum(nil)
}
