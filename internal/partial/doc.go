// Package partial is a download that can be interrupted and resumed: a partial file, its journal,
// and the goroutine that records in the journal which ranges of the file are on stable storage.
//
//	Open ──> File ──Add, Add, ...──> End ──> published: the journal is removed
//	  │                               ├────> failed: both files stay for the next Open
//	  └─ ErrBusy                      └────> not the object's bytes: both files are removed
//
// Invariants:
//  1. The holder of the journal's lock owns the partial file. The lock ends with its process.
//  2. A record is appended only after an fdatasync of the partial file that began after the
//     record's bytes were written. Where the file system cannot sync, it is appended without.
//  3. A record is a claim. It counts only if its bytes, when read back, have its checksum.
//  4. A partial file that is not known to be of the same object is removed and not overwritten:
//     workers of a killed process may still write to it for a moment.
//  5. The owner of a partial file and of a journal can read them and write to them, and no other
//     user can write to them. Files of which this does not hold are not believed (osfile.Foreign).
package partial
