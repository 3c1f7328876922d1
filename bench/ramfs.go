package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ramfsMark is the first argument of this program when it is to mount a ramfs, and to
// become another program. A ramfs knows no fallocate and no limit: a file of 5 TiB can be
// made in it that takes what is written.
const ramfsMark = "-in-ramfs"

// ramfs is how to start this program for that: with mounts of its own, which go when
// its processes do.
func ramfs() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// intoRAMFS mounts a ramfs over args[0] and becomes the program of the others.
func intoRAMFS(args []string) error {
	if len(args) < 2 {
		return errors.New(ramfsMark + " takes a folder and a command")
	}
	// Else the mount would be everybody's where mounts are shared (mount_namespaces(7)).
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("ramfs", args[0], "ramfs", 0, ""); err != nil {
		return fmt.Errorf("mount a ramfs: %w", err)
	}
	return syscall.Exec(args[1], args[1:], os.Environ())
}
