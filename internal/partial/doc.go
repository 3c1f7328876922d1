// Package partial is a download that may be cut off and gone on with: a partial file, its journal, and
// the goroutine that writes into the one what is safe in the other.
//
//	Open ──> File ──Add, Add, ...──> End ──> published: nothing is left
//	  │                               ├────> failed: what has arrived stays, for the next Open
//	  └─ ErrBusy                      └────> the bytes are not the object's: nothing is left
//
// Invariants:
//  1. Who has the journal's lock has the partial file; the lock ends with the process.
//  2. A record is appended only after an fdatasync of the partial file that began when the record's bytes
//     were written.
//  3. A record is a claim. It counts when its bytes were read back and have its checksum.
//  4. A partial file whose object is not known to be the same is removed, and not written over: workers
//     of a killed process may still write to it for a moment.
package partial
