package sink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestResolvePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "present"), "old", 0o644)
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "absent"):  "absent",
		filepath.Join(dir, "present"): "present",
		"absent":                      "absent",
		"present":                     "present",
		"./sub//./absent":             "sub/absent",
		"a name, with ümläuts + more": "a name, with ümläuts + more",
		"...":                         "...",
		"-":                           "-",
	} {
		target, err := Resolve(nil, name)
		if want := filepath.Join(dir, filepath.FromSlash(want)); err != nil || target.Path() != want {
			t.Errorf("Resolve(%q) = %q, %v, want %q", name, target.Path(), err, want)
		}
	}
	untouched(t, dir, "present", "sub")
}

// TestResolveRelative changes the working directory after a relative name was resolved.
func TestResolveRelative(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	t.Chdir(first)
	target, err := Resolve(nil, "file")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(second)
	publish(t, target, "new")
	untouched(t, first, "file")
	untouched(t, second)
}

func TestResolveRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "old", 0o644)
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	slash := string(filepath.Separator)
	for _, test := range []struct {
		name, filename string
		is             []error
		text           string
	}{
		{"empty", "", []error{fs.ErrInvalid}, "is empty"},
		{"NUL", filepath.Join(dir, "a\x00b"), []error{fs.ErrInvalid, syscall.EINVAL}, "NUL"},
		{"separator", filepath.Join(dir, "new") + slash, []error{ErrNotRegular, syscall.EISDIR}, "ends in a separator"},
		{"separator of a file", filepath.Join(dir, "file") + slash, []error{ErrNotRegular}, "ends in a separator"},
		{"root", slash, []error{ErrNotRegular}, "ends in a separator"},
		{"directory", filepath.Join(dir, "sub"), []error{ErrNotRegular, syscall.EISDIR}, "is a directory, not a regular file"},
		{"dot", dir + slash + ".", []error{ErrNotRegular, syscall.EISDIR}, "is a directory, not a regular file"},
		{"dot dot", dir + slash + "sub" + slash + "..", []error{ErrNotRegular, syscall.EISDIR}, "is a directory, not a regular file"},
		{"no directory", filepath.Join(dir, "none", "new"), []error{fs.ErrNotExist}, filepath.Join(dir, "none")},
		{"none above either", filepath.Join(dir, "none", "none", "new"), []error{fs.ErrNotExist}, filepath.Join(dir, "none", "none")},
		{"a file as directory", filepath.Join(dir, "file", "new"), []error{syscall.ENOTDIR}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, err := Resolve(nil, test.filename)
			var pathError *fs.PathError
			if !errors.As(err, &pathError) || pathError.Path != test.filename {
				t.Fatalf("got %v, want a PathError of %q", err, test.filename)
			}
			for _, want := range test.is {
				if !errors.Is(err, want) {
					t.Errorf("%q is not %q", err, want)
				}
			}
			if !strings.Contains(err.Error(), test.text) {
				t.Errorf("%q does not say %q", err, test.text)
			}
			if target != (Target{}) {
				t.Errorf("a target with the error: %q", target.Path())
			}
			untouched(t, dir, "file", "sub")
		})
	}
}

func write(t *testing.T, path, content string, perm fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), perm); err != nil {
		t.Fatal(err)
	}
}

// publish writes content to the target and publishes it.
func publish(t *testing.T, target Target, content string) {
	t.Helper()
	temp, err := target.Create(int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := temp.File().WriteAt([]byte(content), 0); err != nil {
		t.Error(err)
	}
	for _, step := range []func() error{temp.Sync, temp.Publish, temp.SyncDir} {
		if err := step(); err != nil {
			t.Error(err)
		}
	}
}

// untouched fails the test unless dir has exactly the entries names, and so no temporary file.
func untouched(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, "\n") != strings.Join(names, "\n") { // both sorted
		t.Errorf("%s has %q, want %q", dir, got, names)
	}
}

// content fails the test unless the file at path contains want.
func content(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s has %q, %v, want %q", path, got, err, want)
	}
}
