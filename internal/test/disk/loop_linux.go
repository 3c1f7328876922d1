package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Loop returns a block device of size bytes, open for reading and writing, whose content is in a file.
// It skips the test where it cannot make one.
func Loop(t *testing.T, size int64) *os.File {
	t.Helper()
	return Sectors(t, size, 0)
}

// Sectors is Loop for a device that has sectors of so many bytes; 0: 512.
func Sectors(t *testing.T, size int64, sector int) *os.File {
	t.Helper()
	back, err := os.Create(filepath.Join(t.TempDir(), "blocks"))
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if err := back.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return attach(t, back, sector)
}

// attach makes a block device of the file back.
func attach(t *testing.T, back *os.File, sector int) *os.File {
	t.Helper()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		skip(t, false, "no loop devices here: %v", err)
	}
	defer control.Close()
	for range 10 { // another program may take the same device
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			skip(t, false, "no loop device is free: %v", err)
		}
		device, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", n), os.O_RDWR, 0)
		if err != nil {
			t.Skipf("no loop device: %v", err)
		}
		t.Cleanup(func() { device.Close() }) // which ends the device
		err = unix.IoctlLoopConfigure(int(device.Fd()), &unix.LoopConfig{
			Fd: uint32(back.Fd()), Size: uint32(sector), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR},
		})
		if err == nil {
			return device
		}
		if err != unix.EBUSY {
			t.Skipf("no loop device: %v", err)
		}
	}
	t.Skip("no loop device stays free")
	return nil
}
