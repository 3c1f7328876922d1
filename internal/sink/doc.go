// Package sink makes the file a download is written to: a temporary one beside the destination, which
// takes its name only when every byte is in.
//
//	Resolve ──> Target ──Create──> Temp ──Sync, Publish, SyncDir──> destination
//	                                 └───Discard──> gone, destination as it was
//
// Whatever fails, no temporary file is left and the destination is what it was before; only a failed
// remove can leave one. The package belongs to the parent process. A worker gets the open descriptor
// and knows no name.
//
// Errors are *fs.PathError whose Op is the step that failed; that of a rename is *os.LinkError.
package sink
