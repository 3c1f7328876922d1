package osfile

import "os"

// Lock locks an open file, so that two processes, or two downloads of one process, do not use the
// same file. It does not block: it returns false if another open file has the lock. Locking again
// what the same open file has locked succeeds.
//
// So does every Lock where there are no locks: a download must not fail because a file system has
// none. The answers that mean this are those of Cannot, ENOLCK, and EBADF, which NFS returns for a
// file that is not open for writing. Any other answer is an error, as another process may have the
// lock.
//
// The lock is advisory (flock(2), LockFileEx). The system releases it when the last descriptor of
// the open file is closed, however the process that has it ends. A descriptor that was passed to
// another process counts.
func Lock(f *os.File) (locked bool, err error) { return lock(f) }

// Unlock releases the lock even if other descriptors of the open file exist: a process that is
// being started has copies of all of them until its exec.
func Unlock(f *os.File) { unlock(f) }
