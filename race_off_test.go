//go:build !race

package processpool_test

const raced = false
