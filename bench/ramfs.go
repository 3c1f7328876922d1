package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ramfsMark is the first argument that makes this program mount a ramfs and then execute another
// program. A ramfs has neither fallocate nor a size limit, so a file of 5 TiB in it takes only the
// memory of what is written.
const ramfsMark = "-in-ramfs"

// ramfs returns the attributes to start this program with in order to mount a ramfs. The program
// has a mount namespace of its own, which disappears with its processes.
func ramfs() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// intoRAMFS mounts a ramfs over args[0] and executes the command in the other arguments.
func intoRAMFS(args []string) error {
	if len(args) < 2 {
		return errors.New(ramfsMark + " takes a folder and a command")
	}
	// Without this the mount would propagate to the other namespaces if mounts are shared
	// (mount_namespaces(7)).
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("ramfs", args[0], "ramfs", 0, ""); err != nil {
		return fmt.Errorf("mount a ramfs: %w", err)
	}
	return syscall.Exec(args[1], args[1:], os.Environ())
}
