//go:build !unix

package fence

// closeForeign does nothing: a worker inherits only what the pool names.
func closeForeign(int) {}

func forbidDumps() {}

// Privileged reports false: programs of this platform have no rights of their own.
func Privileged() bool { return false }
