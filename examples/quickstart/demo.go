package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

const (
	demoSize = 256 << 20
	demoSeed = 1
)

// demo downloads from an origin in this process, compares every byte with the object, and removes
// the file.
func demo(ctx context.Context, a arguments, stdout io.Writer) error {
	origin := s3test.Start()
	defer origin.Close()
	a.bucket, a.key = "mybucket", "mykey"
	content := s3test.Pattern(demoSeed)
	origin.PutContent(a.bucket, a.key, demoSize, content, s3test.WithChecksum("crc64nvme", "FULL_OBJECT"))

	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	a.file = filepath.Join(dir, "myfile")

	if err := download(ctx, origin.Config(), a, stdout); err != nil {
		return err
	}
	if err := compare(a.file, io.NewSectionReader(content, 0, demoSize)); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "compared    equal to the object, byte by byte; the file is removed again")
	return nil
}

// compare returns an error unless the file contains exactly the bytes of want.
func compare(name string, want io.Reader) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	const block = 1 << 20
	a, b := make([]byte, block), make([]byte, block)
	for offset := int64(0); ; offset += block {
		n, errA := io.ReadFull(file, a)
		m, errB := io.ReadFull(want, b)
		if !bytes.Equal(a[:n], b[:m]) {
			return fmt.Errorf("%s differs from the object at or after byte %d", name, offset)
		}
		for _, err := range []error{errA, errB} {
			if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
				return err
			}
		}
		if errA != nil && errB != nil {
			return nil
		}
	}
}
