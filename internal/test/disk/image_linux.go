package disk

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Image is a file system to be made on a loop device.
type Image struct {
	Make    []string // the mkfs program with its options, without the device
	Type    string   // as mount(2) has it
	Options string   // of the mount
	Size    int64    // bytes
	Sector  int      // bytes; 0: 512
}

const mib = 1 << 20

// Images that tests have in common. They take space only for what is written.
var (
	Xfs   = Image{Make: []string{"mkfs.xfs", "-q"}, Type: "xfs", Size: 400 * mib}
	Xfs4k = Image{Make: Xfs.Make, Type: "xfs", Size: Xfs.Size, Sector: 4096}
	Btrfs = Image{Make: []string{"mkfs.btrfs", "-q"}, Type: "btrfs", Size: 200 * mib}

	// XfsSmall is for tests that read it whole. mkfs.xfs would rather not make it.
	XfsSmall = Image{Make: []string{"mkfs.xfs", "--unsupported", "-q"}, Type: "xfs", Size: 48 * mib}
)

// With returns the image with these options of the mount.
func (i Image) With(options string) Image {
	i.Options = options
	return i
}

// Ext4 mounts on dir a new ext4 of 16 MiB with the features of mkfs.ext4 -O, such as "casefold".
func Ext4(t *testing.T, dir, features string) {
	t.Helper()
	_, unknown := os.Stat("/sys/fs/ext4/features/" + features) // only some features are listed there
	NewExt4(features, 16*mib).Mount(t, dir, unknown != nil)
}

// NewExt4 returns an ext4 of size bytes with the features of mkfs.ext4 -O.
func NewExt4(features string, size int64) Image {
	return Image{Make: []string{"mkfs.ext4", "-q", "-O", features}, Type: "ext4", Size: size}
}

// Mount makes the file system and mounts it on dir, which must exist. The mount ends with the test. It
// skips the test where that is not possible; rare says that not every kernel can.
func (i Image) Mount(t *testing.T, dir string, rare bool) {
	t.Helper()
	device := Sectors(t, i.Size, i.Sector)
	run(t, i.Make[0], append(i.Make[1:len(i.Make):len(i.Make)], device.Name())...)
	mount(t, device.Name(), dir, i.Type, i.Options, rare)
}

func mount(t *testing.T, source, dir, kind, options string, rare bool) {
	t.Helper()
	if err := unix.Mount(source, dir, kind, 0, options); err != nil {
		known, _ := os.ReadFile("/proc/filesystems")
		skip(t, err != unix.EPERM && !rare && strings.Contains(string(known), "\t"+kind+"\n"),
			"no %s with %q can be mounted here: %v", kind, options, err)
	}
	unmount(t, dir)
}

// Overlay mounts on dir an overlay whose files are in upper, an empty directory of another file system.
func Overlay(t *testing.T, dir, upper string) {
	t.Helper()
	options := "lowerdir=" + t.TempDir()
	for _, name := range []string{"upper", "work"} {
		if err := os.Mkdir(upper+"/"+name, 0o700); err != nil {
			t.Fatal(err)
		}
		options += "," + name + "dir=" + upper + "/" + name
	}
	mount(t, "overlay", dir, "overlay", options, false)
}

// Encrypt makes an empty directory of an ext4 with the feature encrypt keep its files encrypted
// (https://docs.kernel.org/filesystems/fscrypt.html).
func Encrypt(t *testing.T, dir string) {
	t.Helper()
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var key struct {
		unix.FscryptAddKeyArg
		raw [64]byte
	}
	rand.Read(key.raw[:])
	key.Key_spec.Type, key.Raw_size = unix.FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER, uint32(len(key.raw))
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, d.Fd(), unix.FS_IOC_ADD_ENCRYPTION_KEY, uintptr(unsafe.Pointer(&key))); errno != 0 {
		skip(t, false, "no encryption here: add key: %v", errno)
	}
	policy := unix.FscryptPolicyV2{
		Version: unix.FSCRYPT_POLICY_V2, Contents_encryption_mode: unix.FSCRYPT_MODE_AES_256_XTS,
		Filenames_encryption_mode: unix.FSCRYPT_MODE_AES_256_CTS,
	}
	copy(policy.Master_key_identifier[:], key.Key_spec.U[:])
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, d.Fd(), unix.FS_IOC_SET_ENCRYPTION_POLICY, uintptr(unsafe.Pointer(&policy))); errno != 0 {
		skip(t, false, "no encryption here: set policy: %v", errno)
	}
}

// Cached returns how many bytes of a file's pages are in the page cache.
func Cached(t *testing.T, name string) int64 {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0
	}
	p, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(p)
	page := os.Getpagesize()
	pages := make([]byte, (len(p)+page-1)/page)
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), uintptr(unsafe.Pointer(&pages[0]))); errno != 0 {
		t.Skipf("mincore: %v", errno)
	}
	n := int64(0)
	for _, in := range pages {
		n += int64(in&1) * int64(page)
	}
	return n
}
