//go:build processpool_noinit

package reexec

// Init reports whether init turns this executable into a worker. With this tag nothing runs before
// main: a pool needs a WorkerCommand, whose main calls ServeWorker.
const Init = false
