// Package chaos tests whole runs of s3fleet, of three workers, a server and 2,000 objects, with faults
// that are drawn from a seed: killed workers, servers and planners, stopped workers, a full disk, objects
// that cannot be downloaded. judge_test.go says what must hold after each run.
//
//	go test ./internal/test/chaos
//	go test ./internal/test/chaos -v -run Chaos -fleet.runs 30
//	go test ./internal/test/chaos -v -run Chaos -fleet.runs 1 -fleet.seed 4711
//
// A seed determines the plan: the objects, the settings, the faults and the events at which they
// come. The scheduling of the machine is not determined, so two runs of a plan can differ.
package chaos
