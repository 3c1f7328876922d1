package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// hostile are parts of keys that a terminal would take for commands, or that would forge a line.
var hostile = map[string]string{
	"ESC":       "a\x1b[2Jb",
	"byte 0x9b": "a\x9b2Jb",
	"U+009B":    "a\u009b2Jb",
	"newline":   "a\ns3get: all is well",
	"return":    "a\rb",
	"DEL":       "a\x7fb",
	"BEL":       "a\ab",
	"backspace": "a\b\bb",
	"direction": "a\u202eb",
	"separator": "a\u2028b",
	"tag":       "a\U000e0041b",
}

func wantHarmless(t *testing.T, name, text string) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s: got %q", name, line)
		}
	}
}

// No text for people has a control character, wherever the error has it.
func TestProblemIsHarmless(t *testing.T) {
	leak.Check(t)
	for name, s := range hostile {
		err := &processpool.TransferError{Op: processpool.OpGet, Bucket: s, Key: s, Filename: s, Err: errors.New(s)}
		p := newProblem(source{bucket: s, key: s}, err)
		p.todo = s
		text := p.String()
		wantHarmless(t, name, text)
		if n := strings.Count(text, "\n"); n != 2 {
			t.Errorf("%s: got %q, want two lines", name, text)
		}
		var stdout bytes.Buffer
		newEvents(&stdout).trouble(p)
		wantHarmless(t, name, stdout.String())
		var e errorEvent
		if err := json.Unmarshal(stdout.Bytes(), &e); err != nil || utf8.ValidString(s) && (e.Key != s || e.What != s) {
			t.Errorf("%s: got %+v, %v", name, e, err)
		}
	}
}

// Neither the command line nor a key, in any view, brings a control character to the terminal.
func TestKeysAreHarmless(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	for name, s := range hostile {
		var stdout, stderr bytes.Buffer
		for _, args := range [][]string{{"s3://b/" + s + "/"}, {"--" + s}, {s}, {"--endpoint", s, "s3://b/k"}, {"--json", "s3://b/" + s + "/"}} {
			run(t.Context(), args, &stdout, &stderr)
		}
		wantHarmless(t, name, stdout.String()+stderr.String())
		if !utf8.ValidString(s) {
			continue // S3 lists XML, which has no such bytes
		}
		origin.Put("b", "p/"+s, []byte("x"))
		origin.Put("b", "p/denied-"+s, []byte("x"))
		origin.Inject(s3test.Fault{Key: "p/denied-" + s, Status: 403, Message: s})
	}
	dir := t.TempDir()
	for name, flag := range map[string]string{"lines": "--verify=auto", "quiet": "--quiet", "json": "--json"} {
		_, stdout, stderr := get(t, t.Context(), origin, "-r", flag, "s3://b/p/", filepath.Join(dir, name))
		wantHarmless(t, name, stdout+stderr)
	}

	a, err := parse([]string{"--endpoint", origin.URL(), "--workers", "2", "-r", "s3://b/p/", filepath.Join(dir, "bars")})
	if err != nil {
		t.Fatal(err)
	}
	screen, output := &terminal{}, &bytes.Buffer{}
	if _, err := runBars(t.Context(), a, lines{stdout: screen, stderr: output}); err != nil {
		t.Fatal(err)
	}
	wantHarmless(t, "bars", output.String())
	for _, line := range screen.lines() { // its only sequence is that of the bars
		wantHarmless(t, "bars", line)
	}
	if files, err := os.ReadDir(filepath.Join(dir, "bars")); err != nil || len(files) < 5 {
		t.Errorf("got %d files, %v", len(files), err)
	}
}
