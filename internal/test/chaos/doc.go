// Package chaos is a test: random downloads while random things go wrong, each run
// drawn from a seed. Its one rule is the library's promise: nil and exactly the bytes
// of one version of the object, or an error that the plan explains and everything as
// it was before; nothing left behind, and nothing hung.
//
//	go test ./internal/test/chaos
//	go test ./internal/test/chaos -v -run Chaos -chaos.runs 1000
//	go test ./internal/test/chaos -v -run Chaos -chaos.runs 1 -chaos.seed 4711
//
// A seed makes the plan: objects, configuration, faults and the events at which they
// strike. What the scheduler of the machine makes of it may differ from one time to
// the next.
package chaos
