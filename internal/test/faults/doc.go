// Package faults tests what the library does when its surroundings fail: system calls, disks,
// limits, connections, worker processes and the application itself. Each test asserts that the
// destination is as it was before or complete, that nothing is left behind, and that the next
// download succeeds.
package faults
