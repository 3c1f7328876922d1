// Package chaos tests random downloads with random faults. Each run is drawn from a seed. It checks
// the promise of the library: a download either returns nil, and the file has exactly the bytes of
// one version of the object, or it returns an error that the plan explains, and the destination is
// unchanged. Nothing is left behind, and nothing hangs.
//
//	go test ./internal/test/chaos
//	go test ./internal/test/chaos -v -run Chaos -chaos.runs 1000
//	go test ./internal/test/chaos -v -run Chaos -chaos.runs 1 -chaos.seed 4711
//
// A seed determines the plan: the objects, the configuration, the faults and the events at which
// they fire. The scheduling of the machine is not determined, so two runs of a plan can differ.
package chaos
