package sink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/s3processpool/processpool/internal/test/leak"
)

func TestPartialNames(t *testing.T) {
	seen := map[string]string{}
	for _, base := range []string{
		"a", ".a", "a.part", strings.Repeat("a", 241), strings.Repeat("a", 242), strings.Repeat("a", 255),
		strings.Repeat("a", 254) + "b", strings.Repeat("ü", 127), strings.Repeat("世", 85), strings.Repeat("\xff", 255),
	} {
		t.Run(fmt.Sprintf("%.10s,%d", base, len(base)), func(t *testing.T) {
			target := Target{filepath.Join(string(filepath.Separator)+"dir", base)}
			part, journal := filepath.Base(target.PartialName()), filepath.Base(target.JournalName())
			if len(journal) > maxName || utf8.ValidString(base) && !utf8.ValidString(journal) {
				t.Errorf("got %q of %d bytes", journal, len(journal))
			}
			if journal != part+".journal" || filepath.Dir(target.PartialName()) != filepath.Dir(target.Path()) {
				t.Errorf("got %q and %q, want one to follow from the other", part, journal)
			}
			if len(base) <= 241 && part != "."+base+".part" {
				t.Errorf("got %q, want the name as it is", part)
			}
			if other, ok := seen[part]; ok {
				t.Errorf("%q and %q meet at %q", base, other, part)
			}
			seen[part] = base
			if again := (Target{target.path}).PartialName(); again != target.PartialName() {
				t.Errorf("got %q the second time", again)
			}
		})
	}
}

func TestPartial(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	target, err := Resolve(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.OpenPartial(t.Context(), 5); !errors.Is(err, ErrUnfit) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing there: got %v, want ErrUnfit", err)
	}
	temp, err := target.CreatePartial(5)
	if err != nil {
		t.Fatal(err)
	}
	temp.File().WriteAt([]byte("12345"), 0)
	temp.Keep()
	temp.Discard() // does nothing any more
	leak.Files(t, dir, ".file.part")
	for _, size := range []int64{0, 4, 6} {
		if _, err := target.OpenPartial(t.Context(), size); !errors.Is(err, ErrUnfit) {
			t.Errorf("size %d: got %v, want ErrUnfit", size, err)
		}
	}
	if temp, err = target.OpenPartial(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(temp.Datasync(), temp.Publish()); err != nil {
		t.Fatal(err)
	}
	leak.Files(t, dir, "file")
	if got, _ := os.ReadFile(target.Path()); string(got) != "12345" || !temp.Published() {
		t.Errorf("got %q, published %v", got, temp.Published())
	}
	if f, err := os.Open(target.Path()); err != nil || Marked(f) {
		t.Errorf("%v, or the file still bears the mark", err)
	} else {
		f.Close()
	}
}

// A worker of a process that was killed holds the file for a moment: it is waited for.
func TestOpenPartialWaits(t *testing.T) {
	leak.Check(t)
	target := Target{filepath.Join(t.TempDir(), "file")}
	temp, err := target.CreatePartial(5)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := target.OpenPartial(ctx, 5); errors.Is(err, nil) {
		t.Skip("no locks here")
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it to wait until canceled", err)
	}
	if _, err := target.OpenPartial(t.Context(), 5); !errors.Is(err, ErrUnfit) {
		t.Errorf("got %v, want ErrUnfit of a file that somebody keeps", err)
	}
	opened := make(chan error)
	go func() {
		next, err := target.OpenPartial(t.Context(), 5)
		if err == nil {
			next.Discard()
		}
		opened <- err
	}()
	temp.Keep()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// A Publish that fails leaves a partial file, open; and the way is free again behind it.
func TestPartialPublishFails(t *testing.T) {
	for _, call := range []string{"stat", "close", "rename"} {
		t.Run(call, func(t *testing.T) {
			leak.Check(t)
			dir := t.TempDir()
			target := Target{filepath.Join(dir, "file")}
			temp, err := target.CreatePartial(5)
			if err != nil {
				t.Fatal(err)
			}
			failed := errors.New("as ordered")
			restore := SetFault(func(op, _ string) error {
				if op == call {
					return failed
				}
				return nil
			})
			err = temp.Publish()
			restore()
			if !errors.Is(err, failed) {
				t.Errorf("got %v, want %v", err, failed)
			}
			temp.Keep()
			leak.Files(t, dir, ".file.part")
		})
	}
}

func TestPartialRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	target := Target{filepath.Join(dir, "file")}
	if err := os.Mkdir(target.PartialName(), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := target.OpenPartial(t.Context(), 5); !errors.Is(err, ErrUnfit) {
		t.Errorf("got %v, want ErrUnfit", err)
	}
	if _, err := target.CreatePartial(5); !errors.Is(err, ErrNotRegular) {
		t.Errorf("got %v, want ErrNotRegular", err)
	}
	leak.Files(t, dir, ".file.part")
}
