package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/s3processpool/processpool/bench/internal/task"
)

// sizesAgree checks that every file exists and has the size of its object.
func sizesAgree(t task.Task) error {
	for _, o := range t.Objects() {
		info, err := os.Stat(o.File)
		if err != nil {
			return err
		}
		if info.Size() != t.Size {
			return fmt.Errorf("%s has %d bytes, not %d", filepath.Base(o.File), info.Size(), t.Size)
		}
	}
	return nil
}

// bytesAgree compares every file with its object.
func (b *bench) bytesAgree(t task.Task) error {
	if err := sizesAgree(t); err != nil {
		return err
	}
	buffers := [2][]byte{make([]byte, 1<<20), make([]byte, 1<<20)}
	for _, o := range t.Objects() {
		if err := same(filepath.Join(b.site.Dir, t.Bucket, o.Key), o.File, buffers); err != nil {
			return err
		}
	}
	return nil
}

// same compares two files of the same size.
func same(want, got string, buffers [2][]byte) error {
	w, err := os.Open(want)
	if err != nil {
		return err
	}
	defer w.Close()
	g, err := os.Open(got)
	if err != nil {
		return err
	}
	defer g.Close()
	pw, pg := buffers[0], buffers[1]
	for offset := int64(0); ; {
		n, err := io.ReadFull(w, pw)
		if _, err := io.ReadFull(g, pg[:n]); err != nil {
			return err
		}
		if !bytes.Equal(pw[:n], pg[:n]) {
			return fmt.Errorf("%s differs from the object within the %d bytes at offset %d", filepath.Base(got), n, offset)
		}
		if offset += int64(n); err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
