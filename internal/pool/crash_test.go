package pool

import (
	"fmt"
	"strings"
	"testing"
)

// stack returns the stack of a goroutine with so many frames.
func stack(n, frames int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "goroutine %d [running]:\n", n)
	for i := range frames {
		fmt.Fprintf(&b, "main.f%d(...)\n\t/src/main.go:%d +0x1d\n", i, i)
	}
	return b.String() + "\n"
}

// TestCrash: the words of a worker begin with the last crash: its message and its first frames. What
// came last follows.
func TestCrash(t *testing.T) {
	boom := "panic: boom\n\n" + stack(1, 100)
	for _, c := range []struct {
		name   string
		writes []string
		want   []string // in this order
		not    string
	}{
		{"panic", []string{boom}, []string{"it crashed: panic: boom\n\ngoroutine 1 [running]:\nmain.f0(...)\n\t/src/main.go:0", "\n...\n", "main.f99"}, ""},
		{"short", []string{"panic: boom\n\n", stack(1, 1), "exit status 2\n"},
			[]string{"it crashed: panic: boom\n\ngoroutine 1 [running]:\nmain.f0(...)\n\t/src/main.go:0 +0x1d\n...\nexit status 2"}, ""},
		{"byte by byte", strings.Split(boom, ""), []string{"it crashed: panic: boom\n\ngoroutine 1", "main.f99"}, ""},
		{"after much output", []string{strings.Repeat("much output\n", 10_000), boom}, []string{"it crashed: panic: boom"}, "much output"},
		{"after output without a line feed", []string{"50%", boom}, []string{"it crashed: panic: boom\n\ngoroutine 1 [running]:\nmain.f0"}, "50%"},
		{"after a long line without a line feed", []string{strings.Repeat("x", 3000), boom}, []string{"it crashed: panic: boom\n\ngoroutine 1"}, "xxx"},
		{"before much output", []string{boom, strings.Repeat("much output\n", 10_000)},
			[]string{"it crashed: panic: boom\n\ngoroutine 1 [running]:\nmain.f0(...)", "\n...\nmuch output\n"}, ""},
		{"before a long line", []string{boom, strings.Repeat("x", 100_000)},
			[]string{"it crashed: panic: boom\n\ngoroutine 1 [running]:\nmain.f0(...)", "\n...\nxxx"}, ""},
		{"message of 100 KB", []string{"panic: boom", strings.Repeat("€", 33_333), "\n\n", stack(1, 100)},
			[]string{"it crashed: panic: boom€€", "€...\n\ngoroutine 1 [running]:\nmain.f0(...)", "main.f99"}, `\x`},
		{"message of many lines", []string{"panic: boom", strings.Repeat("\n\tline", 10_000), "\n\n", stack(1, 100)},
			[]string{"it crashed: panic: boom\n\tline\n", "line\n\ngoroutine 1 [running]:\nmain.f0(...)"}, ""},
		{"all goroutines", []string{boom, stack(2, 50), stack(3, 50)}, []string{"it crashed: panic: boom\n\ngoroutine 1 [running]:", "main.f49"}, ""},
		{"two panics", []string{"panic: first\n\n", stack(1, 9), "panic: second\n\n", stack(2, 9)},
			[]string{"it crashed: panic: first\n...\npanic: second\n\ngoroutine 2 [running]:\nmain.f0"}, ""},
		{"panic in a deferred call", []string{"panic: first [recovered]\n\tpanic: second\n\n", stack(1, 1)},
			[]string{"it crashed: panic: first [recovered]\n\tpanic: second\n\ngoroutine 1 [running]:"}, ""},
		{"fatal error", []string{"fatal error: all goroutines are asleep - deadlock!\n\n", stack(1, 1)},
			[]string{"it crashed: fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [running]:"}, ""},
		{"out of memory", []string{"runtime: out of memory: cannot allocate 4096-byte block\nfatal error: out of memory\n\nruntime stack:\nruntime.throw()\n\n", stack(1, 100)},
			[]string{"it crashed: runtime: out of memory: cannot allocate 4096-byte block\n...\nfatal error: out of memory\n\nruntime stack:\nruntime.throw()"}, ""},
		{"only a note", []string{"runtime: failed to create new OS thread\n"}, []string{"it crashed: runtime: failed to create new OS thread"}, ""},
		{"SIGQUIT", []string{"SIGQUIT: quit\nPC=0x46c5a1 m=0 sigcode=0\n\n", stack(0, 100)},
			[]string{"it crashed: SIGQUIT: quit\nPC=0x46c5a1 m=0 sigcode=0\n\ngoroutine 0 [running]:"}, ""},
		{"without a stack", []string{"panic: boom"}, []string{"it crashed: panic: boom"}, ""},
		{"on Windows", []string{"panic: boom\r\n\r\ngoroutine 1 [running]:\r\nmain.main()\r\n"}, []string{"it crashed: panic: boom\n\ngoroutine 1 [running]:\nmain.main()"}, `\r`},
		{"recovered", []string{"job: recovered from panic: boom\n", strings.Repeat("other output\n", 500)}, []string{ends + "other output"}, "boom"},
		{"recovered, then another", []string{"job: recovered from panic: old\n", stack(7, 30), strings.Repeat("other output\n", 500), boom},
			[]string{"it crashed: panic: old\n...\npanic: boom\n\ngoroutine 1 [running]:\nmain.f0", "main.f99"}, "other output"},
		{"unprintable", []string{"panic: \x1b[2J\xff\n\n", stack(1, 1)}, []string{`it crashed: panic: \x1b[2J\xff` + "\n\ngoroutine 1"}, "\x1b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, words := lines(t, c.writes...)
			rest := words
			for _, want := range c.want {
				_, behind, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("got %q, want %q in it", words, want)
				}
				rest = behind
			}
			if !strings.HasPrefix(words, c.want[0]) {
				t.Errorf("got %q, want it to begin with %q", words, c.want[0])
			}
			if c.not != "" && strings.Contains(words, c.not) {
				t.Errorf("got %q, want no %q", words, c.not)
			}
			if len(words) > 1300 {
				t.Errorf("got %d bytes: %q", len(words), words)
			}
		})
	}
}

// FuzzStderr: whatever a worker writes, in whatever pieces, its words are few and printable, and all
// of its lines are logged.
func FuzzStderr(f *testing.F) {
	f.Add("panic: boom\n\n"+stack(1, 100), uint16(7))
	f.Add("50%panic: a\n\tpanic: b\n\n"+stack(1, 3)+"runtime: x\n", uint16(1))
	f.Add(strings.Repeat("€\xff", 3000), uint16(4096))
	f.Fuzz(func(t *testing.T, text string, piece uint16) {
		var writes []string
		for rest := text; rest != ""; {
			n := min(len(rest), int(piece)+1)
			writes = append(writes, rest[:n])
			rest = rest[n:]
		}
		logged, words := lines(t, writes...)
		if len(words) > 6*1300 || printable(words) != words {
			t.Errorf("got %d bytes: %q", len(words), words)
		}
		squash := strings.NewReplacer("\n", "", "\r", "")
		if got, want := squash.Replace(strings.Join(logged, "")), squash.Replace(text); got != want {
			t.Errorf("got %q in the log, want %q", got, want)
		}
		if whole, all := lines(t, text); len(whole) != len(logged) || all != words {
			t.Errorf("in pieces of %d: got %q, want %q", int(piece)+1, words, all)
		}
	})
}
