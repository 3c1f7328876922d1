//go:build !linux && !darwin

package mark

import "errors"

func setAttribute(file, name, value string) error    { return errors.ErrUnsupported }
func getAttribute(file, name string) (string, error) { return "", errors.ErrUnsupported }
