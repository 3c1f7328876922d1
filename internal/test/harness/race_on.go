//go:build race

package harness

// Raced reports whether the race detector is built in.
const Raced = true
