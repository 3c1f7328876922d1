// Package writeback has the kernel bring a file to the disk while more of it is fetched, so that little is left for
// the fsync at its end.
package writeback
