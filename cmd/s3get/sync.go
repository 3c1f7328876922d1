package main

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/s3processpool/processpool/internal/keypath"
)

// extraFiles finds the files below a directory that no object stands for. It remembers the names of
// all objects.
type extraFiles struct {
	dir   string
	names map[string]bool // with slashes, as folded
}

func newExtraFiles(dir string) *extraFiles { return &extraFiles{dir, map[string]bool{}} }

// stays notes that an object has a file, whether or not it is downloaded. rest is its key without
// the prefix.
func (e *extraFiles) stays(rest string) {
	if e == nil {
		return
	}
	if p, err := keypath.Of(rest, runtime.GOOS == "windows"); err == nil && !p.Dir {
		e.names[folded(p.Name)] = true
	}
}

// folded returns a name as a directory compares it that takes a and A for one name. Then no file is
// removed that is an object's by another spelling.
func folded(name string) string {
	if runtime.GOOS == "linux" {
		return name
	}
	return strings.ToLower(name)
}

// remove removes the extra files, but for those that --exclude names, links, and partial files. It
// does not leave the directory, whatever links lie in it.
func (g *getter) remove(v view, extra *extraFiles) {
	root, err := os.OpenRoot(extra.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		defer root.Close()
		err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case !d.Type().IsRegular() || extra.names[folded(name)] || g.exclude.match(name) || isPartial(path.Base(name)):
				return nil
			}
			j := &job{source: source{filename: filepath.Join(extra.dir, filepath.FromSlash(name))}}
			if g.dryRun {
				g.plan(v, "delete", j)
				return nil
			}
			if err := root.Remove(name); err != nil {
				return err
			}
			g.tally.deleted++
			v.removed(j.filename)
			return nil
		})
	}
	if err != nil {
		p := advise(err)
		p.object, p.file, p.cause.err = extra.dir, extra.dir, err
		g.stop(v, p)
	}
}

// isPartial reports whether a name is that of a partial file or its journal, which s3get clean
// removes.
func isPartial(base string) bool {
	return strings.HasPrefix(base, ".") && (strings.HasSuffix(base, ".part") || strings.HasSuffix(base, ".part.journal"))
}
