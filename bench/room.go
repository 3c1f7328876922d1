package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/bench/internal/report"
)

// spare is what is left of the memory for the programs, in bytes.
const spare = 2 << 30

// room is an error unless there is room for so many bytes of objects and downloads.
func (b *bench) room(need int64) error {
	var s unix.Statfs_t
	if err := unix.Statfs(b.dir, &s); err != nil {
		return err
	}
	free := int64(s.Bavail) * s.Bsize
	if s.Type == unix.TMPFS_MAGIC { // which may promise more than there is
		free = min(free, report.MemoryAvailable()-spare)
	}
	if free < need {
		return fmt.Errorf("it takes %.1f GiB in %s, and there are %.1f: choose a smaller -size, or another folder with -tmp", gib(need), fileSystem(b.dir), gib(free))
	}
	return nil
}

// fileSystem names that of a folder.
func fileSystem(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) == nil && s.Type == unix.TMPFS_MAGIC {
		return "memory (tmpfs)"
	}
	return "a disk's file system"
}

func gib(n int64) float64 { return float64(n) / (1 << 30) }
