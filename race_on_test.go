//go:build race

package processpool_test

// raced: the race detector is built in.
const raced = true
