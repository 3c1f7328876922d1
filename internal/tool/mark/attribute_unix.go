//go:build linux || darwin

package mark

import "golang.org/x/sys/unix"

func setAttribute(file, name, value string) error {
	return unix.Setxattr(file, name, []byte(value), 0)
}

func getAttribute(file, name string) (string, error) {
	value := make([]byte, 1024) // an ETag has 34 characters, or a few more
	n, err := unix.Getxattr(file, name, value)
	if err != nil {
		return "", err
	}
	return string(value[:n]), nil
}
