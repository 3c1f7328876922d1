// Package walk downloads all objects below a prefix of a bucket to files below a directory.
//
// A walk is one goroutine, which owns its fields. It asks for a page of the listing, begins a
// download for each object of the page, and asks for the next page:
//
//	page -> object, object, ... -> page -> ... -> the last downloads end
//
// Invariants:
//  1. Every download goes through the walk's Window, which bounds their number and keeps the loop from
//     being stopped.
package walk
