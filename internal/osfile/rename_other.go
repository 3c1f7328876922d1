//go:build !linux && !darwin && !windows

package osfile

import "errors"

func renameNew(_, _ string) error { return errors.ErrUnsupported }
