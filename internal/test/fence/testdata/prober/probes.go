package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// probe is a thing to try. try returns an error if it cannot be done.
type probe struct {
	name string
	try  func() error
}

var (
	parent = os.Getppid()
	dir    = os.Getenv("PROBE_DIR") // in which everybody may write
	file   = os.Getenv("PROBE_FILE")
	within = func(name string) string { return filepath.Join(dir, fmt.Sprint(name, os.Getpid())) }
)

// known is at the same address in the application.
var known = [8]byte{'s', 'e', 'c', 'r', 'e', 't'}

var probes = []probe{
	// the application
	{"read its environment", func() error { return reads(fmt.Sprintf("/proc/%d/environ", parent)) }},
	{"open its memory", func() error { return opens(fmt.Sprintf("/proc/%d/mem", parent), unix.O_RDWR) }},
	{"list its descriptors", func() error { return lists(fmt.Sprintf("/proc/%d/fd", parent)) }},
	{"ptrace it", func() error {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		const seize, interrupt = 0x4206, 0x4207
		if err := raw(unix.SYS_PTRACE, seize, uintptr(parent), 0, 0); err != nil {
			return err
		}
		raw(unix.SYS_PTRACE, interrupt, uintptr(parent), 0, 0)
		unix.Wait4(parent, nil, unix.WALL, nil)
		return unix.PtraceDetach(parent)
	}},
	{"process_vm_readv of it", func() error {
		var got [8]byte
		_, err := unix.ProcessVMReadv(parent, []unix.Iovec{{Base: &got[0], Len: 8}},
			[]unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&known)), Len: 8}}, 0)
		return err
	}},
	{"kill it", func() error { return unix.Kill(parent, unix.SIGURG) }},
	{"pidfd of it", func() error { return closes(unix.PidfdOpen(parent, 0)) }},
	{"descriptor of it", func() error {
		pidfd, err := unix.PidfdOpen(parent, 0)
		if err != nil {
			return err
		}
		return closes(unix.PidfdGetfd(pidfd, 1, 0))
	}},
	{"priority of it", func() error { return unix.Setpriority(unix.PRIO_PROCESS, parent, 19) }},
	{"limits of it", func() error { return unix.Prlimit(parent, unix.RLIMIT_NOFILE, nil, new(unix.Rlimit)) }},
	{"descriptor 700", func() error { _, err := unix.FcntlInt(700, unix.F_GETFD, 0); return err }},

	// programs
	{"exec", func() error { return exec.Command("/bin/true").Run() }},
	{"fork", func() error { return raw(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0) }},
	{"memfd", func() error { return closes(unix.MemfdCreate("x", 0)) }},
	{"map code", func() error {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
		return err
	}},

	// files
	{"create", func() error { return opens(within("new"), unix.O_CREAT|unix.O_WRONLY) }},
	{"write", func() error { return opens(file, unix.O_WRONLY) }},
	{"truncate", func() error { return unix.Truncate(file, 1) }},
	{"mkdir", func() error { return unix.Mkdir(within("dir"), 0o700) }},
	{"symlink", func() error { return unix.Symlink("/etc", within("link")) }},
	{"link", func() error { return unix.Link(filepath.Join(dir, "mine"), within("hard")) }},
	{"rename", func() error {
		return unix.Rename(filepath.Join(dir, "mine"), filepath.Join(dir, "renamed"))
	}},
	{"unlink", func() error { return unix.Unlink(filepath.Join(dir, "renamed")) }},
	{"chmod", func() error { return unix.Chmod(filepath.Join(dir, "other"), 0o600) }},
	{"read by name", func() error { return reads(file) }},
	{"list /", func() error { return lists("/") }},
	{"list the directory", func() error { return lists(dir) }},
	{"read /proc/self", func() error { return reads("/proc/thread-self/maps") }},
	{"chdir", func() error { return unix.Chdir("/") }},
	{"inotify", func() error { return closes(unix.InotifyInit1(0)) }},

	// the file of the job
	{"map it shared", func() error {
		return ofJob(func(fd int) error {
			_, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			return err
		})
	}},
	{"map it shared to read", func() error {
		return ofJob(func(fd int) error {
			_, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
			return err
		})
	}},
	{"fchmod it", func() error { return ofJob(func(fd int) error { return unix.Fchmod(fd, 0o666) }) }},
	{"ftruncate it", func() error { return ofJob(func(fd int) error { return unix.Ftruncate(fd, 10) }) }},
	{"fallocate it", func() error { return ofJob(func(fd int) error { return unix.Fallocate(fd, 0, 0, 10) }) }},
	{"lease it", func() error {
		return ofJob(func(fd int) error {
			_, err := unix.FcntlInt(uintptr(fd), unix.F_SETOWN, os.Getpid())
			return err
		})
	}},
	{"lock it", func() error { return ofJob(func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) }) }},
	{"set its attribute", func() error { return ofJob(func(fd int) error { return unix.Fsetxattr(fd, "user.x", []byte("x"), 0) }) }},

	// the network
	{"listen", func() error {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			ln.Close()
		}
		return err
	}},
	{"connect elsewhere", func() error { return connects(0) }},
	{"MPTCP elsewhere", func() error { return connects(unix.IPPROTO_MPTCP) }},
	{"FASTOPEN elsewhere", func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN, elsewhere())
	}},
	{"unix socket", func() error { return connectsUnix(filepath.Join(dir, "socket")) }},
	{"abstract unix socket", func() error { return connectsUnix("@" + os.Getenv("PROBE_ABSTRACT")) }},
	{"socketpair", func() error { _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err }},
	{"netlink", func() error { return closes(unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)) }},
	{"raw socket", func() error { return closes(unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP)) }},
	{"packet socket", func() error { return closes(unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)) }},

	// the kernel
	{"bpf", func() error {
		attr := [12]uint32{2, 4, 4, 1} // an array of one
		return raw(unix.SYS_BPF, 0, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	}},
	{"io_uring", func() error {
		var params [120]byte
		return raw(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0, 0)
	}},
	{"add_key", func() error {
		_, err := unix.AddKey("user", "x", []byte("x"), unix.KEY_SPEC_PROCESS_KEYRING)
		return err
	}},
	{"keyctl", func() error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_PROCESS_KEYRING, true); return err }},
	{"userfaultfd", func() error { return raw(unix.SYS_USERFAULTFD, 1, 0, 0, 0) }},
	{"perf events", func() error {
		return closes(unix.PerfEventOpen(&unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
			Config: unix.PERF_COUNT_SW_TASK_CLOCK, Bits: unix.PerfBitExcludeKernel}, 0, -1, -1, 0))
	}},
	{"mount", func() error {
		if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
			return err
		}
		return unix.Unmount(dir, 0)
	}},
	{"unshare", func() error {
		runtime.LockOSThread() // for good: the thread has its own table of descriptors now
		return unix.Unshare(unix.CLONE_FS)
	}},
	{"new name space", func() error { return raw(unix.SYS_CLONE, uintptr(unix.SIGCHLD)|unix.CLONE_NEWUTS, 0, 0, 0) }},
	{"chroot", func() error { return unix.Chroot("/") }},
	{"setuid", func() error { return raw(unix.SYS_SETRESUID, ^uintptr(0), ^uintptr(0), ^uintptr(0), 0) }},
	{"capset", func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		if err := unix.Capget(&header, &data[0]); err != nil {
			return err
		}
		return unix.Capset(&header, &data[0])
	}},
	{"dumpable", func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }},
	{"set a limit", func() error { return unix.Setrlimit(unix.RLIMIT_CORE, new(unix.Rlimit)) }},
	{"personality", func() error { return raw(unix.SYS_PERSONALITY, 0xffffffff, 0, 0, 0) }},

	// what a worker may do
	{"may read /etc/hosts", func() error { return reads("/etc/hosts") }},
	{"may stat by name", func() error { _, err := os.Stat(file); return err }},
	{"may have a UDP socket", func() error { return closes(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)) }},
	{"may have an IPv6 socket", func() error { return closes(unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0)) }},
	{"may signal itself", func() error { return unix.Kill(os.Getpid(), unix.SIGURG) }},
}

// raw makes a system call. In a child that it makes, it does not return.
func raw(number, a, b, c, d uintptr) error {
	r, _, errno := unix.RawSyscall6(number, a, b, c, d, 0, 0)
	if number == unix.SYS_CLONE && errno == 0 && r == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	if errno != 0 {
		return errno
	}
	return nil
}

func closes(fd int, err error) error {
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func opens(path string, flags int) error { return closes(unix.Open(path, flags, 0o600)) }

func reads(path string) error {
	p, err := os.ReadFile(path)
	if err == nil && len(p) == 0 {
		return errors.New("it is empty")
	}
	return err
}

func lists(path string) error { _, err := os.ReadDir(path); return err }

func elsewhere() *unix.SockaddrInet4 {
	port, _ := strconv.Atoi(os.Getenv("PROBE_PORT"))
	return &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
}

func connects(protocol int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, elsewhere())
}

func connectsUnix(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, &unix.SockaddrUnix{Name: path})
}

// ofJob calls f with the descriptor of the job's file.
func ofJob(f func(fd int) error) error {
	for fd := 4; fd < 64; fd++ {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err == nil && flags&unix.O_ACCMODE != unix.O_RDONLY {
			return f(fd)
		}
	}
	return errors.New("there is no job's file")
}
