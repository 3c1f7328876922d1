package pool

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How many bytes of the end of a worker's standard error are shown.
const (
	maxTail      = 1 << 10
	maxCrashTail = 256 // behind a crash
)

// ellipsis stands for what is left out of a line.
const ellipsis = "..."

// cut returns a copy of a line of which at most limit bytes are kept.
func cut(line []byte, limit int) []byte {
	if len(line) <= limit {
		return bytes.Clone(line)
	}
	end := limit - len(ellipsis)
	for back := 0; back < utf8.UTFMax-1 && !utf8.RuneStart(line[end]); back++ {
		end--
	}
	return append(bytes.Clone(line[:end]), ellipsis...)
}

// tail returns the last bytes of text, at most limit of them, from the beginning of a line on if
// there is one among them. cutOff tells that text itself does not begin with a line.
func tail(text []byte, limit int, cutOff bool) string {
	if over := len(text) - limit; over > 0 {
		text, cutOff = text[over:], true
	}
	text = bytes.TrimRight(text, " \t\r\n")
	if cutOff && len(text) > 0 {
		if _, lines, found := bytes.Cut(text, []byte("\n")); found {
			text = lines
		} else {
			for back := 0; back < utf8.UTFMax-1 && len(text) > 0 && !utf8.RuneStart(text[0]); back++ {
				text = text[1:]
			}
			return ellipsis + printable(string(text))
		}
	}
	return printable(strings.TrimSpace(string(text)))
}

// printable returns text with what could change a terminal written as Go writes it: a worker's
// output may hold the keys of objects.
func printable(text string) string {
	odd := func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }
	if utf8.ValidString(text) && !strings.ContainsFunc(text, odd) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		if odd(r) || r == utf8.RuneError && n == 1 {
			quoted := strconv.Quote(text[:n])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}
