package main

import (
	"fmt"
	"io"
	"os"

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

// heat touches free memory, half as much again as an entry's run is about to take, and gives it back: a virtual
// machine's host may have taken it away meanwhile (free page reporting), and the first to touch it
// then pays several times the price of a download. It does so by a file, as the downloads will, so
// that it gets the pages that they will get.
func (b *bench) heat(e entry) error {
	if !inMemory(b.dir) || e.bytes > 0 {
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

// zeros is a source of as many as one likes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
