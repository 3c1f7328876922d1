// Package transfer is one download: from the check of its destination to the rename of its file, or
// to its first error.
//
//	checking -> sizing -> (opening) ----\
//	    \                                v
//	     \-> probing <-> creating <-> fetching <-> inspecting
//	            \            \           \
//	             v            \           v
//	          discarding       \      (proving) -> finishing -> ended
//	          (-> sizing,       v
//	           or probing)     abandoning, cleaning -> ended
//
// An object of 0 bytes goes from sizing or opening to probing: a GetObject must confirm the size.
//
// The table in stage.go has every transition; nothing else changes the stage. A first error leads
// from every stage but finishing to cleaning, and by way of abandoning where a goroutine of the
// transfer's own must report first.
//
// All fields of a transfer belong to the loop's goroutine (see package dispatch). Six steps may
// block and run in a goroutine of their own, at most one at a time: the check of the destination,
// the opening of the partial file, the creation of the temporary file, its removal to start again,
// the publication, and the removal at the end. Each gets what it needs when it starts, touches no
// field but what is said to be its own, and reports back through Loop.Do.
package transfer
