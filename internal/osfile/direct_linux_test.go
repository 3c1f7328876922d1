package osfile

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// What a file system says of direct writes is believed, but for those that take O_DIRECT and go by way
// of the page cache.
func TestDirectAlign(t *testing.T) {
	told := func(mem, offset uint32) *unix.Statx_t {
		return &unix.Statx_t{Mask: unix.STATX_DIOALIGN, Dio_mem_align: mem, Dio_offset_align: offset}
	}
	untold := new(unix.Statx_t)
	for name, c := range map[string]struct {
		fs    int64
		flags int
		stat  *unix.Statx_t
		want  int64 // 0: no direct writes
	}{
		"ext4":                        {unix.EXT4_SUPER_MAGIC, 0, told(4, 512), 4096},
		"ext4, encrypted":             {unix.EXT4_SUPER_MAGIC, 0, told(0, 0), 0},
		"ext4, before Linux 6.1":      {unix.EXT4_SUPER_MAGIC, 0, untold, 4096},
		"blocks of 16 KiB":            {unix.XFS_SUPER_MAGIC, 0, told(512, 16<<10), 16 << 10},
		"addresses of 8 KiB":          {unix.XFS_SUPER_MAGIC, 0, told(8<<10, 512), 8 << 10},
		"too large":                   {unix.XFS_SUPER_MAGIC, 0, told(512, 128<<10), 0},
		"no power of two":             {unix.XFS_SUPER_MAGIC, 0, told(512, 5000), 0},
		"tmpfs":                       {unix.TMPFS_MAGIC, 0, untold, 0},
		"ramfs":                       {unix.RAMFS_MAGIC, 0, untold, 0},
		"btrfs":                       {unix.BTRFS_SUPER_MAGIC, 0, untold, 0},
		"btrfs that tells":            {unix.BTRFS_SUPER_MAGIC, 0, told(4096, 4096), 0},
		"btrfs, no copy on write":     {unix.BTRFS_SUPER_MAGIC, noCow, untold, 4096},
		"overlay":                     {unix.OVERLAYFS_SUPER_MAGIC, 0, told(512, 512), 4096},
		"overlay that does not tell":  {unix.OVERLAYFS_SUPER_MAGIC, 0, untold, 0},
		"zfs":                         {zfsMagic, 0, told(4096, 4096), 4096},
		"zfs before 2.3":              {zfsMagic, 0, untold, 0},
		"NFS, and whatever else":      {unix.NFS_SUPER_MAGIC, 0, untold, 4096},
		"XFS, flag of another system": {unix.XFS_SUPER_MAGIC, noCow, told(512, 512), 4096},
	} {
		got, err := directAlign(c.fs, c.flags, c.stat)
		if got != c.want || errors.Is(err, unix.EOPNOTSUPP) != (c.want == 0) {
			t.Errorf("%s: got %d, %v, want %d", name, got, err, c.want)
		}
	}
}
