// Package worker is the worker process: it greets the pool on the socket it has inherited, runs
// jobs, and ends when the pool says so or is gone.
package worker
