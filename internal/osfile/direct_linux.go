package osfile

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// pageSize is the least alignment of direct writes, whatever the device takes: no page is written
	// partly by way of the page cache and partly past it.
	pageSize = 4096
	// maxAlign is more than any device asks for.
	maxAlign = 64 << 10
)

// OpenDirect opens an open file once more, for writing past the page cache (O_DIRECT, open(2)).
// Offsets, lengths and addresses of what is written by it must be multiples of align, in bytes. The
// error says why there is no such file: the file system has none, or it is memory itself. The name
// of the call is direct.
func (s *System) OpenDirect(f *os.File) (direct *os.File, align int64, err error) {
	err = s.before("direct", f.Name())
	if err == nil {
		err = control(f, func(fd int) error {
			direct, align, err = openDirect(fd, f.Name())
			return err
		})
	}
	return direct, align, Error("direct", f.Name(), err)
}

func openDirect(fd int, name string) (direct *os.File, align int64, err error) {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return nil, 0, err
	}
	if fs.Type == unix.TMPFS_MAGIC || fs.Type == unix.RAMFS_MAGIC {
		return nil, 0, fmt.Errorf("the file is in memory: %w", unix.EOPNOTSUPP)
	}
	align = pageSize
	var stat unix.Statx_t
	err = unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &stat)
	if err == nil && stat.Mask&unix.STATX_DIOALIGN != 0 { // since Linux 6.1
		if stat.Dio_offset_align == 0 {
			return nil, 0, unix.EOPNOTSUPP
		}
		align = max(align, int64(stat.Dio_offset_align), int64(stat.Dio_mem_align))
	}
	if align > maxAlign || align&(align-1) != 0 {
		return nil, 0, fmt.Errorf("alignment of %d bytes: %w", align, unix.EOPNOTSUPP)
	}
	// By its descriptor, for the file may have no name, or another one by now.
	opened, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_WRONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err
	}
	return os.NewFile(uintptr(opened), name), align, nil
}
