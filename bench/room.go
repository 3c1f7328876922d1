package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/bench/internal/report"
)

// spare is the memory that is reserved for the programs, in bytes.
const spare = 2 << 30

// room returns an error unless there is space for need bytes of objects and downloads.
func (b *bench) room(need int64) error { return roomOn(b.dir, need) }

func roomOn(dir string, need int64) error {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return err
	}
	free := int64(s.Bavail) * s.Bsize
	if s.Type == unix.TMPFS_MAGIC { // a tmpfs may report more than the available memory
		free = min(free, report.MemoryAvailable()-spare)
	}
	if free < need {
		return fmt.Errorf("the case needs %.1f GiB in %s, and %.1f GiB are free: choose a smaller -size, or another folder with -tmp",
			gib(need), fileSystem(dir), gib(free))
	}
	return nil
}

// fileSystem returns the kind of file system of a folder.
func fileSystem(dir string) string {
	if inMemory(dir) {
		return "memory (tmpfs)"
	}
	return "a disk's file system"
}

func inMemory(dir string) bool {
	var s unix.Statfs_t
	return unix.Statfs(dir, &s) == nil && s.Type == unix.TMPFS_MAGIC
}

func gib(n int64) float64 { return float64(n) / (1 << 30) }

// heat touches 1.5 times the memory that a run of e needs, and frees it again. The host of a
// virtual machine may have reclaimed free memory (free page reporting), and the first to touch it
// then pays several times the cost of a download. heat writes a file, as the downloads do, so that
// it gets the same pages.
func (b *bench) heat(e entry) error {
	if !inMemory(b.dir) || e.bytes > 0 || b.on != "" {
		return nil
	}
	f, err := os.CreateTemp(b.dir, "heat")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	size := e.task.Size * int64(max(e.task.Count, 1))
	size = min(size+size/2, max(report.MemoryAvailable()-spare, size))
	_, err = io.CopyN(f, zeros{}, size)
	return err
}

// zeros is an endless reader of zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
