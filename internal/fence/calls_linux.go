//go:build amd64 || arm64

package fence

import "golang.org/x/sys/unix"

// plain are the calls that are allowed with any arguments: those of Go's runtime, of connections,
// and of descriptors that are open. The frequent ones come first.
var plain = append([]uintptr{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_PWRITE64, unix.SYS_FUTEX, unix.SYS_EPOLL_PWAIT, unix.SYS_SETSOCKOPT,
	unix.SYS_SYNC_FILE_RANGE, unix.SYS_RECVMSG, unix.SYS_NANOSLEEP, unix.SYS_EPOLL_CTL, unix.SYS_CLOSE,
	unix.SYS_RT_SIGRETURN, unix.SYS_MADVISE, unix.SYS_MUNMAP, unix.SYS_SCHED_YIELD, unix.SYS_GETRANDOM,

	// memory and threads
	unix.SYS_BRK, unix.SYS_MREMAP, unix.SYS_MINCORE, unix.SYS_SIGALTSTACK, unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK,
	unix.SYS_SET_ROBUST_LIST, unix.SYS_SET_TID_ADDRESS, unix.SYS_RSEQ, unix.SYS_SCHED_GETAFFINITY, unix.SYS_EXIT,
	unix.SYS_EXIT_GROUP, unix.SYS_RESTART_SYSCALL, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_MEMBARRIER,

	// what the process and the system are
	unix.SYS_GETPID, unix.SYS_GETPPID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID,
	unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY, unix.SYS_UNAME, unix.SYS_SYSINFO,
	unix.SYS_GETRUSAGE, unix.SYS_GETCWD,

	// connections; Landlock looks at the ports
	unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_GETSOCKOPT, unix.SYS_RECVFROM,
	unix.SYS_SHUTDOWN, unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2, unix.SYS_PPOLL,

	// files that are open, and what there is by name
	unix.SYS_PREAD64, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_LSEEK, unix.SYS_FSTAT, unix.SYS_FSYNC, unix.SYS_FDATASYNC,
	unix.SYS_FADVISE64, unix.SYS_GETDENTS64, unix.SYS_NEWFSTATAT, unix.SYS_STATX, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2,
	unix.SYS_READLINKAT,
}, plainOfArch...)

// conditional are the calls of which only some uses are allowed.
func conditional(pid uint32) []call {
	const (
		writes    = unix.O_ACCMODE | unix.O_CREAT | unix.O_TRUNC
		thread    = unix.CLONE_VM | unix.CLONE_SIGHAND | unix.CLONE_THREAD
		spaces    = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
		execMem   = unix.PROT_EXEC
		mapType   = 0xf
		droppable = 0x8 // MAP_DROPPABLE, anonymous memory for getrandom's state (getrandom(2) in the vDSO)
		plainType = 0xf // without SOCK_CLOEXEC and SOCK_NONBLOCK
	)
	return []call{
		{unix.SYS_OPENAT, []condition{without(2, writes)}},
		// A shared map of the file of a job would outlive the job, and truncation too.
		{unix.SYS_MMAP, []condition{without(2, execMem), {arg: 3, mask: mapType, values: []uint32{unix.MAP_PRIVATE, droppable}}}},
		{unix.SYS_MPROTECT, []condition{without(2, execMem)}},
		{unix.SYS_CLONE, []condition{{arg: 0, mask: thread | spaces | unix.CLONE_VFORK | unix.CLONE_PTRACE, values: []uint32{thread}}}},
		{unix.SYS_FCNTL, []condition{is(1, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD_CLOEXEC)}},
		// TCP and UDP over IP. Landlock's rules for ports do not see MPTCP, SCTP, SMC or raw sockets.
		{unix.SYS_SOCKET, []condition{
			{arg: 0, mask: ^uint32(0), values: []uint32{unix.AF_INET, unix.AF_INET6}, deny: unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)},
			{arg: 1, mask: plainType, values: []uint32{unix.SOCK_STREAM, unix.SOCK_DGRAM}},
			{arg: 2, mask: ^uint32(0), values: []uint32{0, unix.IPPROTO_TCP, unix.IPPROTO_UDP}, deny: unix.SECCOMP_RET_ERRNO | uint32(unix.EPROTONOSUPPORT)},
		}},
		// MSG_FASTOPEN connects without connect (tcp_sendmsg_fastopen in net/ipv4/tcp.c).
		{unix.SYS_SENDTO, []condition{without(3, unix.MSG_FASTOPEN)}},
		{unix.SYS_SENDMSG, []condition{without(2, unix.MSG_FASTOPEN)}},
		{unix.SYS_PRCTL, []condition{is(0, unix.PR_SET_NAME, unix.PR_SET_VMA)}},
		{unix.SYS_TGKILL, []condition{is(0, pid)}},
		{unix.SYS_KILL, []condition{is(0, pid)}},
		{unix.SYS_PRLIMIT64, append(null(2), is(0, 0, pid))},
	}
}
