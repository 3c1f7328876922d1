//go:build unix

package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func TestResolveLinks(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"a", "a/b", "z"} {
		if err := os.Mkdir(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, at("a/file"), "old", 0o644)
	link(t, "a/file", at("relative"))
	link(t, at("a/file"), at("absolute"))
	link(t, "relative", at("chain"))
	link(t, "a/new", at("dangling"))
	link(t, "dangling", at("dangling chain"))
	link(t, "a/b", at("deep"))
	link(t, "../up", at("z/up"))
	link(t, at("missing/new"), at("no directory"))
	link(t, "loop", at("loop"))
	link(t, "pong", at("ping"))
	link(t, "ping", at("pong"))
	link(t, "a", at("directory"))
	link(t, "a/new/", at("dangling directory"))
	link(t, strings.Repeat("x", 300), at("long"))
	for i := range maxLinks {
		link(t, fmt.Sprint("many", i+1), at(fmt.Sprint("many", i)))
	}
	for name, want := range map[string]struct {
		path string
		err  error
	}{
		"relative":       {path: at("a/file")},
		"absolute":       {path: at("a/file")},
		"chain":          {path: at("a/file")},
		"dangling":       {path: at("a/new")},
		"dangling chain": {path: at("a/new")},
		// The parent of a directory reached through a link is not the one in its name: a, not dir.
		"deep/../file":       {path: at("deep") + "/../file"},
		"deep/../new":        {path: at("deep") + "/../new"},
		"deep/../b/new":      {path: at("deep") + "/../b/new"},
		"z/up":               {path: at("z") + "/../up"},
		"no directory":       {err: fs.ErrNotExist},
		"loop":               {err: syscall.ELOOP},
		"ping":               {err: syscall.ELOOP},
		"directory":          {err: syscall.EISDIR},
		"dangling directory": {err: syscall.EISDIR},
		"long":               {err: syscall.ENAMETOOLONG},
		// A longer chain than this one fails on systems that follow at most 32 links.
		"many10": {path: at(fmt.Sprint("many", maxLinks))},
	} {
		target, err := Resolve(nil, dir+"/"+name)
		if target.Path() != want.path || !errors.Is(err, want.err) {
			t.Errorf("%s: got %q, %v, want %q, %v", name, target.Path(), err, want.path, want.err)
		}
	}

	// Publish replaces the file that a link points to, and not the link.
	for name, file := range map[string]string{"chain": "a/file", "dangling chain": "a/new", "z/up": "up", "deep/../beside": "a/beside", "deep/../b/new": "a/b/new"} {
		target, err := Resolve(nil, dir+"/"+name)
		if err != nil {
			t.Error(err)
			continue
		}
		publish(t, target, "new at "+name)
		content(t, at(file), "new at "+name)
	}
	for _, name := range []string{"chain", "dangling chain", "z/up"} {
		if info, err := os.Lstat(at(name)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v", name, err)
		}
	}
	untouched(t, at("a"), "b", "beside", "file", "new")
}

func TestResolveNotRegular(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir) // a socket's path has 104 bytes at most
	if err := syscall.Mkfifo("fifo", 0o644); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	link(t, "fifo", "link")
	for name, text := range map[string]string{
		"fifo":      "is a named pipe, not a regular file",
		"link":      "is a named pipe, not a regular file",
		"socket":    "is a socket, not a regular file",
		"/dev/null": "is a device, not a regular file",
	} {
		_, err := Resolve(nil, name)
		if !errors.Is(err, ErrNotRegular) || errors.Is(err, syscall.EISDIR) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want %q", name, err, text)
		}
	}
	untouched(t, dir, "fifo", "link", "socket")
}

func TestResolveNameTooLong(t *testing.T) {
	dir := t.TempDir()
	for _, length := range []int{256, 280, 5000} {
		_, err := Resolve(nil, filepath.Join(dir, strings.Repeat("n", length)))
		if !errors.Is(err, syscall.ENAMETOOLONG) {
			t.Errorf("length=%d: got %v, want %v", length, err, syscall.ENAMETOOLONG)
		}
	}
	untouched(t, dir)
}

func TestResolvePermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may search every directory")
	}
	dir := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(dir, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Resolve(nil, filepath.Join(dir, "new")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want %v", err, fs.ErrPermission)
	}
}
