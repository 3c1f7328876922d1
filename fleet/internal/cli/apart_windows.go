package cli

import "syscall"

// apart has Ctrl-C reach s3fleet run alone, which tells its workers.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
