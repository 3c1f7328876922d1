// Package fence holds the tests of the workers' sandbox: what a worker tries in vain, what it may
// do, and what there is on older kernels.
package fence
