// Package seccomp makes system calls of a child process fail, as a sandbox does: AWS Lambda, a
// container runtime, gVisor. It works without privileges, and only on Linux.
//
// A test binary that imports the package can be run again as a program, with [Refuse]. The filter
// is installed before main, for all threads, and programs that it starts have it too.
package seccomp
