// Package walk downloads all objects below a prefix of a bucket to files below a directory.
//
// A walk is one goroutine, which owns its fields. It asks for a page of the listing, begins a
// download for each object of the page, and asks for the next page:
//
//	page -> object, object, ... -> page -> ... -> the last downloads end
//
// Invariants:
//  1. At most Loop.Window downloads have been submitted and have not landed, so that the channel of ends,
//     which has room for as many, never holds up the loop.
//  2. The walk has a Hold of the loop from its start to the last landing.
package walk
