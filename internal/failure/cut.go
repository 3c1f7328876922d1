package failure

import (
	"fmt"
	"unicode/utf8"
)

// MaxText bounds an error's text, in bytes, when it crosses between processes. A server may send an
// error of any length.
const MaxText = 4 << 10

// maxField bounds each further field of an error: codes, ids and names.
const maxField = 1 << 10

// Cut returns text if it has at most limit bytes. Else it returns its beginning, between two
// characters, and a note of its length. The result has at most limit bytes, which must be enough
// for the note.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	note := fmt.Sprintf("... (cut: %d bytes in all)", len(text))
	return head(text, limit-len(note)) + note
}

// head returns the first bytes of text, n of them or, where they end inside a character, fewer.
func head(text string, n int) string {
	for back := 0; back < utf8.UTFMax && back <= n; back++ {
		if utf8.RuneStart(text[n-back]) {
			return text[:n-back]
		}
	}
	return text[:n] // it is not UTF-8
}
