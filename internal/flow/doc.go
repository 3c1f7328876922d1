// Package flow decides how much the pool may ask of the network and of S3: how a limit of bytes a
// second is shared among the workers, and how many requests may be in flight. It is arithmetic alone:
// who uses it tells what happens and when, and acts on the outcome, so that a test needs no process and
// no clock. Its types are for one goroutine.
package flow
