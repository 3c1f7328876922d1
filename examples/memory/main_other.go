//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "memory: files in memory (memfd_create) are of Linux; elsewhere, download to a file and map it")
	os.Exit(1)
}
