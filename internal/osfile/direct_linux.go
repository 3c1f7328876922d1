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
	var old unix.Stat_t
	if err := unix.Fstat(fd, &old); err != nil {
		return nil, 0, err
	}
	if old.Mode&unix.S_IFMT == unix.S_IFBLK {
		fs.Type = 0 // that of /dev, where only the name is
	}
	var stat unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &stat); err != nil {
		stat = unix.Statx_t{}
	}
	flags, err := unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS)
	if err != nil {
		flags = 0
	}
	if align, err = directAlign(int64(fs.Type), flags, &stat); err != nil {
		return nil, 0, err
	}
	// By its descriptor, for the file may have no name, or another one by now.
	opened, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_WRONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err
	}
	return os.NewFile(uintptr(opened), name), align, nil
}

const (
	zfsMagic = 0x2fc12fc1 // the type of ZFS in statfs(2): it is none of Linux' own file systems
	noCow    = 0x00800000 // FS_NOCOW_FL (ioctl_iflags(2))
)

// directAlign returns the alignment of direct writes to a file on a file system of this type, with these
// inode flags. Its error is why the file system has no direct writes, or takes O_DIRECT and goes by way
// of the page cache all the same.
func directAlign(fs int64, flags int, stat *unix.Statx_t) (align int64, err error) {
	told := stat.Mask&unix.STATX_DIOALIGN != 0 // since Linux 6.1
	why := ""
	switch uint32(fs) {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		why = "the file is in memory"
	case unix.BTRFS_SUPER_MAGIC:
		// Where there are checksums, kernels since 2025 write by way of the page cache
		// (https://git.kernel.org/torvalds/c/968f19c5b1b7), and earlier ones do not compress.
		if flags&noCow == 0 {
			why = "btrfs keeps checksums of the file"
		}
	case unix.OVERLAYFS_SUPER_MAGIC:
		if !told {
			why = "overlayfs does not say what the file system below it does"
		}
	case zfsMagic: // before 2.3 it ignores O_DIRECT (https://github.com/openzfs/zfs/pull/16972)
		if !told {
			why = "this ZFS may ignore O_DIRECT"
		}
	}
	align = pageSize
	switch {
	case why != "":
	case told && stat.Dio_offset_align == 0:
		why = "the file has no direct writes"
	case told:
		align = max(align, int64(stat.Dio_offset_align), int64(stat.Dio_mem_align))
	}
	if align > maxAlign || align&(align-1) != 0 {
		why = fmt.Sprintf("alignment of %d bytes", align)
	}
	if why != "" {
		return 0, fmt.Errorf("%s: %w", why, unix.EOPNOTSUPP)
	}
	return align, nil
}
