package hostile_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// In these tests the application runs as a user without privileges, and the test, as root, is the
// other user who has put something into its directory.

func init() { harness.Register("cleaner", cleaner) }

// cleaner DIR removes partial files and prints the names of the removed files.
func cleaner(args []string) error {
	removed, err := processpool.CleanPartials(args[0], time.Hour)
	for i, name := range removed {
		removed[i] = filepath.Base(name)
	}
	fmt.Printf("removed %q", removed)
	return err
}

// asUser returns a command that runs as a user without privileges, and a directory of that user. It
// skips the test where this process is not root.
func asUser(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root is two users")
	}
	cmd := exec.Command("/proc/self/exe", args...)
	return cmd, disk.AnotherUser(t, cmd)
}

// toUser makes that user the owner of files.
func toUser(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Lchown(name, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
}

// must fails the test at the first error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Another user plants a partial file and a journal that are right in every detail but the bytes, of
// an object that has nothing to verify it by. Resume does not believe them, and does not write to
// them.
func TestResumeOfAPlantedFile(t *testing.T) {
	const size, kept = 300_000, 131_072
	good, evil := s3test.PatternBytes(1, size), s3test.PatternBytes(2, size)
	same := func(o *s3test.Object) {
		o.ETag, o.LastModified = `"no MD5"`, time.Unix(1e9, 0).UTC()
	}
	for name, c := range map[string]struct {
		plant func(t *testing.T, dir, part, journal string)
		want  string
	}{
		"the user's own": {func(t *testing.T, _, part, journal string) {
			toUser(t, part, journal)
		}, fmt.Sprintf("resumed %d, error <nil>", kept)},
		"another user's": {func(t *testing.T, _, part, journal string) {
			must(t, os.Chmod(part, 0o666), os.Chmod(journal, 0o666))
		}, "resumed 0, error <nil>"},
		"another user's partial file": {func(t *testing.T, _, part, journal string) {
			must(t, os.Chmod(part, 0o666))
			toUser(t, journal)
		}, "resumed 0, error <nil>"},
		"another user's journal": {func(t *testing.T, _, part, journal string) {
			must(t, os.Chmod(journal, 0o666))
			toUser(t, part)
		}, "resumed 0, error <nil>"},
		"another user's journal, closed": {func(t *testing.T, _, part, journal string) {
			toUser(t, part)
		}, "it belongs to another user: permission denied"},
		"another user's, in a sticky directory": {func(t *testing.T, dir, part, journal string) {
			must(t, os.Chmod(part, 0o666), os.Chmod(journal, 0o666), os.Chown(dir, 0, 0), os.Chmod(dir, 0o777|fs.ModeSticky))
		}, "the journal cannot be trusted: it belongs to another user; and it cannot be replaced: operation not permitted"},
		"another user's partial file, in a sticky directory": {func(t *testing.T, dir, part, journal string) {
			must(t, os.Chmod(part, 0o666), os.Remove(journal), os.Chown(dir, 0, 0), os.Chmod(dir, 0o777|fs.ModeSticky))
		}, "the partial file cannot be trusted: it belongs to another user; and it cannot be replaced: operation not permitted"},
		"writable": {func(t *testing.T, _, part, journal string) {
			must(t, os.Chmod(part, 0o664))
			toUser(t, part, journal)
		}, "resumed 0, error <nil>"},
		"a writable journal": {func(t *testing.T, _, part, journal string) {
			must(t, os.Chmod(journal, 0o602))
			toUser(t, part, journal)
		}, "resumed 0, error <nil>"},
		"a hard link": {func(t *testing.T, dir, part, journal string) {
			must(t, os.Link(part, filepath.Join(dir, "linked")))
			toUser(t, part, journal)
		}, "resumed 0, error <nil>"},
		"a hard link of the journal": {func(t *testing.T, dir, part, journal string) {
			must(t, os.Link(journal, filepath.Join(dir, "linked")))
			toUser(t, part, journal)
		}, "resumed 0, error <nil>"},
		"a named pipe": {func(t *testing.T, dir, part, journal string) {
			must(t, os.Remove(part), os.Remove(journal), unix.Mkfifo(part, 0o666))
		}, "is a named pipe, not a regular file"},
		"a link": {func(t *testing.T, dir, part, journal string) {
			must(t, os.Rename(part, part+".moved"), os.Symlink(part+".moved", part))
			toUser(t, part+".moved", journal)
		}, "is a symbolic link, not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			cmd, dir := asUser(t)
			file, part, journal := filepath.Join(dir, "file"), filepath.Join(dir, ".file.part"), filepath.Join(dir, ".file.part.journal")

			theirs := harness.StartOrigin(t)
			theirs.Put("b", "k", evil, same, s3test.WithChecksum("", ""))
			d := harness.Single(t, theirs, 64<<10)
			harness.Interrupt(t, theirs, d, file, kept)
			planted := []*os.File{}
			for _, name := range []string{part, journal} {
				f, err := os.Open(name)
				must(t, err)
				defer f.Close()
				planted = append(planted, f)
			}
			c.plant(t, dir, part, journal)
			before := contents(t, planted)

			origin := harness.StartOrigin(t)
			origin.Put("b", "k", good, same, s3test.WithChecksum("", ""))
			cmd.Args = append(cmd.Args, "downloader", origin.URL(), file, "resume")
			out := output(t, cmd)
			if !strings.Contains(out, c.want) {
				t.Fatalf("got %q, want %q", out, c.want)
			}
			if strings.Contains(out, "resumed 0, error <nil>") {
				harness.WantContent(t, file, good)
				for _, name := range []string{part, journal} {
					if _, err := os.Lstat(name); err == nil {
						t.Errorf("%s is left", name)
					}
				}
			}
			if after := contents(t, planted); name != "the user's own" && after[0] != before[0] {
				t.Error("the planted partial file was changed")
			} else if strings.Contains(name, "journal") && after[1] != before[1] {
				t.Error("the planted journal was changed")
			}
		})
	}
}

// contents returns what is in open files.
func contents(t *testing.T, files []*os.File) (all [2]string) {
	t.Helper()
	for i, f := range files {
		info, err := f.Stat()
		must(t, err)
		p := make([]byte, info.Size())
		_, err = f.ReadAt(p, 0)
		must(t, err)
		all[i] = string(p)
	}
	return all
}

// CleanPartials removes no file because of a journal that another user has put beside it, or that
// was downloaded as the content of an object; and no file of another user.
func TestCleanWithAPlantedJournal(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(t *testing.T, part, journal string)
		want  string
	}{
		"the user's own": {func(t *testing.T, part, journal string) {
			toUser(t, part, journal)
		}, `removed [".file.part" ".file.part.journal"]`},
		"another user's journal": {func(t *testing.T, part, journal string) {
			must(t, os.Chmod(journal, 0o666))
			toUser(t, part)
		}, "removed []"},
		"another user's partial file": {func(t *testing.T, part, journal string) {
			must(t, os.Chmod(part, 0o666))
			toUser(t, journal)
		}, "removed []"},
		"another user's": {func(t *testing.T, part, journal string) {
			must(t, os.Chmod(part, 0o666), os.Chmod(journal, 0o666))
		}, "removed []"},
		"a journal that is an object": {func(t *testing.T, part, journal string) {
			must(t, unix.Removexattr(journal, "user.processpool"))
			toUser(t, part, journal)
		}, "removed []"},
		"a program's own file": {func(t *testing.T, part, journal string) {
			must(t, unix.Removexattr(part, "user.processpool"))
			toUser(t, part, journal)
		}, "removed []"},
		"a named pipe": {func(t *testing.T, part, journal string) {
			must(t, os.Remove(part), unix.Mkfifo(part, 0o666))
			toUser(t, part, journal)
		}, "removed []"},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			cmd, dir := asUser(t, "cleaner", "")
			cmd.Args[2] = dir
			part, journal := filepath.Join(dir, ".file.part"), filepath.Join(dir, ".file.part.journal")
			origin := harness.StartOrigin(t)
			origin.Put("b", "k", s3test.PatternBytes(1, 300_000))
			harness.Interrupt(t, origin, harness.Single(t, origin, 64<<10), filepath.Join(dir, "file"), 131_072)
			if n, err := unix.Getxattr(part, "user.processpool", nil); err != nil {
				t.Skipf("the file system keeps no marks: %d, %v", n, err)
			}
			c.plant(t, part, journal)
			then := time.Unix(1e9, 0)
			must(t, os.Chtimes(part, then, then), os.Chtimes(journal, then, then))
			if out := output(t, cmd); !strings.Contains(out, c.want) {
				t.Errorf("got %q, want %q", out, c.want)
			}
			if c.want == "removed []" {
				leak.Files(t, dir, ".file.part", ".file.part.journal")
			} else {
				leak.Files(t, dir)
			}
		})
	}
}

// A file or a link that another user has put at the destination gives neither its mode nor its target
// to the downloaded file.
func TestPlantedDestination(t *testing.T) {
	leak.Check(t)
	cmd, dir := asUser(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600), os.Chmod(file, 0o666))
	cmd.Args = append(cmd.Args, "downloader", origin.URL(), file)
	if out := output(t, cmd); !strings.Contains(out, "error <nil>") {
		t.Errorf("got %q", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode()&0o022 != 0 {
		t.Errorf("got %v, %v, want a file that only its owner can write to", info.Mode(), err)
	}

	cmd, home := asUser(t)
	shared := t.TempDir()
	must(t, os.Chmod(filepath.Dir(shared), 0o755), os.Chmod(shared, 0o777|fs.ModeSticky))
	link := filepath.Join(shared, "file")
	must(t, os.Symlink(filepath.Join(home, "file"), link), os.Lchown(link, 1, 1))
	cmd.Args = append(cmd.Args, "downloader", origin.URL(), link)
	if out := output(t, cmd); !strings.Contains(out, "belongs to another user") {
		t.Errorf("got %q, want it refused", out)
	}
	leak.Files(t, home)
}
