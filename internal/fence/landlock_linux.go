package fence

import (
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights of files by the version that brought them (landlock(7)). All are taken away, and rules give
// back a few.
func fileRights(version int) uint64 {
	rights := uint64(unix.LANDLOCK_ACCESS_FS_MAKE_SYM)<<1 - 1 // the 13 of version 1
	if version >= 2 {
		rights |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		rights |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 5 {
		rights |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	return rights
}

// ruleset returns what is taken away, and the size of the structure in that version.
func ruleset(version int) (attr unix.LandlockRulesetAttr, size uintptr) {
	attr.Handled_access_fs = fileRights(version)
	size = unsafe.Offsetof(attr.Handled_access_net)
	if version >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size = unsafe.Offsetof(attr.Scoped)
	}
	if version >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
		size = unsafe.Offsetof(attr.Quiet_access_fs)
	}
	return attr, size
}

func landlockVersion() (int, error) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(version), nil
}

// keepRules is how long the rules of one start serve those after it. They take some 150 system calls and a
// look at the maps of this process, and a pool starts its workers one after the other.
const keepRules = time.Second

// Restrict lays the Landlock rules on this thread and on the processes that it starts. It cannot be
// undone: the caller must be in OnThread. Restrict may be called concurrently.
func (p *Plan) Restrict() error {
	if p == nil || p.landlock == 0 {
		return nil
	}
	p.made.Lock()
	defer p.made.Unlock()
	if p.made.rules == nil {
		rules, err := p.makeRules()
		if err != nil {
			return err
		}
		p.made.rules = rules
		p.made.over = time.AfterFunc(keepRules, p.Forget)
	}
	// A thread without privileges needs it, and no program that it starts gains any
	// (PR_SET_NO_NEW_PRIVS(2const)).
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, p.made.rules.Fd(), 0, 0); errno != 0 {
		return os.NewSyscallError("landlock_restrict_self", errno)
	}
	return nil
}

// Forget closes what Restrict keeps for the next start.
func (p *Plan) Forget() {
	if p == nil {
		return
	}
	p.made.Lock()
	defer p.made.Unlock()
	if p.made.rules != nil {
		p.made.over.Stop()
		p.made.rules.Close()
		p.made.rules = nil
	}
}

// makeRules makes the rules of a worker that starts now.
func (p *Plan) makeRules() (*os.File, error) {
	attr, size := ruleset(p.landlock)
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("landlock_create_ruleset", errno)
	}
	rules := os.NewFile(fd, "landlock rules") // the kernel opens it with close-on-exec
	if err := p.addRules(int(fd)); err != nil {
		rules.Close()
		return nil, err
	}
	return rules, nil
}

func (p *Plan) addRules(set int) error {
	for _, r := range p.rules() {
		if err := r.add(set); err != nil {
			return fmt.Errorf("%s: %w", r.path, err)
		}
	}
	if p.landlock >= 4 {
		for _, r := range p.portRules() {
			if err := r.add(set); err != nil {
				return fmt.Errorf("port %d: %w", r.port, err)
			}
		}
	}
	return nil
}

// rule gives rights to a file, or to a directory and all below it.
type rule struct {
	path   string
	rights uint64
}

// Rights of a rule. On a file, only those of files count.
const (
	read    = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	execute = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE
)

// add adds the rule to a ruleset. A file that is not there needs none.
func (r rule) add(set int) error {
	fd, err := unix.Open(r.path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	attr := unix.LandlockPathBeneathAttr{Allowed_access: r.rights, Parent_fd: int32(fd)}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		attr.Allowed_access &^= unix.LANDLOCK_ACCESS_FS_READ_DIR
	}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("landlock_add_rule", errno)
	}
	return nil
}

// portRule gives a right to a TCP port.
type portRule struct {
	rights uint64
	port   uint64
}

// ruleNetPort is LANDLOCK_RULE_NET_PORT of <linux/landlock.h>.
const ruleNetPort = 2

func (r portRule) add(set int) error {
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), ruleNetPort, uintptr(unsafe.Pointer(&r)), 0, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("landlock_add_rule", errno)
	}
	return nil
}
