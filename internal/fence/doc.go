// Package fence keeps a worker process away from everything that its work does not need: other
// programs, their memory, files by name, ports that are not S3's.
//
// A fence has three parts:
//
//   - Landlock rules (https://docs.kernel.org/userspace-api/landlock.html), which the pool lays on
//     the thread that starts the worker (Plan.Restrict). They hold before any code of the worker
//     runs, also with cgo.
//   - A seccomp filter (seccomp(2)), which the worker lays on itself before it reads from its
//     socket (LayFilter).
//   - What a worker does first in any case (Enter): it closes the descriptors that the pool has not
//     given it, and has no core dumps.
//
// Landlock decides by path and port, seccomp by system call. Each closes holes of the other: the
// filter lets no MPTCP socket and no MSG_FASTOPEN through, which Landlock's rules for ports do not
// see, and the rules keep the filter's openat to a few directories.
package fence
