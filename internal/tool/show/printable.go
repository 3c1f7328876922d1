// Package show has what the tools print: text without control sequences, and sizes.
package show

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable quotes s if it has characters that are not printable, or bytes that are not UTF-8. A
// key may contain any character, including the control sequences of terminals: ESC, but also the
// C1 controls, which a terminal takes as the byte 0x9b or as U+009B
// (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html#h3-C1-_8-Bit_-Control-Characters).
func Printable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
		return strconv.QuoteToGraphic(s)
	}
	return s
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// OneLine joins the lines of an error that lists several faults.
func OneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }), "; ")
}

// EscapeJSON replaces the characters in a JSON text that are not printable by their \u escapes.
// encoding/json leaves DEL, the C1 controls and the controls of text direction as they are.
func EscapeJSON(text []byte) []byte {
	if !bytes.ContainsFunc(text, unprintable) {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		switch {
		case !unprintable(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}
