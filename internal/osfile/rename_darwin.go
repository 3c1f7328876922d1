package osfile

import "golang.org/x/sys/unix"

func renameNew(from, to string) error {
	for {
		if err := unix.RenamexNp(from, to, unix.RENAME_EXCL); err != unix.EINTR {
			return err
		}
	}
}
