//go:build !unix

package osfile

import "os"

func openDir(name string) (*os.File, error) { return os.Open(name) }
