//go:build !linux && !darwin

package osfile

import "os"

const keepsMarks = false

func mark(*os.File) {}

func unmark(*os.File) {}

func marked(*os.File) bool { return false }

func unmarked(*os.File) bool { return false }

func bare(*os.File) bool { return false }
