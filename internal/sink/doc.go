// Package sink creates the file that a download is written to: a temporary file beside the
// destination, which gets the destination's name when all bytes are written.
//
//	Resolve ──> Target ──Create──> Temp ──Sync, Publish, SyncDir──> destination
//	                                 └───Discard──> removed, destination unchanged
//
// After an error no temporary file is left and the destination is unchanged. Only an error from
// remove can leave a temporary file. The package runs in the parent process. A worker gets the open
// descriptor and knows no name.
//
// A caller that chooses the name of the file itself, because the file is to outlive the process,
// uses Target.CreateAt or Target.Adopt in place of Create, and can end with Temp.Keep.
//
// Errors are *fs.PathError whose Op is the step that failed; that of a rename is *os.LinkError.
package sink
