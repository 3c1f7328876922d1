package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// A journal that others may have written is replaced and not written to.
func TestJournalIsReplaced(t *testing.T) {
	for what, plant := range map[string]func(name string) error{
		"writable":  func(name string) error { return os.Chmod(name, 0o622) },
		"two names": func(name string) error { return os.Link(name, name+".theirs") },
	} {
		t.Run(what, func(t *testing.T) {
			leak.Check(t)
			name := filepath.Join(t.TempDir(), "journal")
			want := written(t)
			if err := errors.Join(os.WriteFile(name, want, 0o600), plant(name)); err != nil {
				t.Fatal(err)
			}
			planted, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer planted.Close()
			j := open1(t, name)
			defer j.Close()
			if j.Replaced() == nil {
				t.Error("the journal was not replaced")
			}
			if err := j.Begin(header); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(want)+1)
			if n, _ := planted.ReadAt(got, 0); string(got[:n]) != string(want) {
				t.Error("the planted journal was changed")
			}
		})
	}
}

// One that is locked cannot be replaced. That is no other download's doing.
func TestJournalIsLockedByOthers(t *testing.T) {
	leak.Check(t)
	name := filepath.Join(t.TempDir(), "journal")
	if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Chmod(name, 0o666)); err != nil {
		t.Fatal(err)
	}
	f, err := osfile.Open(name, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	osfile.Lock(f)
	if _, err := Open(name); err == nil || errors.Is(err, failure.ErrBusy) {
		t.Errorf("got %v, want an error that is not ErrBusy", err)
	}
}

// A named pipe in the place of a journal is refused, and does not block.
func TestJournalIsAPipe(t *testing.T) {
	leak.Check(t)
	name := filepath.Join(t.TempDir(), "journal")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(string) (*Journal, error){
		Open, OpenExisting, openExisting, // as if it came after the check by name
		func(name string) (*Journal, error) { return openOrCreate(name, new(error)) },
	} {
		if _, err := open(name); err == nil {
			t.Error("got nil, want an error")
		}
	}
}
