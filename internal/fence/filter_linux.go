package fence

import "golang.org/x/sys/unix"

// condition holds if the lower half of an argument, masked, is one of some values. The kernel
// ignores the upper half of an int.
type condition struct {
	arg    int
	upper  bool // of the upper half instead
	mask   uint32
	values []uint32
	deny   uint32 // what becomes of a call for which it does not hold; 0 = as of others
}

// call is a system call that is allowed if all conditions hold.
type call struct {
	number     uintptr
	conditions []condition
}

func is(arg int, values ...uint32) condition {
	return condition{arg: arg, mask: ^uint32(0), values: values}
}

// without holds if none of the bits is set.
func without(arg int, bits uint32) condition {
	return condition{arg: arg, mask: bits, values: []uint32{0}}
}

func null(arg int) []condition {
	return []condition{is(arg, 0), {arg: arg, upper: true, mask: ^uint32(0), values: []uint32{0}}}
}

// assemble returns the filter (https://docs.kernel.org/userspace-api/seccomp_filter.html). deny is
// the answer to calls that are not allowed.
func assemble(deny, pid uint32) []unix.SockFilter {
	const (
		numberAt = 0 // in struct seccomp_data
		archAt   = 4
	)
	program := []unix.SockFilter{
		load(archAt), jumpEqual(filterArch, 1, 0), answer(unix.SECCOMP_RET_KILL_PROCESS),
		load(numberAt),
	}
	for _, number := range plain {
		program = append(program, jumpEqual(uint32(number), 0, 1), answer(unix.SECCOMP_RET_ALLOW))
	}
	for _, c := range conditional(pid) {
		block := c.assemble(deny)
		program = append(program, jumpEqual(uint32(c.number), 0, uint8(len(block))))
		program = append(program, block...)
	}
	// The C library and Go then use clone, whose flags a filter can see.
	program = append(program, jumpEqual(unix.SYS_CLONE3, 0, 1), answer(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)))
	return append(program, answer(deny))
}

// assemble returns the checks of a call's arguments. They end with an answer in any case.
func (c call) assemble(deny uint32) (block []unix.SockFilter) {
	for _, cond := range c.conditions {
		at := uint32(16 + 8*cond.arg) // args in struct seccomp_data; both architectures are little-endian
		if cond.upper {
			at += 4
		}
		block = append(block, load(at))
		if cond.mask != ^uint32(0) {
			block = append(block, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: cond.mask})
		}
		for i, v := range cond.values {
			block = append(block, jumpEqual(v, uint8(len(cond.values)-i), 0))
		}
		if cond.deny != 0 && deny&unix.SECCOMP_RET_ACTION_FULL == unix.SECCOMP_RET_ERRNO {
			block = append(block, answer(cond.deny))
		} else {
			block = append(block, answer(deny))
		}
	}
	return append(block, answer(unix.SECCOMP_RET_ALLOW))
}

func load(at uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

// jumpEqual skips as many instructions if the value loaded is k, and as many if it is not.
func jumpEqual(k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: k}
}

func answer(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
}
