package osfile

import "golang.org/x/sys/windows"

// renameNew renames without MOVEFILE_REPLACE_EXISTING.
func renameNew(from, to string) error {
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	free, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(old, free, 0)
}
