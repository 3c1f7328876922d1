package reexec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for value, want := range map[string]mark{
		"":          {},
		"self/0":    {role: "self"},
		"command/0": {role: "command"},
		"self/7":    {major: "7"},
		"command/1": {major: "1"},
		"another/7": {major: "7"}, // what its roles are is that version's affair
		"self":      {},
		"self/":     {},
		"self/x":    {},
		"another/0": {},
		"self/7/0":  {},
		"/":         {},
	} {
		want.value = value
		if got := parse(value); got != want {
			t.Errorf("%q: got %+v, want %+v", value, got, want)
		}
	}
}

// What this program does not answer, and no other version in it can, is an error.
func TestUnanswered(t *testing.T) {
	for value, want := range map[string]string{
		"":          "",
		"self/0":    "",
		"command/0": "",
		"self":      "is not a value of this version",
		"another/0": "is not a value of this version",
		"self/1":    "a pool of major version 1",
		"self/7":    "a pool of major version 7",
	} {
		err := parse(value).unanswered()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", value, err, want)
		}
	}
}

// A worker's mark is one that its own version answers.
func TestEnviron(t *testing.T) {
	for own, want := range map[bool]string{true: roleSelf, false: roleCommand} {
		_, value, _ := strings.Cut(Environ(own)[0], marker+"=")
		if got := parse(value).role; got != want {
			t.Errorf("%q: got role %q, want %q", value, got, want)
		}
	}
}

// The major version is that of the module's path.
func TestModulePath(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if want := "module " + pathOf(current); strings.TrimSpace(first) != want {
		t.Errorf("go.mod: got %q, want %q", first, want)
	}
	if got, want := pathOf("7"), modulePath+"/v7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
